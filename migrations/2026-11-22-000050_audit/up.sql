-- What happened, written with the change, waits in audit_event until it is sealed.
ALTER TABLE audit_event ADD COLUMN outcome TEXT NOT NULL DEFAULT 'done'
    CHECK (outcome IN ('done', 'refused'));
ALTER TABLE audit_event ADD COLUMN method TEXT NOT NULL DEFAULT 'none';
ALTER TABLE audit_event ADD COLUMN account_id TEXT;
ALTER TABLE audit_event ADD COLUMN token_id TEXT;
ALTER TABLE audit_event ADD COLUMN client_id TEXT;
ALTER TABLE audit_event ADD COLUMN agent TEXT;

-- The chain. The server adds triggers that refuse changes, but for erasing and pruning.
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
    account_id TEXT,
    token_id TEXT,
    client_id TEXT,
    organization_id TEXT,
    target TEXT,
    request_id TEXT NOT NULL,
    address TEXT,
    agent TEXT,
    detail TEXT NOT NULL
);
CREATE INDEX audit_record_at ON audit_record (at);
CREATE INDEX audit_record_organization ON audit_record (organization_id, sequence);
CREATE INDEX audit_record_account ON audit_record (account_id, sequence);
CREATE INDEX audit_record_actor ON audit_record (actor_id, sequence);
CREATE INDEX audit_record_target ON audit_record (target, sequence);
CREATE INDEX audit_record_action ON audit_record (action, sequence);

-- The end of the chain: one row, which whoever seals holds.
CREATE TABLE audit_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    origin TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    hash TEXT NOT NULL
);

-- What was signed of it.
CREATE TABLE audit_checkpoint (
    sequence BIGINT NOT NULL PRIMARY KEY,
    at TIMESTAMP NOT NULL,
    note TEXT NOT NULL
);

-- The uses of tokens, a row for each token, organization and day of a batch. The root over a
-- batch is in the chain, in the record of this id.
CREATE TABLE token_use (
    event_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    token_id TEXT NOT NULL,
    organization_id TEXT,
    day TEXT NOT NULL,
    first_at TIMESTAMP NOT NULL,
    last_at TIMESTAMP NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    uses TEXT NOT NULL,
    PRIMARY KEY (event_id, position)
);
CREATE INDEX token_use_token ON token_use (token_id, event_id);
CREATE INDEX token_use_day ON token_use (token_id, day, count);
CREATE INDEX token_use_organization ON token_use (organization_id, event_id);

-- How far the records were shipped to each place, and which server ships there now.
CREATE TABLE audit_shipping (
    place TEXT NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    holder TEXT,
    leased_until TIMESTAMP
);
