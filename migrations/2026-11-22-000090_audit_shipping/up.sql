-- The hash of the last record that was shipped, so that another in its place is noticed.
ALTER TABLE audit_shipping ADD COLUMN hash TEXT;
