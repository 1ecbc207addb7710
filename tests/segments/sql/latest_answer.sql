SELECT contact_1.id AS contact_id
FROM contacts.contact AS contact_1
WHERE contact_1.workspace_id = %(workspace_id_1)s::UUID
AND (EXISTS (SELECT anon_1.contact_id
FROM (SELECT anon_2.contact_id AS contact_id
FROM (SELECT DISTINCT ON (timeline.event.contact_id) timeline.event.contact_id AS contact_id, timeline.event.data AS data
FROM timeline.event
WHERE timeline.event.workspace_id = %(workspace_id_2)s::UUID
AND timeline.event.kind = %(kind_1)s::VARCHAR
AND timeline.event.subject = %(subject_1)s::VARCHAR
ORDER BY timeline.event.contact_id, timeline.event.at DESC, timeline.event.id DESC) AS anon_2
WHERE anon_2.data[%(data_1)s::TEXT] ?| CAST(ARRAY[%(param_1)s::VARCHAR, %(param_2)s::VARCHAR] AS TEXT[])) AS anon_1
WHERE anon_1.contact_id = contact_1.id))
-- data_1 = choice_ids
-- kind_1 = survey_answer
-- param_1 = c1
-- param_2 = c2
-- subject_1 = f61c4f9f-0f1b-52e1-9012-73330e93154e
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
