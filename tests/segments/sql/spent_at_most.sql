SELECT contact_1.id AS contact_id
FROM contacts.contact AS contact_1
WHERE contact_1.workspace_id = %(workspace_id_1)s::UUID
AND NOT (EXISTS (SELECT 1
FROM timeline.tally AS tally_1
WHERE tally_1.workspace_id = %(workspace_id_2)s::UUID
AND tally_1.kind = %(kind_1)s::VARCHAR
AND tally_1.subject = %(subject_1)s::VARCHAR
AND coalesce(tally_1.total, %(coalesce_1)s::INTEGER) > %(coalesce_2)s
AND tally_1.contact_id = contact_1.id))
-- coalesce_1 = 0
-- coalesce_2 = 1000
-- kind_1 = purchase
-- subject_1 = 
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
