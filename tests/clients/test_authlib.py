"""Authlib against Doorcode: what a Python program would do, by a library written by others."""

import json
import os
import subprocess
import unittest

# Plain http, which the server allows on loopback. Authlib reads this when it is imported.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.base_client.errors import OAuthError  # noqa: E402
from authlib.integrations.requests_client import OAuth2Session  # noqa: E402
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url  # noqa: E402

ISSUER = os.environ["ISSUER"]
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "orgs:read tokens:read"


def approve(user_code):
    subprocess.run(["node", os.environ["APPROVE"], user_code], check=True)


class Authlib(unittest.TestCase):
    def setUp(self):
        self.device = OAuth2Session("doorcode-cli", token_endpoint_auth_method="none")
        self.addCleanup(self.device.close)
        url = get_well_known_url(ISSUER, external=True)
        answer = self.device.get(url, withhold_token=True)
        answer.raise_for_status()
        self.metadata = AuthorizationServerMetadata(answer.json())

    def ask_for_codes(self, **form):
        answer = self.device.post(
            self.metadata["device_authorization_endpoint"],
            data={"client_id": self.device.client_id, **form},
            withhold_token=True,
        )
        return answer.status_code, answer.json()

    def poll(self, codes):
        return self.device.fetch_token(
            self.metadata["token_endpoint"],
            grant_type=GRANT_TYPE,
            device_code=codes["device_code"],
        )

    def poll_in_vain(self, codes):
        with self.assertRaises(OAuthError) as caught:
            self.poll(codes)
        return caught.exception.error

    def new_token(self):
        status, codes = self.ask_for_codes(scope=SCOPE)
        self.assertEqual(status, 200, codes)
        approve(codes["user_code"])
        return self.poll(codes)

    def test_metadata(self):
        # RFC 8414 demands this member also of a server without an authorization endpoint, whose
        # list is empty; Authlib takes an empty list for a missing one.
        self.assertEqual(self.metadata["response_types_supported"], [])
        AuthorizationServerMetadata(
            self.metadata, response_types_supported=["none"]
        ).validate()
        self.assertEqual(self.metadata["issuer"], ISSUER)
        self.assertIn(GRANT_TYPE, self.metadata["grant_types_supported"])

    def test_a_login(self):
        status, codes = self.ask_for_codes(scope=SCOPE)
        self.assertEqual(status, 200, codes)
        self.assertEqual(codes["interval"], 1)
        self.assertEqual(self.poll_in_vain(codes), "authorization_pending")
        self.assertEqual(self.poll_in_vain(codes), "slow_down")
        self.assertEqual(self.poll_in_vain(codes), "slow_down")

        # Too early though the next poll is, a decision is not kept from it.
        approve(codes["user_code"])
        token = self.poll(codes)
        self.assertEqual(token["token_type"], "Bearer")
        self.assertEqual(token["scope"], SCOPE)
        self.assertFalse(token.is_expired())

        me = self.device.get(f"{ISSUER}/v1/me")
        self.assertEqual(me.status_code, 200)
        approver = json.loads(os.environ["APPROVER"])
        self.assertEqual(me.json()["user"]["email"], approver["email"])
        self.assertEqual(self.poll_in_vain(codes), "invalid_grant")

    def test_an_unknown_scope_is_refused(self):
        status, answer = self.ask_for_codes(scope="no:such")
        self.assertEqual((status, answer["error"]), (400, "invalid_scope"))

    def test_introspection_and_revocation(self):
        for method in ("client_secret_basic", "client_secret_post"):
            with self.subTest(method), OAuth2Session(
                os.environ["RESOURCE_SERVER"],
                os.environ["RESOURCE_SERVER_SECRET"],
                token_endpoint_auth_method=method,
            ) as resource_server:
                token = self.new_token()["access_token"]

                def introspect():
                    answer = resource_server.introspect_token(
                        self.metadata["introspection_endpoint"], token=token
                    )
                    self.assertEqual(answer.status_code, 200, answer.text)
                    return answer.json()

                seen = introspect()
                self.assertTrue(seen["active"])
                self.assertEqual(seen["client_id"], "doorcode-cli")
                self.assertEqual(seen["scope"], SCOPE)
                self.assertEqual(seen["iss"], ISSUER)

                for _ in range(2):
                    revoked = self.device.revoke_token(
                        self.metadata["revocation_endpoint"], token=token
                    )
                    self.assertEqual(revoked.status_code, 200, revoked.text)
                self.assertEqual(introspect(), {"active": False})
                self.assertEqual(self.device.get(f"{ISSUER}/v1/me").status_code, 401)


if __name__ == "__main__":
    unittest.main()
