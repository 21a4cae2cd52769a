-- Portable SQL: types and constraints that mean the same in SQLite and PostgreSQL. Timestamps are
-- UTC with milliseconds. Digests are SHA-256 or HMAC-SHA-256 in hexadecimal; no column holds a
-- secret in plain text.

-- Users ------------------------------------------------------------------------------------

-- The plural, since `user` is reserved in SQL.
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- Empty for a user without a password, whom an identity provider signs in.
    password_hash TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'deactivated')),
    created_at TIMESTAMP NOT NULL,
    -- False only for a user whom the operator created without an organization.
    needs_organization BOOLEAN NOT NULL,
    -- When the user proved to receive mail at the address; null if not proven.
    email_verified_at TIMESTAMP,
    -- Since when the password must be changed at the next sign-in; null if it need not be.
    password_expired_at TIMESTAMP,
    -- Whether the user may open the operator console. Set by a command on the server only.
    is_operator BOOLEAN NOT NULL
);
CREATE INDEX users_created ON users (created_at, id);

-- One-time links that reset a password, prove an email address, or change it. Deleted on use.
CREATE TABLE account_link (
    link_digest TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('reset', 'verify', 'change')),
    -- The address that the link is sent to or proves.
    email TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX account_link_user ON account_link (user_id);
CREATE INDEX account_link_expires ON account_link (expires_at);

-- The identities of users at identity providers. A user has at most one of each issuer.
CREATE TABLE identity (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    -- The address that the provider stated last.
    email TEXT,
    created_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP NOT NULL,
    -- The refresh token, encrypted under a key that is not stored, and when it is used next.
    refresh_salt TEXT,
    refresh_token TEXT,
    check_at TIMESTAMP,
    PRIMARY KEY (issuer, subject),
    UNIQUE (user_id, issuer),
    CHECK ((refresh_salt IS NULL) = (refresh_token IS NULL)),
    CHECK ((refresh_salt IS NULL) = (check_at IS NULL))
);
CREATE INDEX identity_check ON identity (check_at);

-- Digests of the ids of signed statements that work once, until they expire.
CREATE TABLE used_assertion (
    id TEXT NOT NULL PRIMARY KEY,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX used_assertion_expires ON used_assertion (expires_at);

-- The authenticator apps of users (RFC 6238), at most one each. The secret is encrypted under a key
-- that is not stored. A value is used once: `last_step` is the time step of the last one.
CREATE TABLE authenticator (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id),
    salt TEXT NOT NULL,
    secret TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP,
    last_step BIGINT NOT NULL
);

-- The passkeys of users (Web Authentication). The id of a credential, its key as COSE in hexadecimal,
-- and the number of its last signature.
CREATE TABLE passkey (
    id TEXT NOT NULL PRIMARY KEY,
    credential TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    public_key TEXT NOT NULL,
    counter BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP
);
CREATE INDEX passkey_user ON passkey (user_id, created_at);

-- Recovery codes, as digests under a key that is not stored. Deleted on use.
CREATE TABLE recovery_code (
    user_id TEXT NOT NULL REFERENCES users (id),
    code_digest TEXT NOT NULL,
    PRIMARY KEY (user_id, code_digest)
);

-- One-time links for the first user. Creating that user deletes them all.
CREATE TABLE setup_link (
    link_digest TEXT NOT NULL PRIMARY KEY,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    cookie_digest TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    -- The identity with which the session began, and the session at the provider; null after a
    -- sign-in with a password.
    issuer TEXT,
    subject TEXT,
    provider_session TEXT,
    -- When the user signed in at the provider; null if it did not state that, and after a sign-in
    -- with a password.
    authenticated_at TIMESTAMP,
    CHECK ((issuer IS NULL) = (subject IS NULL)),
    CHECK (provider_session IS NULL OR issuer IS NOT NULL),
    CHECK (authenticated_at IS NULL OR issuer IS NOT NULL)
);
CREATE INDEX session_identity ON session (issuer, subject);
CREATE INDEX session_provider ON session (issuer, provider_session);
CREATE INDEX session_user_id ON session (user_id);
CREATE INDEX session_last_seen ON session (last_seen_at);
CREATE INDEX session_created ON session (created_at);

-- Organizations ----------------------------------------------------------------------------

-- A deleted organization stays as the owner of its tokens, which the audit log names. It keeps its
-- slug: an API that stores data by slug must not give it to another organization.
CREATE TABLE organization (
    id TEXT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    plan TEXT NOT NULL CHECK (plan IN ('free', 'team')),
    personal_tokens TEXT NOT NULL CHECK (personal_tokens IN ('members', 'admins')),
    personal_tokens_created_by TEXT NOT NULL
        CHECK (personal_tokens_created_by IN ('members', 'admins')),
    -- The longest lifetime of a token: without a limit, any limit, or a number of days.
    longest TEXT NOT NULL CHECK (longest IN ('unlimited', 'ending', 'days')),
    longest_days INTEGER,
    deleted_at TIMESTAMP,
    -- `operator` or the id of a user.
    made_by TEXT NOT NULL,
    CHECK ((longest_days IS NULL) = (longest <> 'days'))
);
CREATE INDEX organization_created ON organization (created_at, id);
CREATE INDEX organization_made ON organization (made_by);

CREATE TABLE membership (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL CHECK (role IN ('member', 'admin', 'owner')),
    created_at TIMESTAMP NOT NULL,
    -- The issuer whose rule gave the membership; null if a user or the operator gave it.
    given_by TEXT,
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX membership_user ON membership (user_id);
CREATE INDEX membership_created ON membership (organization_id, created_at);

CREATE TABLE invitation (
    id TEXT NOT NULL PRIMARY KEY,
    link_digest TEXT NOT NULL UNIQUE,
    -- Another link, which the server mailed to the address: only its reader has it.
    mailed_link_digest TEXT UNIQUE,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    email TEXT,
    role TEXT NOT NULL CHECK (role IN ('member', 'admin', 'owner')),
    invited_by TEXT NOT NULL,
    -- The token with which it was created, which ends it too; no foreign key, since tokens come later.
    made_by_token TEXT,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX invitation_organization ON invitation (organization_id, created_at);
CREATE INDEX invitation_made_by ON invitation (made_by_token);
CREATE INDEX invitation_expires ON invitation (expires_at);

-- Projects ---------------------------------------------------------------------------------

CREATE TABLE project (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    name TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (organization_id, name)
);
CREATE INDEX project_organization ON project (organization_id, created_at);
CREATE INDEX project_created ON project (created_at, id);

CREATE TABLE project_member (
    project_id TEXT NOT NULL REFERENCES project (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX project_member_user ON project_member (user_id);

-- Clients ----------------------------------------------------------------------------------

-- A confidential client has a secret, a public client has none.
CREATE TABLE client (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    secret_digest TEXT,
    scopes TEXT NOT NULL,
    default_scopes TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'disabled')),
    created_at TIMESTAMP NOT NULL,
    -- The secret that a rotation replaced, during its overlap.
    previous_secret_digest TEXT,
    previous_secret_ends_at TIMESTAMP,
    -- Whether a start takes name and scopes from the settings: those of the built-in client, until
    -- the operator changes them.
    follows_settings BOOLEAN NOT NULL,
    CHECK ((previous_secret_digest IS NULL) = (previous_secret_ends_at IS NULL)),
    CHECK (previous_secret_digest IS NULL OR secret_digest IS NOT NULL)
);

-- Tokens -----------------------------------------------------------------------------------

CREATE TABLE token (
    id TEXT NOT NULL PRIMARY KEY,
    token_digest TEXT NOT NULL UNIQUE,
    user_id TEXT REFERENCES users (id),
    organization_id TEXT REFERENCES organization (id),
    name TEXT NOT NULL,
    hint TEXT NOT NULL,
    scopes TEXT NOT NULL,
    -- No foreign key: the tokens of a removed client stay listed.
    client_id TEXT,
    device_name TEXT,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP,
    last_used_at TIMESTAMP,
    last_used_address TEXT,
    revoked_at TIMESTAMP,
    revoked_by TEXT,
    revoked_reason TEXT,
    -- The limits: one organization, and a list of project ids in it. The ids are no foreign
    -- keys: a deleted project must stay listed, or its limit would disappear with it.
    limit_organization_id TEXT REFERENCES organization (id),
    limit_projects TEXT,
    created_by TEXT NOT NULL,
    replaces TEXT REFERENCES token (id),
    -- The token with which this one was created. A rotation passes its descendants on.
    made_by_token TEXT REFERENCES token (id),
    -- The ids of the organizations that blocked it. A column, since every decision needs them.
    blocked_in TEXT,
    -- When its owner last proved who they are. A column, since decisions may need it.
    confirmed_at TIMESTAMP,
    -- Exactly one owner; all columns of a revocation or none.
    CHECK ((user_id IS NULL) <> (organization_id IS NULL)),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
    CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL)),
    CHECK ((last_used_at IS NULL) = (last_used_address IS NULL)),
    CHECK (limit_projects IS NULL OR limit_organization_id IS NOT NULL),
    CHECK (confirmed_at IS NULL OR user_id IS NOT NULL)
);
CREATE INDEX token_user ON token (user_id, created_at);
CREATE INDEX token_organization ON token (organization_id, created_at);
CREATE INDEX token_client ON token (client_id, created_at);
CREATE INDEX token_created ON token (created_at);
-- For the tokens of members with access to an organization, without those that have ended.
CREATE INDEX token_user_active ON token (user_id, expires_at) WHERE revoked_at IS NULL;
CREATE INDEX token_organization_active ON token (organization_id, expires_at) WHERE revoked_at IS NULL;
CREATE INDEX token_limit ON token (limit_organization_id, user_id);
-- A token has at most one successor, however often its rotation is retried.
CREATE UNIQUE INDEX token_replaces ON token (replaces);
CREATE INDEX token_made_by ON token (made_by_token);

-- Tokens that a stricter policy would stop, with the policy that allows them until `ends_at`.
CREATE TABLE policy_grace (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    token_id TEXT NOT NULL REFERENCES token (id),
    ends_at TIMESTAMP NOT NULL,
    plan TEXT NOT NULL CHECK (plan IN ('free', 'team')),
    personal_tokens TEXT NOT NULL CHECK (personal_tokens IN ('members', 'admins')),
    personal_tokens_created_by TEXT NOT NULL
        CHECK (personal_tokens_created_by IN ('members', 'admins')),
    longest TEXT NOT NULL CHECK (longest IN ('unlimited', 'ending', 'days')),
    longest_days INTEGER,
    PRIMARY KEY (token_id, organization_id),
    CHECK ((longest_days IS NULL) = (longest <> 'days'))
);
CREATE INDEX policy_grace_organization ON policy_grace (organization_id);
CREATE INDEX policy_grace_end ON policy_grace (ends_at);

-- Requests of an organization's admins that the owner of a token rotates it.
CREATE TABLE rotation_request (
    token_id TEXT NOT NULL REFERENCES token (id),
    organization_id TEXT NOT NULL REFERENCES organization (id),
    requested_by TEXT NOT NULL,
    requested_at TIMESTAMP NOT NULL,
    PRIMARY KEY (token_id, organization_id)
);

-- Device grants ----------------------------------------------------------------------------

CREATE TABLE device_grant (
    id TEXT NOT NULL PRIMARY KEY,
    device_code_digest TEXT NOT NULL UNIQUE,
    user_code_digest TEXT NOT NULL UNIQUE,
    client_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    device_name TEXT,
    address TEXT NOT NULL,
    -- The networks of the address, by which pending grants are limited.
    source TEXT NOT NULL,
    site TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'redeemed', 'expired')),
    interval_ms BIGINT NOT NULL,
    decided_by TEXT REFERENCES users (id),
    granted_scopes TEXT,
    -- Of the ticket and the decision, by which a repetition is recognized.
    decision_digest TEXT,
    token_id TEXT UNIQUE REFERENCES token (id),
    -- When each kind of misuse was first recorded in the audit log.
    replayed_at TIMESTAMP,
    wrong_client_at TIMESTAMP,
    -- Whether its request has an audit record of its own, and when a user first looked at it.
    is_recorded BOOLEAN NOT NULL,
    shown_at TIMESTAMP,
    -- What the device asked to be limited to.
    organization TEXT,
    project TEXT,
    denied_reason TEXT,
    -- What the user limited the token to, and an expiry before the default.
    granted_organization_id TEXT REFERENCES organization (id),
    granted_projects TEXT,
    granted_expires_at TIMESTAMP,
    -- When the user who approved it had last proved who they are.
    confirmed_at TIMESTAMP,
    -- Each state has exactly its own data.
    CHECK (state NOT IN ('approved', 'redeemed') OR (decided_by IS NOT NULL AND granted_scopes IS NOT NULL)),
    CHECK ((state = 'redeemed') = (token_id IS NOT NULL)),
    CHECK ((state = 'denied') = (denied_reason IS NOT NULL))
);
CREATE INDEX device_grant_source ON device_grant (source, state, expires_at);
CREATE INDEX device_grant_site ON device_grant (site, state, expires_at);
CREATE INDEX device_grant_client ON device_grant (client_id, state, expires_at);
CREATE INDEX device_grant_expires ON device_grant (expires_at);
CREATE INDEX device_grant_decided_by ON device_grant (decided_by);

-- Answers with tokens that were not used yet: a device that lost its answer gets it again. The token is
-- encrypted under a key derived from the device code and the salt, for a short time. The first use of
-- the token deletes the row.
CREATE TABLE device_answer (
    token_id TEXT NOT NULL PRIMARY KEY REFERENCES token (id),
    salt TEXT,
    answer TEXT,
    kept_until TIMESTAMP NOT NULL,
    -- When the token is revoked if it is not used by then; null unless the code was sent again.
    revoked_from TIMESTAMP,
    -- When the device got its token again for the first time.
    repeated_at TIMESTAMP,
    -- When the device grant is forgotten.
    expires_at TIMESTAMP NOT NULL,
    CHECK ((salt IS NULL) = (answer IS NULL))
);
CREATE INDEX device_answer_kept ON device_answer (kept_until) WHERE answer IS NOT NULL;
CREATE INDEX device_answer_revoked ON device_answer (revoked_from) WHERE revoked_from IS NOT NULL;
CREATE INDEX device_answer_expires ON device_answer (expires_at);

-- Numbers of pending device grants, by client, site and source.
CREATE TABLE device_count (
    key TEXT NOT NULL PRIMARY KEY,
    live BIGINT NOT NULL
);

-- Requests ---------------------------------------------------------------------------------

-- Counters of attempts. Counters that share a key replace each other: the tag is whose count it is.
CREATE TABLE throttle (
    key TEXT NOT NULL PRIMARY KEY,
    tag TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    since TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX throttle_expires ON throttle (expires_at);

-- Calls with an Idempotency-Key. The id is a keyed digest of caller and key. The answer is
-- encrypted under a key derived from the caller's token, the Idempotency-Key and the salt, so
-- that nothing stored here decrypts it.
CREATE TABLE idempotency_record (
    id TEXT NOT NULL PRIMARY KEY,
    payload_digest TEXT NOT NULL,
    -- The server that executes the call, and until when no other may start it.
    lease TEXT NOT NULL,
    leased_until TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    salt TEXT NOT NULL,
    answer TEXT
);
CREATE INDEX idempotency_record_created ON idempotency_record (created_at);

-- Forms that a page shows again, and secrets that a page shows once. The text is encrypted under a
-- key that only the browser has.
CREATE TABLE sealed_text (
    id TEXT NOT NULL PRIMARY KEY,
    salt TEXT NOT NULL,
    text TEXT NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    -- Saved forms share a fixed number of slots, so that their number is limited.
    bucket INTEGER,
    slot INTEGER,
    UNIQUE (bucket, slot),
    CHECK ((bucket IS NULL) = (slot IS NULL))
);
CREATE INDEX sealed_text_expires ON sealed_text (expires_at);

-- Audit log --------------------------------------------------------------------------------

-- Records that are committed with their change and not sealed yet.
CREATE TABLE audit_event (
    id TEXT NOT NULL PRIMARY KEY,
    at TIMESTAMP NOT NULL,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('done', 'refused')),
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    method TEXT NOT NULL,
    user_id TEXT,
    token_id TEXT,
    client_id TEXT,
    organization_id TEXT,
    target TEXT,
    request_id TEXT NOT NULL,
    address TEXT,
    agent TEXT,
    detail TEXT NOT NULL,
    -- Keeps the hash of personal data unguessable after the data is erased.
    salt TEXT
);
CREATE INDEX audit_event_at ON audit_event (at);

-- The hash chain of sealed records. The server adds triggers that reject changes other than
-- erasing and pruning; they name these columns.
CREATE TABLE audit_record (
    sequence BIGINT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    at TIMESTAMP NOT NULL,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    method TEXT NOT NULL,
    user_id TEXT,
    token_id TEXT,
    client_id TEXT,
    organization_id TEXT,
    target TEXT,
    request_id TEXT NOT NULL,
    address TEXT,
    agent TEXT,
    detail TEXT NOT NULL,
    salt TEXT
);
CREATE INDEX audit_record_at ON audit_record (at);
CREATE INDEX audit_record_organization ON audit_record (organization_id, sequence);
CREATE INDEX audit_record_user ON audit_record (user_id, sequence);
CREATE INDEX audit_record_token ON audit_record (token_id, sequence);
CREATE INDEX audit_record_actor ON audit_record (actor_id, sequence);
CREATE INDEX audit_record_target ON audit_record (target, sequence);
CREATE INDEX audit_record_action ON audit_record (action, sequence);

-- The end of the chain: one row, locked by the server that seals. After pruning, the hash that
-- precedes the oldest stored record, and the signed statement of it.
CREATE TABLE audit_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    origin TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    hash TEXT NOT NULL,
    pruned_sequence BIGINT,
    pruned_hash TEXT,
    pruned_note TEXT
);

-- Signed checkpoints of the chain.
CREATE TABLE audit_checkpoint (
    sequence BIGINT NOT NULL PRIMARY KEY,
    at TIMESTAMP NOT NULL,
    note TEXT NOT NULL
);

-- How far each sink has the records, with the hash of the last one, and the server that ships to
-- it at present.
CREATE TABLE audit_shipping (
    sink TEXT NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    leased_by TEXT,
    leased_until TIMESTAMP,
    hash TEXT
);

-- The uses of tokens: a row for each token, organization and day of a flush. The record of the
-- event in the chain holds the Merkle root of the flush.
CREATE TABLE token_use (
    event_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    token_id TEXT NOT NULL,
    organization_id TEXT,
    day TEXT NOT NULL,
    first_at TIMESTAMP NOT NULL,
    last_at TIMESTAMP NOT NULL,
    -- Lines of `uses`, and how many uses they stand for.
    leaves INTEGER NOT NULL CHECK (leaves > 0),
    count INTEGER NOT NULL CHECK (count >= leaves),
    uses TEXT NOT NULL,
    PRIMARY KEY (event_id, position)
);
CREATE INDEX token_use_token ON token_use (token_id, event_id, day, count);
CREATE INDEX token_use_organization ON token_use (organization_id, event_id);
-- For the last use of a token in an organization.
CREATE INDEX token_use_last ON token_use (token_id, organization_id, event_id);

-- When each running server last committed a write, in milliseconds since 1970: how `/readyz` knows
-- whether the database accepts writes.
CREATE TABLE heartbeat (
    server TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    -- What all running servers have in common: the URL, and a keyed digest of the operator token.
    public_url TEXT,
    operator_token TEXT
);

-- The keys that belong to this database, as fingerprints, in one row. A server with others does not
-- start.
CREATE TABLE deployment (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    secret_key TEXT NOT NULL,
    audit_key TEXT NOT NULL
);
