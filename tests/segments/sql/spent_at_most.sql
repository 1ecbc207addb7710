SELECT contact_1.id AS contact_id
FROM contacts.contact AS contact_1
WHERE contact_1.workspace_id = %(workspace_id_1)s::UUID
AND NOT (EXISTS (SELECT 1
FROM (SELECT event_1.contact_id AS contact_id
FROM timeline.event AS event_1
WHERE event_1.workspace_id = %(workspace_id_2)s::UUID
AND event_1.kind = %(kind_1)s::VARCHAR
GROUP BY event_1.contact_id
HAVING coalesce(sum(event_1.value), %(coalesce_1)s::INTEGER) > %(coalesce_2)s) AS anon_1
WHERE anon_1.contact_id = contact_1.id))
-- coalesce_1 = 0
-- coalesce_2 = 1000
-- kind_1 = purchase
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
