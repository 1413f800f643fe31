"""A turn sends what the SDK's own turn context would send."""

from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    ChannelAccount,
    ConversationAccount,
    ResourceResponse,
)

from bot_logic.bot_endpoint.sdk.model_json import write
from bot_logic.bot_endpoint.sdk.turn_context import Turn

Sent = list[dict[str, Any]]

REPLIES = [
    Activity(text="hi"),
    Activity(type=ActivityTypes.typing),
    Activity(type=ActivityTypes.trace, name="t"),
    Activity(text="hi", id="mine", input_hint="ignoringInput", locale="fr", reply_to_id="other"),
    Activity(type=ActivityTypes.invoke_response, value={"status": 200}),
]


class Channel:
    """Stands for the adapter, and keeps what it is given to send."""

    def __init__(self) -> None:
        self.sent: Sent = []

    async def send_activities(
        self, _turn: TurnContext, activities: list[Activity]
    ) -> list[ResourceResponse]:
        self.sent += map(write, activities)
        return [ResourceResponse(id=f"id-{number}") for number, _ in enumerate(activities)]


def incoming(**changes: Any) -> Activity:
    usual = {
        "type": "message",
        "id": "a1",
        "channel_id": "msteams",
        "service_url": "https://smba.trafficmanager.net/emea/",
        "conversation": ConversationAccount(id="c1"),
        "from_property": ChannelAccount(id="u1", name="Ada"),
        "recipient": ChannelAccount(id="bot"),
        "locale": "en-GB",
    }
    return Activity(**usual | changes)


INCOMING = {
    "a message": incoming(),
    "on Direct Line": incoming(channel_id="directline"),
    "on Web Chat": incoming(channel_id="webchat"),
    "an update": incoming(type="conversationUpdate"),
    "from nobody": incoming(from_property=None, locale=None, id=None),
    "for the answer": incoming(delivery_mode="expectReplies"),
}


@pytest.mark.parametrize("activity", INCOMING.values(), ids=INCOMING.keys())
async def test_a_turn_sends_what_the_sdk_sends(activity: Activity) -> None:
    async def all_of(turn_class: type[TurnContext]) -> Any:
        channel = Channel()
        turn = turn_class(channel, activity)
        answers = [answer.id for answer in await turn.send_activities(REPLIES)]
        buffered = [write(each) for each in turn.buffered_reply_activities]
        state = {name: write(value) for name, value in turn.turn_state.items()}
        return channel.sent, buffered, answers, turn.responded, state

    sdk_sent, sdk_buffered, *rest = await all_of(TurnContext)
    without_traces = [each for each in sdk_buffered if each["type"] != "trace"]
    assert await all_of(Turn) == (sdk_sent, without_traces, *rest)


@pytest.mark.parametrize(("channel_id", "traces"), [("emulator", 1), ("msteams", 0)])
async def test_only_the_emulator_is_answered_with_traces(channel_id: str, traces: int) -> None:
    turn = Turn(Channel(), incoming(delivery_mode="expectReplies", channel_id=channel_id))
    await turn.send_activity(Activity(type=ActivityTypes.trace, value="all of the state"))
    assert len(turn.buffered_reply_activities) == traces


async def test_what_the_bot_sends_stays_as_it_was_and_can_be_sent_again() -> None:
    channel, reply = Channel(), Activity(text="hi")
    await Turn(channel, incoming()).send_activity(reply)
    assert write(reply) == {"text": "hi"}
    await Turn(channel, incoming(conversation=ConversationAccount(id="c2"))).send_activity(reply)
    assert [sent["conversation"]["id"] for sent in channel.sent] == ["c1", "c2"]


async def test_those_who_listen_may_change_what_is_sent() -> None:
    async def shout(_turn: TurnContext, activities: list[Activity], send: Any) -> None:
        for activity in activities:
            activity.text = activity.text.upper()
        await send()

    channel = Channel()
    turn = Turn(channel, incoming())
    turn.on_send_activities(shout)
    assert (await turn.send_activity("hi")).id == "id-0"
    assert channel.sent[0]["text"] == "HI"


@pytest.mark.parametrize(("kind", "responded"), [("trace", False), ("message", True)])
async def test_a_trace_is_no_response(kind: str, responded: bool) -> None:  # noqa: FBT001
    turn = Turn(Channel(), incoming())
    await turn.send_activity(Activity(type=kind))
    assert turn.responded is responded
