SELECT contact_1.id AS contact_id
FROM contacts.contact AS contact_1
WHERE contact_1.workspace_id = %(workspace_id_1)s::UUID
AND NOT (EXISTS (SELECT 1
FROM (SELECT contact_tag_1.contact_id AS contact_id
FROM contacts.contact_tag AS contact_tag_1
WHERE contact_tag_1.workspace_id = %(workspace_id_2)s::UUID
AND contact_tag_1.tag_id = %(tag_id_1)s::UUID
AND NOT (EXISTS (SELECT 1
FROM contacts.contact_attribute AS contact_attribute_1
WHERE contact_attribute_1.workspace_id = %(workspace_id_3)s::UUID
AND contact_attribute_1.attribute_id = %(attribute_id_1)s::UUID
AND contact_attribute_1.number IS NOT NULL
AND contact_attribute_1.number > %(number_1)s
AND contact_attribute_1.contact_id = contact_tag_1.contact_id))) AS anon_1
WHERE anon_1.contact_id = contact_1.id))
-- attribute_id_1 = 1d1f1a73-275b-56e8-8133-e84fd9e92af5
-- number_1 = 30
-- tag_id_1 = dbdaf66b-56de-5a69-930b-80bd21a00d70
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_3 = 616e9aad-04c0-58b7-878b-89c50190e59e
