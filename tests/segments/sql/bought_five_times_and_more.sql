SELECT event_1.contact_id AS contact_id
FROM timeline.event AS event_1
WHERE event_1.workspace_id = %(workspace_id_1)s::UUID
AND event_1.kind = %(kind_1)s::VARCHAR
GROUP BY event_1.contact_id
HAVING count(*) >= %(count_1)s
-- count_1 = 5
-- kind_1 = purchase
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
