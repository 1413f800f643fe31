"""Whether a webhook comes from whom it says, for functions of your own: docs/recipes/."""

import hmac
from collections.abc import Mapping
from typing import Final

HEADER: Final = "X-Hub-Signature-256"


def is_signed(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Tell whether a request is signed with the secret, as GitHub signs; with an empty one none is.

    https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
    """
    signature = hmac.new(secret.encode(), body, "sha256").hexdigest()
    given = headers.get(HEADER, "").encode(errors="replace")
    return hmac.compare_digest(f"sha256={signature}".encode(), given) and bool(secret)
