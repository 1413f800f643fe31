"""The worker's signed triggers, as Direct Line brings them to the bot."""

import json
import time

from benchmarks.raw_http import head_of
from benchmarks.settings import SIGNING_KEY
from benchmarks.users import reference, text_of
from bot_logic.contract.envelope import TRIGGER_NAME, WORKER_USER_ID, Envelope
from bot_logic.contract.trigger_token import sign
from bot_logic.secret import Secret

DELIVERED = "This is coming back from the trigger! "
LIFETIME = 3600  # seconds
_CONVERSATION = "the-workers-conversation"


def trigger(number: int, service_url: str) -> bytes:
    """Make a request to the bot's endpoint that has it speak in this number's conversation."""
    now, keys = time.time(), [Secret(SIGNING_KEY)]
    envelope = Envelope.new(
        reference(number, service_url),
        text_of(number),
        message_id=f"message-{number}",
        now=now,
        lifetime=LIFETIME,
    )
    activity = {
        "type": "event",
        "name": TRIGGER_NAME,
        "id": f"trigger-{number}",
        "channelId": "directline",
        "serviceUrl": service_url,
        "from": {"id": WORKER_USER_ID},
        "conversation": {"id": _CONVERSATION},
        "recipient": {"id": "bot@benchmarks", "name": "bot"},
        "value": sign(envelope, _CONVERSATION, keys, now),
    }
    body = json.dumps(activity).encode()
    return head_of("/api/messages", len(body)) + body
