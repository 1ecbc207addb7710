SELECT worked_out_1.contact_id AS contact_id
FROM segments.worked_out AS worked_out_1
WHERE worked_out_1.workspace_id = %(workspace_id_1)s::UUID
AND worked_out_1.at IS NOT NULL
AND worked_out_1.at >= %(at_1)s::TIMESTAMP WITH TIME ZONE
AND worked_out_1.at < %(at_2)s::TIMESTAMP WITH TIME ZONE
-- at_1 = 2026-11-22 00:00:00+09:00
-- at_2 = 2026-11-23 00:00:00+09:00
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
