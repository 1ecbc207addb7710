SELECT contact_1.id AS contact_id
FROM contacts.contact AS contact_1
WHERE contact_1.workspace_id = %(workspace_id_1)s::UUID
AND NOT (EXISTS (SELECT 1
FROM segments.worked_out AS worked_out_1
WHERE worked_out_1.workspace_id = %(workspace_id_2)s::UUID
AND (worked_out_1.spent IS NULL OR worked_out_1.spent >= %(spent_1)s)
AND (worked_out_1.spent IS NOT NULL
AND worked_out_1.spent > %(spent_2)s) IS NOT true
AND worked_out_1.contact_id = contact_1.id))
-- spent_1 = 5
-- spent_2 = 0
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
