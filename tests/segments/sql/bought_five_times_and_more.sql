SELECT contact_1.id AS contact_id
FROM contacts.contact AS contact_1
WHERE contact_1.workspace_id = %(workspace_id_1)s::UUID
AND (EXISTS (SELECT anon_1.contact_id
FROM (SELECT timeline.event.contact_id AS contact_id
FROM timeline.event
WHERE timeline.event.workspace_id = %(workspace_id_2)s::UUID
AND timeline.event.kind = %(kind_1)s::VARCHAR
GROUP BY timeline.event.contact_id
HAVING count(*) >= %(count_1)s) AS anon_1
WHERE anon_1.contact_id = contact_1.id))
-- count_1 = 5
-- kind_1 = purchase
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
