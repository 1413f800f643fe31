"""Calls about conversations: whom the bot can tell something, and what concerns them."""

from dataclasses import dataclass
from typing import Any, Final

import azure.functions as func

from bot_logic.api.answers import Answer, after_of, answered, check_query, filter_of
from bot_logic.clock import iso
from bot_logic.conversations import Conversation, Conversations
from bot_logic.conversations.audiences import is_group
from bot_logic.conversations.listing import listed
from bot_logic.errors import BadRequest
from bot_logic.notifications.request import check_topic

FILTERS: Final = ("channel", "topic", "user")


@dataclass(frozen=True, slots=True)
class ConversationsApi:
    """Answers calls about conversations."""

    known: Conversations

    async def list_all(self, request: func.HttpRequest) -> func.HttpResponse:
        """Say whom the bot can tell something."""
        return await answered(self._list_all(request))

    async def change_topic(self, request: func.HttpRequest) -> func.HttpResponse:
        """Let a conversation subscribe to a topic (PUT), or unsubscribe (DELETE)."""
        return await answered(self._change_topic(request))

    async def change_opt_out(self, request: func.HttpRequest) -> func.HttpResponse:
        """Leave a conversation's person or group out of broadcasts (PUT), or no longer (DELETE)."""
        return await answered(self._change_opt_out(request))

    async def _change_opt_out(self, request: func.HttpRequest) -> Answer:
        check_query(request)
        reference = await self._reference(request)
        skips = self.known.skips
        await (skips.opt_out if request.method == "PUT" else skips.opt_in)(reference)
        return 204, None

    async def _change_topic(self, request: func.HttpRequest) -> Answer:
        check_query(request)
        name = request.route_params.get("name", "")
        check_topic(name, "name")
        reference = await self._reference(request)
        wanted = request.method == "PUT"
        change = self.known.subscribe if wanted else self.known.unsubscribe
        await change(reference, name)
        return 204, None

    async def _reference(self, request: func.HttpRequest) -> dict[str, Any]:
        found = await self.known.audiences.conversation(request.route_params.get("id", ""))
        if found is None:
            raise BadRequest("there is no such conversation", status=404, code="NotFound")
        return dict(found.reference)

    async def _list_all(self, request: func.HttpRequest) -> Answer:
        check_query(request, "after", *FILTERS)
        asked = {name: filter_of(request, name) for name in FILTERS}
        if asked["topic"]:
            check_topic(asked["topic"], "topic")
        if sum(map(bool, asked.values())) > 1:
            raise BadRequest(
                "goes with neither channel nor topic, nor these together", field="user"
            )
        page = await listed(
            self.known,
            channel=asked["channel"],
            about=asked["topic"],
            user=asked["user"],
            after=after_of(request),
        )
        more = {"after": page.after} if page.after else {}
        return 200, {"conversations": [_document(each) for each in page.conversations], **more}


def _document(known: Conversation) -> dict[str, Any]:
    conversation, user = known.reference["conversation"], known.reference.get("user") or {}
    optional = {"user": user.get("id"), "tenant": conversation.get("tenantId")}
    blocked = known.blocked
    return {
        "channel": known.reference["channelId"],
        "conversation": conversation["id"],
        **{name: value for name, value in optional.items() if value},
        "group": is_group(known.reference),
        "topics": sorted(known.topics),
        **({"optedOut": iso(known.opted_out)} if known.opted_out else {}),
        **({"blocked": {"reason": blocked.reason, "since": iso(blocked.since)}} if blocked else {}),
    }
