SELECT event_1.contact_id AS contact_id
FROM timeline.event AS event_1
WHERE event_1.workspace_id = %(workspace_id_1)s::UUID
AND event_1.kind = %(kind_1)s::VARCHAR
AND event_1.subject IN (SELECT CAST(link_1.id AS VARCHAR) AS id
FROM content.link AS link_1
WHERE link_1.workspace_id = %(workspace_id_2)s::UUID
AND link_1.owner = %(owner_1)s::VARCHAR)
GROUP BY event_1.contact_id
-- kind_1 = link_open
-- owner_1 = broadcast:4777cd8b-bf2a-5423-99a7-2b7e7ee52cc9
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
