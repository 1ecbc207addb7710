SELECT contact_1.id AS contact_id
FROM contacts.contact AS contact_1
WHERE contact_1.workspace_id = %(workspace_id_1)s::UUID
AND (EXISTS (SELECT anon_1.contact_id
FROM (SELECT contacts.contact_tag.contact_id AS contact_id
FROM contacts.contact_tag
WHERE contacts.contact_tag.workspace_id = %(workspace_id_2)s::UUID
AND contacts.contact_tag.tag_id = %(tag_id_1)s::UUID) AS anon_1
WHERE anon_1.contact_id = contact_1.id))
-- tag_id_1 = dbdaf66b-56de-5a69-930b-80bd21a00d70
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
