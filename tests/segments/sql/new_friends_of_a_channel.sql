SELECT contact_1.id AS contact_id
FROM contacts.contact AS contact_1
WHERE contact_1.workspace_id = %(workspace_id_1)s::UUID
AND (EXISTS (SELECT anon_1.contact_id
FROM (SELECT contacts.friendship.contact_id AS contact_id
FROM contacts.friendship
WHERE contacts.friendship.workspace_id = %(workspace_id_2)s::UUID
AND contacts.friendship.status = %(status_1)s::VARCHAR
AND contacts.friendship.channel_id = %(channel_id_1)s::UUID
AND contacts.friendship.followed_at > %(followed_at_1)s::TIMESTAMP WITH TIME ZONE) AS anon_1
WHERE anon_1.contact_id = contact_1.id))
-- channel_id_1 = 757739ea-dbb2-52ef-b949-30d5a2b7f181
-- followed_at_1 = 2026-11-14 15:30:00+00:00
-- status_1 = following
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
-- workspace_id_2 = 616e9aad-04c0-58b7-878b-89c50190e59e
