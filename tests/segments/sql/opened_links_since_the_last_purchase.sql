SELECT event_1.contact_id AS contact_id
FROM timeline.event AS event_1 JOIN (SELECT event_2.contact_id AS contact_id, max(event_2.at) AS at
FROM timeline.event AS event_2
WHERE event_2.workspace_id = %(workspace_id_1)s::UUID
AND event_2.kind = %(kind_1)s::VARCHAR
GROUP BY event_2.contact_id) AS anon_1 ON anon_1.contact_id = event_1.contact_id
WHERE event_1.workspace_id = %(workspace_id_2)s::UUID
AND event_1.kind = %(kind_2)s::VARCHAR
AND event_1.at > anon_1.at
GROUP BY event_1.contact_id
HAVING count(*) >= %(count_1)s
-- count_1 = 2
-- kind_1 = purchase
-- kind_2 = link_open
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
