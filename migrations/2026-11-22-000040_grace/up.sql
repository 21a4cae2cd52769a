-- A grace lets the plan and the policy go on that there were before a change. What they were
-- was not kept for the graces that run now. To give these the present ones would excuse
-- nothing, and to guess could let in what was never admitted; so they end.
DROP TABLE policy_grace;
CREATE TABLE policy_grace (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    token_id TEXT NOT NULL REFERENCES token (id),
    ends_at TIMESTAMP NOT NULL,
    plan TEXT NOT NULL CHECK (plan IN ('free', 'team')),
    personal_tokens TEXT NOT NULL CHECK (personal_tokens IN ('members', 'admins')),
    longest TEXT NOT NULL CHECK (longest IN ('unlimited', 'ending', 'days')),
    longest_days INTEGER CHECK ((longest_days IS NULL) = (longest <> 'days')),
    PRIMARY KEY (token_id, organization_id)
);
CREATE INDEX policy_grace_end ON policy_grace (ends_at);
