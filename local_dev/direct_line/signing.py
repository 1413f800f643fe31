"""The key this service signs its requests to the bot with, and how the bot finds it.

The real service's counterpart: https://login.botframework.com/v1/.well-known/openidconfiguration
https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
"""

import secrets
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from local_dev.direct_line.wire import JsonObject

ISSUER = "https://api.botframework.com"
LIFETIME = 600  # seconds, of the token on one request


class SigningKey:
    """An RSA key with an id of its own, made anew by each process."""

    def __init__(self) -> None:
        self._key_id = secrets.token_hex(8)
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def bearer(self, app_id: str, service_url: str) -> str:
        """Return the token of a request to the bot `app_id`."""
        issued = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": app_id,
            "serviceurl": service_url,
            "nbf": issued,
            "exp": issued + LIFETIME,
        }
        return self.sign(claims)

    def sign(self, claims: JsonObject, headers: JsonObject | None = None) -> str:
        """Return a token with these claims, and with these headers besides the usual ones."""
        return jwt.encode(claims, self._private, "RS256", {"kid": self._key_id} | (headers or {}))

    def public(self) -> JsonObject:
        """Return the public half as a JWK, endorsed for the channels it speaks for."""
        jwk = RSAAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        endorsements = ["directline", "webchat"]
        return {**jwk, "use": "sig", "kid": self._key_id, "endorsements": endorsements}


def openid_metadata(base_url: str) -> JsonObject:
    """Return where the keys are, in the form of OpenID Connect discovery."""
    return {
        "issuer": ISSUER,
        "jwks_uri": f"{base_url}/v1/.well-known/keys",
        "id_token_signing_alg_values_supported": ["RS256"],
    }
