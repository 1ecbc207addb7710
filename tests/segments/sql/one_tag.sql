SELECT contact_tag_1.contact_id AS contact_id
FROM contacts.contact_tag AS contact_tag_1
WHERE contact_tag_1.workspace_id = %(workspace_id_1)s::UUID
AND contact_tag_1.tag_id = %(tag_id_1)s::UUID
-- tag_id_1 = dbdaf66b-56de-5a69-930b-80bd21a00d70
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
