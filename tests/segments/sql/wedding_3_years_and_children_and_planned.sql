SELECT contact_1.id AS contact_id
FROM contacts.contact AS contact_1
WHERE contact_1.workspace_id = %(workspace_id_1)s::UUID
AND (EXISTS (SELECT anon_1.contact_id
FROM (SELECT contacts.contact_tag.contact_id AS contact_id
FROM contacts.contact_tag
WHERE contacts.contact_tag.workspace_id = %(workspace_id_2)s::UUID
AND contacts.contact_tag.tag_id = %(tag_id_1)s::UUID) AS anon_1
WHERE anon_1.contact_id = contact_1.id))
AND (EXISTS (SELECT anon_2.contact_id
FROM (SELECT contacts.contact_tag.contact_id AS contact_id
FROM contacts.contact_tag
WHERE contacts.contact_tag.workspace_id = %(workspace_id_3)s::UUID
AND contacts.contact_tag.tag_id = %(tag_id_2)s::UUID) AS anon_2
WHERE anon_2.contact_id = contact_1.id))
AND (EXISTS (SELECT anon_3.contact_id
FROM (SELECT contacts.contact_tag.contact_id AS contact_id
FROM contacts.contact_tag
WHERE contacts.contact_tag.workspace_id = %(workspace_id_4)s::UUID
AND contacts.contact_tag.tag_id = %(tag_id_3)s::UUID) AS anon_3
WHERE anon_3.contact_id = contact_1.id))
-- tag_id_1 = dbdaf66b-56de-5a69-930b-80bd21a00d70
-- tag_id_2 = e51eaa28-734b-5e04-b832-c5cbf2ba7ace
-- tag_id_3 = af179e75-bd25-55e9-ba69-3b545aa82fda
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_3 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_4 = 616e9aad-04c0-58b7-878b-89c50190e59e
