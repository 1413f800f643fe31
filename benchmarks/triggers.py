"""The worker's signed triggers, as Direct Line brings them to the bot."""

import json

from benchmarks.raw_http import head_of
from benchmarks.settings import SIGNING_KEY
from benchmarks.users import reference, text_of
from bot_logic.envelope import TRIGGER_NAME, WORKER_USER_ID, Envelope
from bot_logic.settings import Secret
from bot_logic.signature import sign

DELIVERED = "This is coming back from the trigger! "
LIFETIME = 3600  # seconds
_CONVERSATION = "the-workers-conversation"


class Triggers:
    """Makes triggers for conversations on the channel at this address."""

    def __init__(self, service_url: str) -> None:
        self._service_url = service_url

    def envelope(self, number: int) -> Envelope:
        """A message of its own, for this number's conversation."""
        return Envelope.new(
            reference(number, self._service_url), text_of(number), lifetime=LIFETIME
        )

    def request(self, number: int) -> bytes:
        """A request to the bot's endpoint that has it deliver this message."""
        activity = {
            "type": "event",
            "name": TRIGGER_NAME,
            "id": f"trigger-{number}",
            "channelId": "directline",
            "serviceUrl": self._service_url,
            "from": {"id": WORKER_USER_ID},
            "conversation": {"id": _CONVERSATION},
            "recipient": {"id": "bot@benchmarks", "name": "bot"},
            "value": sign(self.envelope(number), _CONVERSATION, [Secret(SIGNING_KEY)]),
        }
        body = json.dumps(activity).encode()
        return head_of("/api/messages", len(body)) + body
