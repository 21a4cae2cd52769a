//! Triggers against changes of the chain by mistake, or by an attacker who can only run queries.
//!
//! Two changes are allowed, since the log records them: a record may lose its personal data
//! together with its salt, and records may be deleted up to where the log was pruned.

/// Makes SQLite reject changes, deletions and insertions among sealed records.
pub const SQLITE_GUARD: &str = "
    CREATE TRIGGER IF NOT EXISTS audit_record_stays BEFORE DELETE ON audit_record
        WHEN OLD.sequence > COALESCE((SELECT pruned_sequence FROM audit_head), 0)
        BEGIN SELECT RAISE(ABORT, 'sealed audit records stay'); END;
    CREATE TRIGGER IF NOT EXISTS audit_record_is_fixed
        BEFORE UPDATE OF sequence, hash, id, at, action, outcome, actor_kind, actor_id, method,
            user_id, token_id, client_id, organization_id, target, request_id ON audit_record
        BEGIN SELECT RAISE(ABORT, 'sealed audit records stay'); END;
    CREATE TRIGGER IF NOT EXISTS audit_record_loses_texts
        BEFORE UPDATE OF address, agent, detail, salt ON audit_record
        WHEN OLD.salt IS NULL OR NEW.salt IS NOT NULL
            OR (OLD.address IS NULL) <> (NEW.address IS NULL)
            OR (OLD.agent IS NULL) <> (NEW.agent IS NULL)
            OR NEW.address NOT LIKE 'sha256:%' OR NEW.agent NOT LIKE 'sha256:%'
        BEGIN SELECT RAISE(ABORT, 'sealed audit records stay'); END;
    CREATE TRIGGER IF NOT EXISTS audit_record_is_new BEFORE INSERT ON audit_record
        WHEN NEW.sequence <= (SELECT sequence FROM audit_head)
            OR EXISTS (SELECT 1 FROM audit_record WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'audit records follow the last'); END;";

/// The triggers that [`SQLITE_GUARD`] creates.
pub const SQLITE_GUARDS: [&str; 4] = [
    "audit_record_stays",
    "audit_record_is_fixed",
    "audit_record_loses_texts",
    "audit_record_is_new",
];

/// The triggers that [`POSTGRES_GUARD`] creates.
pub const POSTGRES_GUARDS: [&str; 5] = [
    "audit_record_kept",
    "audit_record_stays",
    "audit_record_is_fixed",
    "audit_record_loses_texts",
    "audit_record_follows",
];

/// The same for PostgreSQL. A change needs a migration: where nothing is pending, nothing is
/// created.
pub const POSTGRES_GUARD: &str = "
    CREATE OR REPLACE FUNCTION audit_record_stays() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'sealed audit records stay'; END $$;
    CREATE OR REPLACE TRIGGER audit_record_kept
        BEFORE TRUNCATE ON audit_record
        FOR EACH STATEMENT EXECUTE FUNCTION audit_record_stays();
    CREATE OR REPLACE FUNCTION audit_record_goes() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN
            IF OLD.sequence > COALESCE((SELECT pruned_sequence FROM audit_head), 0) THEN
                RAISE EXCEPTION 'sealed audit records stay';
            END IF;
            RETURN OLD;
        END $$;
    CREATE OR REPLACE TRIGGER audit_record_stays
        BEFORE DELETE ON audit_record
        FOR EACH ROW EXECUTE FUNCTION audit_record_goes();
    CREATE OR REPLACE TRIGGER audit_record_is_fixed
        BEFORE UPDATE OF sequence, hash, id, at, action, outcome, actor_kind, actor_id, method,
            user_id, token_id, client_id, organization_id, target, request_id ON audit_record
        FOR EACH ROW EXECUTE FUNCTION audit_record_stays();
    CREATE OR REPLACE TRIGGER audit_record_loses_texts
        BEFORE UPDATE OF address, agent, detail, salt ON audit_record
        FOR EACH ROW WHEN (OLD.salt IS NULL OR NEW.salt IS NOT NULL
            OR (OLD.address IS NULL) <> (NEW.address IS NULL)
            OR (OLD.agent IS NULL) <> (NEW.agent IS NULL)
            OR NEW.address NOT LIKE 'sha256:%' OR NEW.agent NOT LIKE 'sha256:%')
        EXECUTE FUNCTION audit_record_stays();
    CREATE OR REPLACE FUNCTION audit_record_comes_last() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN
            IF NEW.sequence <= (SELECT sequence FROM audit_head) THEN
                RAISE EXCEPTION 'audit records follow the last';
            END IF;
            RETURN NEW;
        END $$;
    CREATE OR REPLACE TRIGGER audit_record_follows
        BEFORE INSERT ON audit_record
        FOR EACH ROW EXECUTE FUNCTION audit_record_comes_last();";
