"""The HTTP API for other programs: JSON in, JSON out, guarded by Azure's function key.

docs/notifications.md describes each call, `openapi.json` is the same for programs, `routes.py` has
the paths. May import: people, notifications, delivery, conversations, contract, errors, clock.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import azure.functions as func

from bot_logic.api.answers import JSON_TYPE
from bot_logic.api.conversations import ConversationsApi
from bot_logic.api.dead_letters import DeadLettersApi
from bot_logic.api.notifications import NotificationsApi, RunLane
from bot_logic.api.people import PeopleApi
from bot_logic.clock import Clock
from bot_logic.conversations import Conversations
from bot_logic.delivery.dead_letter_store import DeadLetterStore
from bot_logic.notifications import Notifications
from bot_logic.people import People

OPENAPI: Final = Path(__file__).with_name("openapi.json")

__all__ = [
    "OPENAPI",
    "Api",
    "ConversationsApi",
    "DeadLettersApi",
    "NotificationsApi",
    "PeopleApi",
    "build",
]


@dataclass(frozen=True, slots=True)
class Api:
    """What answers the calls, by what they are about."""

    notifications: NotificationsApi
    conversations: ConversationsApi
    dead_letters: DeadLettersApi
    people: PeopleApi

    def describe(self) -> func.HttpResponse:
        """Answer with the OpenAPI document of all this: https://spec.openapis.org/oas/v3.1.0."""
        return func.HttpResponse(OPENAPI.read_bytes(), mimetype=JSON_TYPE)


def build(
    conversations: Conversations,
    notifications: Notifications,
    dead_letters: DeadLetterStore,
    people: People,
    *,
    clock: Clock,
    run_lane: RunLane,
) -> Api:
    """Build the API; `run_lane` begins to send what is due in a lane."""
    return Api(
        NotificationsApi(
            notifications.orders,
            notifications.changes,
            notifications.audiences,
            clock,
            run_lane,
        ),
        ConversationsApi(conversations),
        DeadLettersApi(dead_letters),
        PeopleApi(people),
    )
