SELECT contact_1.id AS contact_id
FROM contacts.contact AS contact_1
WHERE contact_1.workspace_id = %(workspace_id_1)s::UUID
AND contact_1.birthday IS NOT NULL
AND EXTRACT(month
FROM contact_1.birthday) * 100 + EXTRACT(day
FROM contact_1.birthday) BETWEEN %(param_1)s::INTEGER
AND %(param_2)s::INTEGER
-- param_1 = 200
-- param_2 = 231
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
