WITH segment_1 AS (SELECT contact_tag_1.contact_id AS contact_id
FROM contacts.contact_tag AS contact_tag_1
WHERE contact_tag_1.workspace_id = %(workspace_id_2)s::UUID
AND contact_tag_1.tag_id = %(tag_id_1)s::UUID) SELECT contact_1.id AS contact_id
FROM contacts.contact AS contact_1
WHERE contact_1.workspace_id = %(workspace_id_1)s::UUID
AND NOT (EXISTS (SELECT 1
FROM (SELECT anon_2.contact_id AS contact_id
FROM (SELECT segment_1.contact_id AS contact_id
FROM segment_1) AS anon_2
WHERE NOT (EXISTS (SELECT 1
FROM (SELECT segment_1.contact_id AS contact_id
FROM segment_1) AS anon_3
WHERE anon_3.contact_id = anon_2.contact_id))) AS anon_1
WHERE anon_1.contact_id = contact_1.id))
-- tag_id_1 = dbdaf66b-56de-5a69-930b-80bd21a00d70
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
