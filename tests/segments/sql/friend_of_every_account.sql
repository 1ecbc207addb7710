SELECT friendship_1.contact_id AS contact_id
FROM contacts.friendship AS friendship_1
WHERE friendship_1.workspace_id = %(workspace_id_1)s::UUID
AND friendship_1.status = %(status_1)s::VARCHAR
GROUP BY friendship_1.contact_id
HAVING count(*) = (SELECT count(*) AS count_1
FROM workspace.channel AS channel_1
WHERE channel_1.workspace_id = %(workspace_id_2)s::UUID)
-- status_1 = following
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
