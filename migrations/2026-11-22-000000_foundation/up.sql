-- One text for SQLite and PostgreSQL: only types and constraints that mean the same in both.
-- Moments are UTC to the millisecond. Digests are SHA-256 or HMAC-SHA-256 in hexadecimal;
-- no column holds a secret in plain text.

CREATE TABLE account (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'deactivated')),
    created_at TIMESTAMP NOT NULL
);

-- The one-time links that let the first person in. The first account ends them all.
CREATE TABLE setup_link (
    link_digest TEXT NOT NULL PRIMARY KEY,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE organization (
    id TEXT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE membership (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    account_id TEXT NOT NULL REFERENCES account (id),
    role TEXT NOT NULL CHECK (role IN ('member', 'admin', 'owner')),
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (organization_id, account_id)
);
CREATE INDEX membership_account ON membership (account_id);

CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    cookie_digest TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES account (id),
    created_at TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL
);
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_last_seen ON session (last_seen_at);

-- A confidential client has a secret, a public one has none.
CREATE TABLE client (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    secret_digest TEXT,
    scopes TEXT NOT NULL,
    default_scopes TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'disabled')),
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE token (
    id TEXT NOT NULL PRIMARY KEY,
    token_digest TEXT NOT NULL UNIQUE,
    account_id TEXT REFERENCES account (id),
    organization_id TEXT REFERENCES organization (id),
    name TEXT NOT NULL,
    hint TEXT NOT NULL,
    scopes TEXT NOT NULL,
    client_id TEXT REFERENCES client (id),
    device_name TEXT,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP,
    last_used_at TIMESTAMP,
    last_used_address TEXT,
    revoked_at TIMESTAMP,
    revoked_by TEXT,
    revoked_reason TEXT,
    -- Exactly one owner, and a revocation is whole or absent.
    CHECK ((account_id IS NULL) <> (organization_id IS NULL)),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
    CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL)),
    CHECK ((last_used_at IS NULL) = (last_used_address IS NULL))
);
CREATE INDEX token_account ON token (account_id, created_at);
CREATE INDEX token_organization ON token (organization_id, created_at);

CREATE TABLE device_grant (
    id TEXT NOT NULL PRIMARY KEY,
    device_code_digest TEXT NOT NULL UNIQUE,
    user_code_digest TEXT NOT NULL UNIQUE,
    client_id TEXT NOT NULL REFERENCES client (id),
    scopes TEXT NOT NULL,
    device_name TEXT,
    address TEXT NOT NULL,
    -- The address without its last part, by which requests that wait are counted.
    site TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'redeemed', 'expired')),
    interval_ms BIGINT NOT NULL,
    last_poll_at TIMESTAMP,
    decided_by TEXT REFERENCES account (id),
    granted_scopes TEXT,
    token_id TEXT UNIQUE REFERENCES token (id),
    -- The first time that something about it was suspicious; the log holds it once.
    replayed_at TIMESTAMP,
    wrong_client_at TIMESTAMP,
    -- Each state has its data, and nobody else's.
    CHECK (state NOT IN ('approved', 'redeemed') OR (decided_by IS NOT NULL AND granted_scopes IS NOT NULL)),
    CHECK ((state = 'redeemed') = (token_id IS NOT NULL))
);
CREATE INDEX device_grant_site ON device_grant (site, expires_at);
CREATE INDEX device_grant_client ON device_grant (client_id, expires_at);
CREATE INDEX device_grant_expiry ON device_grant (expires_at);

CREATE TABLE throttle (
    key TEXT NOT NULL PRIMARY KEY,
    attempts INTEGER NOT NULL,
    since TIMESTAMP NOT NULL
);
CREATE INDEX throttle_since ON throttle (since);

CREATE TABLE audit_event (
    id TEXT NOT NULL PRIMARY KEY,
    at TIMESTAMP NOT NULL,
    action TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    target TEXT,
    organization_id TEXT,
    request_id TEXT NOT NULL,
    address TEXT,
    detail TEXT NOT NULL
);
CREATE INDEX audit_event_at ON audit_event (at);
