"""The channel: takes what bots say over the Bot Connector's wire, and keeps it for the check.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import unquote

from benchmarks.login import Login
from benchmarks.raw_http import json_answer

_TAKEN = json_answer(b'{"id": "said"}')
_NOT_FOUND = json_answer(b'{"error": {"code": "NotFound"}}', "404 Not Found")

Said = tuple[str, str]  # a conversation's id, and a text said in it


@dataclass
class Channel:
    """A channel's server; call it with a request, as `raw_http.serving` does.

    Attributes:
        login: answers what is asked of the login server at the same address, if there is one.
    """

    login: Login | None = None
    _received: list[tuple[bytes, bytes]] = field(default_factory=list)

    def __call__(self, head: bytes, body: bytes) -> bytes:
        """Answer one request."""
        if head.startswith(b"POST /v3/conversations/"):
            self._received.append((head, body))
            return _TAKEN
        answer = self.login.answer(head) if self.login is not None else None
        return answer or _NOT_FOUND

    def __len__(self) -> int:
        """Count the activities that came since `forget`, of any type."""
        return len(self._received)

    def forget(self) -> None:
        """Begin anew."""
        self._received.clear()

    def said(self) -> Counter[Said]:
        """Return the texts that came, by conversation, and how often each did."""
        everything = ((_conversation_in(head), json.loads(body)) for head, body in self._received)
        return Counter(
            (conversation, activity["text"])
            for conversation, activity in everything
            if activity["type"] == "message"
        )

    def without_token(self) -> int:
        """Count the activities that came without the token that the login server gave out."""
        if self.login is None:
            return 0
        proof = self.login.proof_of_the_bot
        return sum(proof not in head for head, _ in self._received)


def _conversation_in(head: bytes) -> str:
    path = head.split(b" ", 2)[1].decode()
    return unquote(path.split("/")[3])
