"""What a signed webhook says, for functions of your own: docs/recipes/."""

import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from bot_logic.errors import BadRequest
from bot_logic.telemetry.log_events import Event, EventLog

HEADER: Final = "X-Hub-Signature-256"

log = EventLog(__name__)


def read_signed(
    headers: Mapping[str, str], body: bytes, secret: str, *, setting: str = "the webhook's secret"
) -> Any:
    """Return the JSON of a request that is signed with the secret, as GitHub signs.

    https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries

    Args:
        headers: the request's.
        body: the request's.
        secret: what the sender signs with.
        setting: where the secret comes from, for the log: the caller learns nothing of why.

    Raises:
        BadRequest: 401 if it is not signed so, which with an empty secret none is; 400 if it is no
            JSON, as when the webhook's content type is left at `application/x-www-form-urlencoded`.
    """
    if not _is_signed(headers, body, secret):
        why = "another secret or none was used" if secret else f"{setting} is not set"
        log.warning(Event.WEBHOOK_REFUSED, reason=why)
        raise BadRequest("is not signed with the secret", status=401, code="Unauthorized")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("is not JSON: is the content type application/json?") from None


def _is_signed(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    signature = hmac.new(secret.encode(), body, "sha256").hexdigest()
    given = headers.get(HEADER, "").encode(errors="replace")
    return hmac.compare_digest(f"sha256={signature}".encode(), given) and bool(secret)
