ALTER TABLE policy_grace DROP COLUMN longest_days;
ALTER TABLE policy_grace DROP COLUMN longest;
ALTER TABLE policy_grace DROP COLUMN personal_tokens;
ALTER TABLE policy_grace DROP COLUMN plan;
