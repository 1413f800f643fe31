"""The login server: publishes signing keys, signs the channel's requests, gives the bot its token.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
"""

import json
import time
from functools import cached_property

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from benchmarks.raw_http import json_answer

APP_ID = "00000000-0000-0000-0000-0000000be4c4"
APP_PASSWORD = "an-app-password-of-the-benchmarks"  # noqa: S105 - made up, good for nothing
ISSUER = "https://api.botframework.com"
KEY_ID = "key-of-the-benchmarks"
METADATA_PATH = "/v1/.well-known/openidconfiguration"
TOKEN_PATH = "/botframework.com/oauth2/v2.0/token"  # noqa: S105 - a path
LIFETIME = 3600  # seconds, as the real tokens

_ACCESS_TOKEN = "access-token-of-the-benchmarks-" + "x" * 1200  # as long as real ones


class Login:
    """Both login servers of the Bot Framework in one: the channels' and the bot's."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.base_url = ""  # known once it is served

    @property
    def proof_of_the_bot(self) -> bytes:
        """What each request of the bot has to carry, in its head."""
        return f"Bearer {_ACCESS_TOKEN}".encode()

    def channel_token(self, service_url: str) -> str:
        """Sign what a request from the channel at this address proves itself with."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": APP_ID, "nbf": now, "exp": now + LIFETIME}
        return jwt.encode(
            claims | {"serviceurl": service_url}, self._key, "RS256", headers={"kid": KEY_ID}
        )

    def answer(self, head: bytes) -> bytes | None:
        """Answer a request; return None for one that is not for a login server."""
        path = head.split(b" ", 2)[1].decode()
        if path == METADATA_PATH:
            return json_answer(json.dumps({"jwks_uri": f"{self.base_url}/keys"}).encode())
        if path == "/keys":
            return self._published_keys
        if path == TOKEN_PATH:
            token = {"access_token": _ACCESS_TOKEN, "token_type": "Bearer", "expires_in": LIFETIME}
            return json_answer(json.dumps(token).encode())
        return None

    @cached_property
    def _published_keys(self) -> bytes:
        key = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        key |= {"kid": KEY_ID, "use": "sig", "endorsements": ["directline"]}
        return json_answer(json.dumps({"keys": [key]}).encode())
