SELECT contact_1.id AS contact_id
FROM contacts.contact AS contact_1
WHERE contact_1.workspace_id = %(workspace_id_1)s::UUID
AND NOT (EXISTS (SELECT %(param_1)s::INTEGER AS anon_1
FROM (SELECT timeline.event.contact_id AS contact_id
FROM timeline.event
WHERE timeline.event.workspace_id = %(workspace_id_2)s::UUID
AND timeline.event.kind = %(kind_1)s::VARCHAR) AS anon_2
WHERE anon_2.contact_id = contact_1.id))
-- kind_1 = link_open
-- param_1 = 1
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
