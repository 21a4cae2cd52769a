-- There is no way down: the triggers that the server adds name these columns.

-- What hides from the hash of a record what tells of a person, until that is erased.
ALTER TABLE audit_event ADD COLUMN salt TEXT;
ALTER TABLE audit_record ADD COLUMN salt TEXT;

-- Behind which head the chain begins, once its first records were taken out, and the signed note
-- that says so.
ALTER TABLE audit_head ADD COLUMN pruned_sequence BIGINT;
ALTER TABLE audit_head ADD COLUMN pruned_hash TEXT;
ALTER TABLE audit_head ADD COLUMN pruned_note TEXT;
