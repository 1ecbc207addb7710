SELECT contact_tag_1.contact_id AS contact_id
FROM contacts.contact_tag AS contact_tag_1
WHERE contact_tag_1.workspace_id = %(workspace_id_1)s::UUID
AND contact_tag_1.tag_id = %(tag_id_1)s::UUID
AND (EXISTS (SELECT 1
FROM (SELECT contact_tag_2.contact_id AS contact_id
FROM contacts.contact_tag AS contact_tag_2
WHERE contact_tag_2.workspace_id = %(workspace_id_2)s::UUID
AND contact_tag_2.tag_id = %(tag_id_2)s::UUID UNION SELECT contact_tag_3.contact_id AS contact_id
FROM contacts.contact_tag AS contact_tag_3
WHERE contact_tag_3.workspace_id = %(workspace_id_3)s::UUID
AND contact_tag_3.tag_id = %(tag_id_3)s::UUID) AS anon_1
WHERE anon_1.contact_id = contact_tag_1.contact_id))
-- tag_id_1 = af179e75-bd25-55e9-ba69-3b545aa82fda
-- tag_id_2 = dbdaf66b-56de-5a69-930b-80bd21a00d70
-- tag_id_3 = e51eaa28-734b-5e04-b832-c5cbf2ba7ace
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_3 = 616e9aad-04c0-58b7-878b-89c50190e59e
