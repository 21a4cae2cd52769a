ALTER TABLE audit_shipping DROP COLUMN hash;
