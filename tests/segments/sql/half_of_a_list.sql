SELECT list_member_1.contact_id AS contact_id
FROM segments.list_member AS list_member_1
WHERE list_member_1.workspace_id = %(workspace_id_1)s::UUID
AND list_member_1.list_id = %(list_id_1)s::UUID
AND (md5(uuid_send(list_member_1.contact_id) || %(param_1)s) COLLATE "C") >= %(param_2)s::VARCHAR
AND (md5(uuid_send(list_member_1.contact_id) || %(param_1)s) COLLATE "C") < %(param_3)s::VARCHAR
-- list_id_1 = 74a20bd1-0225-5aae-ab53-4467ee284d8f
-- param_1 = b'hold-out'
-- param_2 = 1999999a
-- param_3 = 9999999a
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
