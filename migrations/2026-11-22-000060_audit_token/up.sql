-- What a token did is found without looking through all that others did.
CREATE INDEX audit_record_token ON audit_record (token_id, sequence);
