"""Schemathesis against the management API: calls made from its description, by whoever may make
them. No answer may be a server's fault, be missing from the description, or break its schema.

One server is worn out by one test, so `tests/run` starts another for each.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.request

ISSUER = os.environ["ISSUER"]
OPERATOR_TOKEN = os.environ["OPERATOR_TOKEN"]
SCOPES = [
    f"{noun}:{verb}" for noun in ("orgs", "projects", "tokens") for verb in ("read", "write")
]

# A body can fit its schema and still be refused: a name is taken, and which scopes, roles and
# plans there are is not in the schema.
EXCLUDED_CHECKS = "positive_data_acceptance"

# What would end the caller or what everything else is about. The suite of the server tries it.
ENDING = ["DELETE /v1/orgs/{org}", "POST /v1/users/{user}/deactivate"]
ENDING_ITSELF = ["POST /v1/tokens/revoke-all", "POST /v1/orgs/{org}/tokens/revoke-all"]


def call(method, path, body=None, actor=None):
    """A call of the operator that must succeed."""
    headers = {
        "Authorization": f"Bearer {OPERATOR_TOKEN}",
        "Content-Type": "application/json",
        "Idempotency-Key": os.urandom(16).hex(),
    }
    if actor:
        headers["X-Actor-User-Id"] = actor
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(ISSUER + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


class Schemathesis(unittest.TestCase):
    def setUp(self):
        self.owner = call("GET", "/v1/users")["items"][0]["id"]
        person = {
            "name": "Bob",
            "email": "bob@example.com",
            "password": "copper lantern sandwich",
            "organization": "Acme",
        }
        self.ids = {
            "org": "acme",
            "user": call("POST", "/v1/users", person)["id"],
            "project": call("POST", "/v1/orgs/acme/projects", {"name": "Web"})["id"],
            "client": "doorcode-cli",
        }

    def run_with(self, token, token_id, excluded):
        with tempfile.TemporaryDirectory() as directory:
            config = os.path.join(directory, "schemathesis.toml")
            with open(config, "w") as file:
                print("[parameters]", file=file)
                for name, value in {**self.ids, "id": token_id}.items():
                    print(f'"path.{name}" = "{value}"', file=file)
            command = [os.path.join(os.path.dirname(sys.executable), "st")]
            command += ["--config-file", config, "run", f"{ISSUER}/openapi.json"]
            command += ["--header", f"Authorization: Bearer {token}"]
            command += ["--include-path-regex", "^/v1/"]
            for route in excluded:
                command += ["--exclude-name", route]
            command += ["--exclude-checks", EXCLUDED_CHECKS]
            command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "15"]
            command += ["--seed", "1", "--generation-deterministic", "--workers", "1"]
            command += ["--continue-on-failure", "--no-color"]
            ran = subprocess.run(command, cwd=directory, capture_output=True, text=True)
            self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
            made = re.search(r"(\d+) generated", ran.stdout)
            self.assertGreater(int(made[1]), 500, ran.stdout)

    def test_owner(self):
        wish = {"name": "caller", "scopes": SCOPES}
        token = call("POST", "/v1/tokens", wish, self.owner)["token"]
        other = call("POST", "/v1/tokens", {"name": "other"}, self.owner)["id"]
        self.run_with(token, other, ENDING + ENDING_ITSELF)

    def test_organization(self):
        wish = {"name": "caller", "scopes": SCOPES}
        token = call("POST", "/v1/orgs/acme/tokens", wish)["token"]
        other = call("POST", "/v1/orgs/acme/tokens", {"name": "other"})["id"]
        self.run_with(token, other, ENDING + ENDING_ITSELF)

    def test_operator(self):
        other = call("POST", "/v1/orgs/acme/tokens", {"name": "other"})["id"]
        self.run_with(OPERATOR_TOKEN, other, ENDING)


if __name__ == "__main__":
    unittest.main()
