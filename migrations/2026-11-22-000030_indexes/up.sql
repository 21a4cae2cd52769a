-- What is asked of many rows finds its few by an index: lists of everything in the order of
-- their making, the sweep's look for what is over, and what ends when a person leaves.
CREATE INDEX account_created ON account (created_at, id);
CREATE INDEX organization_created ON organization (created_at, id);
CREATE INDEX project_made ON project (created_at, id);
CREATE INDEX session_created ON session (created_at);
CREATE INDEX invitation_expiry ON invitation (expires_at);
CREATE INDEX device_grant_decider ON device_grant (decided_by);

-- A person's tokens that are limited to an organization, without all others' that are.
DROP INDEX token_limit;
CREATE INDEX token_limit ON token (limit_organization_id, account_id);
