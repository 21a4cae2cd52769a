-- Organizations have a plan and a policy. One that was deleted stays as the owner of its
-- tokens, which stay listed in the audit log; its address is free again.
ALTER TABLE organization ADD COLUMN plan TEXT NOT NULL DEFAULT 'team'
    CHECK (plan IN ('free', 'team'));
ALTER TABLE organization ADD COLUMN personal_tokens TEXT NOT NULL DEFAULT 'members'
    CHECK (personal_tokens IN ('members', 'admins'));
-- Whether tokens may live for ever; how many days they may live at the most.
ALTER TABLE organization ADD COLUMN longest TEXT NOT NULL DEFAULT 'unlimited'
    CHECK (longest IN ('unlimited', 'ending', 'days'));
ALTER TABLE organization ADD COLUMN longest_days INTEGER
    CHECK ((longest_days IS NULL) = (longest <> 'days'));
ALTER TABLE organization ADD COLUMN deleted_at TIMESTAMP;

CREATE INDEX membership_joined ON membership (organization_id, created_at);

CREATE TABLE project (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    name TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (organization_id, name)
);
CREATE INDEX project_created ON project (organization_id, created_at);

CREATE TABLE project_member (
    project_id TEXT NOT NULL REFERENCES project (id),
    account_id TEXT NOT NULL REFERENCES account (id),
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (project_id, account_id)
);
CREATE INDEX project_member_account ON project_member (account_id);

CREATE TABLE invitation (
    id TEXT NOT NULL PRIMARY KEY,
    link_digest TEXT NOT NULL UNIQUE,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    email TEXT,
    role TEXT NOT NULL CHECK (role IN ('member', 'admin', 'owner')),
    invited_by TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX invitation_organization ON invitation (organization_id, created_at);

-- Limits: one organization, and projects of it as a list of ids. The ids are no reference:
-- a project that is gone must stay named, or the limit would vanish with it.
ALTER TABLE token ADD COLUMN limit_organization_id TEXT REFERENCES organization (id);
ALTER TABLE token ADD COLUMN limit_projects TEXT
    CHECK (limit_projects IS NULL OR limit_organization_id IS NOT NULL);
ALTER TABLE token ADD COLUMN created_by TEXT NOT NULL DEFAULT 'system';
ALTER TABLE token ADD COLUMN replaces TEXT REFERENCES token (id);
CREATE INDEX token_limit ON token (limit_organization_id);
CREATE INDEX token_client ON token (client_id, created_at);
CREATE INDEX token_created ON token (created_at);
-- A token has at most one successor, however often its rotation is tried.
CREATE UNIQUE INDEX token_replaces ON token (replaces);
UPDATE token SET created_by = account_id WHERE account_id IS NOT NULL;

-- Tokens that a policy which came after them would end, and until when they go on.
CREATE TABLE policy_grace (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    token_id TEXT NOT NULL REFERENCES token (id),
    ends_at TIMESTAMP NOT NULL,
    PRIMARY KEY (token_id, organization_id)
);
CREATE INDEX policy_grace_end ON policy_grace (ends_at);
