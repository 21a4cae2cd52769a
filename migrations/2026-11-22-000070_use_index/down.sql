DROP INDEX token_use_token;
CREATE INDEX token_use_token ON token_use (token_id, event_id);
CREATE INDEX token_use_day ON token_use (token_id, day, count);
