SELECT tally_1.contact_id AS contact_id
FROM timeline.tally AS tally_1
WHERE tally_1.workspace_id = %(workspace_id_1)s::UUID
AND tally_1.kind = %(kind_1)s::VARCHAR
AND tally_1.subject = %(subject_1)s::VARCHAR
AND tally_1.n >= %(param_1)s::BIGINT
-- kind_1 = purchase
-- param_1 = 5
-- subject_1 = 
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
