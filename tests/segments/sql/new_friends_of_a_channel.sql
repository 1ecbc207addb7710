SELECT friendship_1.contact_id AS contact_id
FROM contacts.friendship AS friendship_1
WHERE friendship_1.workspace_id = %(workspace_id_1)s::UUID
AND friendship_1.channel_id = %(channel_id_1)s::UUID
AND friendship_1.followed_at > %(ago_7)s::TIMESTAMP WITH TIME ZONE
AND friendship_1.status = %(status_1)s::VARCHAR
-- ago_7 = 2026-11-14 15:30:00+00:00
-- channel_id_1 = 757739ea-dbb2-52ef-b949-30d5a2b7f181
-- status_1 = following
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
