SELECT anon_1.contact_id
FROM (SELECT tally_1.contact_id AS contact_id, tally_1.last_at AS at
FROM timeline.tally AS tally_1
WHERE tally_1.workspace_id = %(workspace_id_1)s::UUID
AND tally_1.kind = %(kind_1)s::VARCHAR
AND tally_1.subject = %(subject_1)s::VARCHAR) AS anon_1
WHERE anon_1.at <= %(ago_1)s::TIMESTAMP WITH TIME ZONE
AND NOT (EXISTS (SELECT 1
FROM timeline.event AS event_1
WHERE event_1.workspace_id = %(workspace_id_2)s::UUID
AND event_1.kind = %(kind_2)s::VARCHAR
AND event_1.contact_id = anon_1.contact_id
AND event_1.at > anon_1.at
AND event_1.at <= anon_1.at + make_interval(%(make_interval_1)s::INTEGER, %(make_interval_2)s::INTEGER, %(make_interval_3)s::INTEGER, %(make_interval_4)s::INTEGER, %(make_interval_5)s::INTEGER)))
-- ago_1 = 2026-11-20 15:30:00+00:00
-- kind_1 = cart
-- kind_2 = purchase
-- make_interval_1 = 0
-- make_interval_2 = 0
-- make_interval_3 = 0
-- make_interval_4 = 0
-- make_interval_5 = 24
-- subject_1 = 
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
