DROP INDEX token_limit;
CREATE INDEX token_limit ON token (limit_organization_id);

DROP INDEX device_grant_decider;
DROP INDEX invitation_expiry;
DROP INDEX session_created;
DROP INDEX project_made;
DROP INDEX organization_created;
DROP INDEX account_created;
