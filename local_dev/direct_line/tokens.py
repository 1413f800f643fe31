"""Direct Line tokens: bound to one conversation, and to one user if known. No I/O.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-direct-line-3-0-authentication
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass

import jwt

from local_dev.direct_line.wire import ApiError

TOKEN_LIFETIME = 1800.0  # seconds, as the real service has it
AUDIENCE = "direct-line"


@dataclass(frozen=True)
class Grant:
    """What a token allows: one conversation, under one user id if `user_id` is not empty."""

    conversation_id: str
    user_id: str


class Tokens:
    """Issues and reads tokens, and knows the secret.

    The signing key is derived from the secret. So a token outlives a restart, and its bearer is
    told 404 for a conversation that is gone, upon which clients start anew at once.

    Args:
        secret: The Direct Line secret.
        lifetime: Of a token, in seconds.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        secret: str,
        lifetime: float = TOKEN_LIFETIME,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lifetime = lifetime
        self._secret = secret.encode()
        self._key = hashlib.sha256(b"token signing key:" + self._secret).digest()
        self._clock = clock
        self._generation = 0

    def is_secret(self, credential: str) -> bool:
        """Tell whether a credential is the secret itself."""
        return hmac.compare_digest(credential.encode(errors="replace"), self._secret)

    def issue(self, grant: Grant) -> str:
        """Return a new token. Web Chat reads its user id from the claim `user`."""
        claims = {
            "aud": AUDIENCE,
            "exp": self._clock() + self.lifetime,
            "generation": self._generation,
            "conv": grant.conversation_id,
        }
        bound = {"user": grant.user_id} if grant.user_id else {}
        return jwt.encode(claims | bound, self._key)

    def read(self, token: str) -> Grant:
        """Return what a token allows.

        Raises:
            ApiError: 401 if it was not issued here, 403 ``TokenExpired``.
        """
        try:
            claims = jwt.decode(
                token, self._key, ["HS256"], {"verify_exp": False}, audience=AUDIENCE
            )
        except (jwt.InvalidTokenError, ValueError):
            raise ApiError(401, "Unauthorized", "The token or secret is not valid.") from None
        if claims["exp"] <= self._clock() or claims["generation"] < self._generation:
            raise ApiError(403, "TokenExpired", "The token has expired.")
        return Grant(claims["conv"], claims.get("user", ""))

    def expire_all(self) -> None:
        """Make every token issued so far an expired one."""
        self._generation += 1
