SELECT contact_1.id AS contact_id
FROM contacts.contact AS contact_1
WHERE contact_1.workspace_id = %(workspace_id_1)s::UUID
AND (EXISTS (SELECT anon_1.contact_id
FROM (SELECT contact_2.id AS contact_id
FROM contacts.contact AS contact_2
WHERE contact_2.workspace_id = %(workspace_id_2)s::UUID
AND NOT (EXISTS (SELECT anon_2.contact_id
FROM (SELECT contacts.contact_tag.contact_id AS contact_id
FROM contacts.contact_tag
WHERE contacts.contact_tag.workspace_id = %(workspace_id_3)s::UUID
AND contacts.contact_tag.tag_id = %(tag_id_1)s::UUID) AS anon_2
WHERE anon_2.contact_id = contact_2.id))
UNION ALL SELECT contacts.contact_attribute.contact_id AS contact_id
FROM contacts.contact_attribute
WHERE contacts.contact_attribute.workspace_id = %(workspace_id_4)s::UUID
AND contacts.contact_attribute.attribute_id = %(attribute_id_1)s::UUID
AND contacts.contact_attribute.number IS NOT NULL
AND contacts.contact_attribute.number > %(number_1)s) AS anon_1
WHERE anon_1.contact_id = contact_1.id))
-- attribute_id_1 = 1d1f1a73-275b-56e8-8133-e84fd9e92af5
-- number_1 = 30
-- tag_id_1 = dbdaf66b-56de-5a69-930b-80bd21a00d70
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_3 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_4 = 616e9aad-04c0-58b7-878b-89c50190e59e
