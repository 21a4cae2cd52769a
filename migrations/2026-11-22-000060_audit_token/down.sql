DROP INDEX audit_record_token;
