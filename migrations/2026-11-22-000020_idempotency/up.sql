-- Calls that bear an Idempotency-Key. The id is a keyed digest of the caller and the key. The
-- answer is encrypted under a key that is made of the caller's token, the Idempotency-Key and
-- the salt: nothing that is stored opens it.

CREATE TABLE idempotency (
    id TEXT NOT NULL PRIMARY KEY,
    payload_digest TEXT NOT NULL,
    -- Who is at work on the call, and until when nobody else may begin.
    lease TEXT NOT NULL,
    leased_until TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    salt TEXT NOT NULL,
    answer TEXT
);
CREATE INDEX idempotency_created ON idempotency (created_at);
