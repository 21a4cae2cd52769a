-- One index tells what a token was used for and how often on which day: each row that is put into
-- the middle of an index costs a page.
DROP INDEX token_use_token;
DROP INDEX token_use_day;
CREATE INDEX token_use_token ON token_use (token_id, event_id, day, count);
