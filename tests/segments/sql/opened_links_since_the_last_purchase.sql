SELECT event_1.contact_id AS contact_id
FROM timeline.event AS event_1 JOIN (SELECT tally_1.contact_id AS contact_id, tally_1.last_at AS at
FROM timeline.tally AS tally_1
WHERE tally_1.workspace_id = %(workspace_id_1)s::UUID
AND tally_1.kind = %(kind_1)s::VARCHAR
AND tally_1.subject = %(subject_1)s::VARCHAR) AS anon_1 ON anon_1.contact_id = event_1.contact_id
WHERE event_1.workspace_id = %(workspace_id_2)s::UUID
AND event_1.kind = %(kind_2)s::VARCHAR
AND event_1.at > anon_1.at
GROUP BY event_1.contact_id
HAVING count(*) >= %(param_1)s::BIGINT
-- kind_1 = purchase
-- kind_2 = link_open
-- param_1 = 2
-- subject_1 = 
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
