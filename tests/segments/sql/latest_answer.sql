SELECT anon_1.contact_id
FROM (SELECT DISTINCT ON (event_1.contact_id) event_1.contact_id AS contact_id, event_1.data AS data
FROM timeline.event AS event_1
WHERE event_1.workspace_id = %(workspace_id_1)s::UUID
AND event_1.kind = %(kind_1)s::VARCHAR
AND event_1.subject = %(subject_1)s::VARCHAR
ORDER BY event_1.contact_id, event_1.at DESC, event_1.id DESC) AS anon_1
WHERE anon_1.data[%(data_1)s::TEXT] ?| CAST(ARRAY[%(param_1)s::VARCHAR, %(param_2)s::VARCHAR] AS TEXT[])
-- data_1 = choice_ids
-- kind_1 = survey_answer
-- param_1 = c1
-- param_2 = c2
-- subject_1 = f61c4f9f-0f1b-52e1-9012-73330e93154e
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
