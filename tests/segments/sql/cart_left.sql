SELECT anon_1.contact_id
FROM (SELECT event_1.contact_id AS contact_id, max(event_1.at) AS at
FROM timeline.event AS event_1
WHERE event_1.workspace_id = %(workspace_id_1)s::UUID
AND event_1.kind = %(kind_1)s::VARCHAR
GROUP BY event_1.contact_id) AS anon_1
WHERE anon_1.at <= %(ago_1)s::TIMESTAMP WITH TIME ZONE
AND NOT (EXISTS (SELECT 1
FROM timeline.event AS event_2
WHERE event_2.workspace_id = %(workspace_id_2)s::UUID
AND event_2.kind = %(kind_2)s::VARCHAR
AND event_2.contact_id = anon_1.contact_id
AND event_2.at > anon_1.at
AND event_2.at <= anon_1.at + make_interval(%(make_interval_1)s::INTEGER, %(make_interval_2)s::INTEGER, %(make_interval_3)s::INTEGER, %(make_interval_4)s::INTEGER, %(make_interval_5)s::INTEGER)))
-- ago_1 = 2026-11-20 15:30:00+00:00
-- kind_1 = cart
-- kind_2 = purchase
-- make_interval_1 = 0
-- make_interval_2 = 0
-- make_interval_3 = 0
-- make_interval_4 = 0
-- make_interval_5 = 24
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
