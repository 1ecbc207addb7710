SELECT anon_1.contact_id
FROM (SELECT event_1.contact_id AS contact_id, max(event_1.at) AS at
FROM timeline.event AS event_1
WHERE event_1.workspace_id = %(workspace_id_1)s::UUID
AND event_1.kind = %(kind_1)s::VARCHAR
GROUP BY event_1.contact_id) AS anon_1
WHERE anon_1.at <= %(ago_90)s::TIMESTAMP WITH TIME ZONE
-- ago_90 = 2026-08-23 15:30:00+00:00
-- kind_1 = purchase
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
