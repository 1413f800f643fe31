"""The channel: takes what bots say over the Bot Connector's wire, and keeps it for the check.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

from benchmarks.goals import WrongWork
from benchmarks.wire import answer
from local_dev.direct_line.signing import SigningKey, openid_metadata

APP_ID: Final = "00000000-0000-0000-0000-0000000be4c4"
ACCESS_TOKEN: Final = "access-token-of-the-benchmarks-" + "x" * 1200  # as long as real ones
MAX_SHOWN: Final = 3  # wrong texts in an error message
_TAKEN: Final = answer({"id": "said"})

Said = tuple[str, str]  # a conversation's id, and a text said in it


class Channel:
    """A channel's server; call it with a request, as `wire.serving` does.

    Attributes:
        url: where it is served, with both login servers of the Bot Framework.
        token: proves its requests to the bot, once it was asked to `authenticate`.
    """

    def __init__(self) -> None:
        self.url = self.token = ""
        self._key: SigningKey | None = None
        self._received: list[tuple[bytes, bytes]] = []

    def authenticate(self) -> dict[str, str]:
        """From now on both sides prove who they are; return the bot's settings for that."""
        self._key = SigningKey()
        self.token = self._key.bearer(APP_ID, self.url)
        return {
            "MicrosoftAppType": "MultiTenant",
            "MicrosoftAppId": APP_ID,
            "MicrosoftAppPassword": "an-app-password-of-the-benchmarks",
            "ToChannelFromBotLoginUrl": f"{self.url}/botframework.com",
            "ToBotFromChannelOpenIdMetadataUrl": f"{self.url}/v1/.well-known/openidconfiguration",
        }

    def __call__(self, head: bytes, body: bytes) -> bytes:
        """Answer one request."""
        if head.startswith(b"POST /v3/conversations/"):
            self._received.append((head, body))
            return _TAKEN
        content = self._login_page(head.split(b" ", 2)[1].decode())
        return answer({}, "404 Not Found") if content is None else answer(content)

    def __len__(self) -> int:
        """Count the activities that came since `forget`, of any type."""
        return len(self._received)

    def forget(self) -> None:
        """Begin anew."""
        self._received.clear()

    def check(
        self,
        expected: Counter[Said],
        who: str,
        read: Callable[[Counter[Said]], Counter[Said]] = Counter,
    ) -> None:
        """Raise WrongWork unless exactly this was said, and by nobody but the bot.

        Args:
            expected: what should have been said.
            who: should have said it.
            read: what matters of it.
        """
        said, expected = read(self._said()), read(expected)
        if said != expected:
            missing, surplus = expected - said, said - expected
            raise WrongWork(
                f"{who}: {missing.total()} texts are missing, {surplus.total()} too many: "
                f"{list(missing)[:MAX_SHOWN]}, {list(surplus)[:MAX_SHOWN]}"
            )
        proof = f"Bearer {ACCESS_TOKEN}".encode()
        if self._key and any(proof not in head for head, _ in self._received):
            raise WrongWork(f"{who}: activities came without the bot's access token")

    def _said(self) -> Counter[Said]:
        everything = ((_conversation_in(head), json.loads(body)) for head, body in self._received)
        return Counter(
            (conversation, activity["text"])
            for conversation, activity in everything
            if activity["type"] == "message"
        )

    def _login_page(self, path: str) -> Any:
        match path.rpartition("/")[2]:
            case "openidconfiguration":
                return openid_metadata(self.url)
            case "keys" if self._key:
                return {"keys": [self._key.public()]}
            case "token":
                token = {"token_type": "Bearer", "access_token": ACCESS_TOKEN}
                return token | {"expires_in": 3600}
        return None


def _conversation_in(head: bytes) -> str:
    path = head.split(b" ", 2)[1].decode()
    return unquote(path.split("/")[3])
