"""The messaging endpoint's answers, and what it keeps of the conversations it meets."""

import asyncio
import json
import traceback
from dataclasses import replace
from functools import partial
from typing import Any

import azure.functions as func
import pytest
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityTypes

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint.failures import STEPS_SHOWN
from bot_logic.bot_endpoint.sdk.activity_json import MAX_BODY
from bot_logic.clock import SYSTEM_CLOCK
from bot_logic.conversations import build
from bot_logic.errors import ConversationGone, Refused, ServiceUnavailable
from tests.expected import acknowledgement, proactive, welcome
from tests.functional.app_under_test import AppUnderTest, ChatUser
from tests.functional.messages import activity


async def stored(app: AppUnderTest, user: ChatUser) -> Any:
    """The stored reference as another process sees it."""
    conversations = build(app.wiring.storage, SYSTEM_CLOCK)
    found = await conversations.find("directline", user.conversation_id)
    return None if found is None else found.reference


async def test_a_turn_is_answered_200_with_nothing(app: AppUnderTest) -> None:
    answer = await app.post(activity(await app.user()))
    assert (answer.status, answer.body) == (200, "")


@pytest.mark.parametrize(
    ("body", "content_type", "error", "field"),
    [
        (b"{}", "text/plain", (415, "UnsupportedMediaType"), None),
        (b"{", "application/json", (400, "BadRequest"), None),
        (b"{}", "application/json", (400, "BadRequest"), "conversation"),
        (b" " * (MAX_BODY + 1), "application/json", (413, "ActivityTooLarge"), None),
    ],
    ids=["content type", "no json", "no activity", "too large"],
)
async def test_what_is_no_activity_gets_a_clear_error(
    app: AppUnderTest, body: bytes, content_type: str, error: tuple[int, str], field: str | None
) -> None:
    answer = await app.post(body, {"Content-Type": content_type})
    assert answer.error == error
    assert answer.body["error"].get("field") == field
    assert answer.body["error"]["message"]


async def test_expected_replies_come_in_the_answer(app: AppUnderTest) -> None:
    ada = await app.user()
    answer = await app.post(activity(ada, deliveryMode="expectReplies"))
    assert answer.status == 200
    assert [each["type"] for each in answer.body["activities"]] == ["typing", "message"]
    assert answer.body["activities"][1]["text"] == await acknowledgement("hello")
    assert len(await ada.hears(1)) == 1


async def test_an_invoke_that_nobody_handles_is_501(app: AppUnderTest) -> None:
    answer = await app.post(activity(await app.user(), type="invoke", name="nobody/handles"))
    assert answer.status == 501


INVOKES = [
    "signin/verifyState",
    "signin/tokenExchange",
    "signin/failure",
    "task/fetch",
    "task/submit",
    "composeExtension/query",
    "composeExtension/submitAction",
    "fileConsent/invoke",
    "actionableMessage/executeAction",
    "tab/fetch",
    "config/fetch",
    "message/submitAction",
    "application/search",
    "",
    None,
]


@pytest.mark.parametrize("name", INVOKES)
async def test_whatever_an_unhandled_invoke_carries_it_is_501(
    app: AppUnderTest, name: str | None
) -> None:
    ada = await app.user()
    values: list[Any] = [None, "text", 7, [], {}, {"action": None}]
    invokes = [activity(ada, type="invoke", name=name, value=value) for value in values]
    assert [(await app.post(invoke)).status for invoke in invokes] == [501] * len(values)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, "value"),
        ("text", "value"),
        (7, "value"),
        ([], "value"),
        (True, "value"),
        ({}, "value.action"),
        ({"action": None}, "value.action"),
        ({"action": "Action.Execute"}, "value.action"),
        ({"action": []}, "value.action"),
        ({"action": {}}, "value.action.type"),
        ({"action": {"type": None}}, "value.action.type"),
        ({"action": {"type": "Action.Submit"}}, "value.action.type"),
        ({"action": {"type": "Action.Execute", "verb": 7}}, "value.action.verb"),
        ({"action": {"type": "Action.Execute", "verb": None}}, "value.action.verb"),
        ({"action": {"type": "Action.Execute", "verb": "pay", "data": "x"}}, "value.action.data"),
        ({"action": {"type": "Action.Execute", "verb": "pay", "data": [1]}}, "value.action.data"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("mode", ["normal", "expectReplies"])
async def test_a_malformed_action_of_a_card_is_400_and_its_field_is_named(
    app: AppUnderTest, value: Any, field: str, mode: str
) -> None:
    pressed = activity(await app.user(), type="invoke", name="adaptiveCard/action", value=value)
    answer = await app.post(pressed | {"deliveryMode": mode})
    assert answer.error == (400, "BadRequest")
    assert answer.body["error"]["field"] == field


@pytest.mark.parametrize("more", [{}, {"trigger": "manual", "state": "1", "authentication": {}}])
async def test_an_action_without_a_verb_that_no_bot_handles_is_501(
    app: AppUnderTest, more: Any
) -> None:
    action = {"type": "Action.Execute", "data": {"amount": None}}
    value = {"action": action, **more}
    pressed = activity(await app.user(), type="invoke", name="adaptiveCard/action", value=value)
    assert (await app.post(pressed)).status == 501


async def test_an_invokes_answer_among_replies_is_json(app: AppUnderTest) -> None:
    ada = await app.user()
    invoke = activity(ada, type="invoke", name="x", deliveryMode="expectReplies")
    (reply,) = (await app.post(invoke)).body["activities"]
    assert (reply["type"], reply["value"]) == ("invokeResponse", {"status": 501})


async def test_a_bot_may_exchange_tokens_itself(app: AppUnderTest) -> None:
    class Exchanging(ProactiveBot):
        async def on_teams_signin_token_exchange(self, turn_context: TurnContext) -> None:
            pass

    await app.rewire(make_bot=Exchanging)
    invoke = activity(await app.user(), type="invoke", name="signin/tokenExchange")
    assert (await app.post(invoke)).status == 200


async def test_an_invoke_is_answered_with_what_the_bot_returns(app: AppUnderTest) -> None:
    class Accepting(ProactiveBot):
        async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:  # noqa: ARG002
            return InvokeResponse(status=202, body={"accepted": True})

    await app.rewire(make_bot=Accepting)
    ada = await app.user()
    answer = await app.post(activity(ada, type="invoke", name="task/fetch"))
    assert (answer.status, answer.body) == (202, {"accepted": True})


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (RuntimeError("secret detail"), (500, "BotError")),
        (ServiceUnavailable("busy", retry_after=7), (503, "ServiceUnavailable")),
        (ConversationGone("gone"), (502, "Refused")),
        (Refused("never"), (502, "Refused")),
    ],
)
async def test_an_error_in_a_turn_is_an_answer_too(
    app: AppUnderTest, raised: Exception, error: tuple[int, str]
) -> None:
    class Failing(ProactiveBot):
        async def on_message_activity(self, turn: TurnContext) -> None:  # noqa: ARG002
            raise raised

    await app.rewire(make_bot=Failing)
    ada = await app.user()
    answer = await app.post(activity(ada))
    assert answer.error == error
    assert "secret detail" not in json.dumps(answer.body)
    assert answer.headers.get("Retry-After") == ("7" if answer.status == 503 else None)


async def test_a_fault_in_the_bot_is_one_short_traceback_in_the_log(
    app: AppUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(ProactiveBot):
        async def on_message_activity(self, turn: TurnContext) -> None:  # noqa: ARG002
            raise RuntimeError("a fault")

    await app.rewire(make_bot=Failing)
    await app.post(activity(await app.user()))
    (record,) = [each for each in caplog.records if each.exc_info]
    assert record.exc_info is not None
    steps = traceback.extract_tb(record.exc_info[2])
    assert steps[-1].name == "on_message_activity"
    assert len(steps) <= STEPS_SHOWN


async def test_a_bot_can_change_and_withdraw_what_it_said(app: AppUnderTest) -> None:
    class Wavering(ProactiveBot):
        async def on_message_activity(self, turn: TurnContext) -> None:
            kept = await turn.send_activity("first")
            changed = Activity(type=ActivityTypes.message, id=kept.id, text="changed")
            await turn.update_activity(changed)
            withdrawn = await turn.send_activity("oops")
            await turn.delete_activity(withdrawn.id)

    await app.rewire(make_bot=Wavering)
    ada = await app.user()
    await ada.says("hello")
    assert (await ada.hears(2))[1:] == ["changed"]


async def test_a_first_contact_is_remembered(app: AppUnderTest) -> None:
    ada = await app.user()
    reference = await stored(app, ada)
    assert reference["serviceUrl"] == app.direct_line.base_url
    assert reference["user"] == {"id": "dl_ada", "name": "Ada", "role": "user"}
    assert "activityId" not in reference


async def test_a_group_is_remembered_without_one_of_its_members(app: AppUnderTest) -> None:
    ada = await app.user()
    group = {"id": ada.conversation_id, "isGroup": True}
    await app.post(activity(ada, conversation=group))
    assert "user" not in await stored(app, ada)


async def test_the_workers_conversation_is_not_remembered(app: AppUnderTest) -> None:
    assert await stored(app, await app.impostor()) is None


@pytest.mark.parametrize(
    "goodbye",
    [
        {"type": "conversationUpdate", "membersRemoved": [{"id": "bot"}]},
        {"type": "installationUpdate", "action": "remove"},
    ],
    ids=["removed from the conversation", "uninstalled"],
)
async def test_a_bot_that_was_removed_forgets_the_conversation(
    app: AppUnderTest, goodbye: dict[str, Any]
) -> None:
    ada = await app.user()
    await app.post(activity(ada, **goodbye))
    assert await stored(app, ada) is None
    await app.post(activity(ada, type="installationUpdate", action="add"))
    assert await stored(app, ada)


async def test_on_other_channels_too_the_proactive_message_answers_nothing(
    app: AppUnderTest,
) -> None:
    """There the SDK would stamp a made-up replyToId on it, and the Emulator would hold it back."""
    ada = await app.user()
    await app.post(activity(ada, channelId="emulator"))
    await app.run_worker()
    said = await ada.activities()
    assert said[-1]["text"] == await proactive("hello")
    assert "replyToId" not in said[-1]


async def test_nobody_makes_the_bot_call_on_another_host(app: AppUnderTest) -> None:
    ada = await app.user()
    answer = await app.post(activity(ada, serviceUrl="https://evil.example"))
    assert answer.error == (403, "Forbidden")
    assert answer.body["error"]["field"] == "serviceUrl"
    assert await app.queued() == []


async def test_a_turn_that_takes_too_long_is_ended_before_direct_line_gives_up(
    app: AppUnderTest,
) -> None:
    class Hanging(ProactiveBot):
        async def on_message_activity(self, turn: TurnContext) -> None:  # noqa: ARG002
            await asyncio.Event().wait()

    await app.rewire(make_bot=Hanging)
    request = func.HttpRequest(
        method="POST",
        url=app.bot_url,
        headers={"Content-Type": "application/json"},
        body=json.dumps(activity(await app.user())).encode(),
    )
    answer = await replace(app.wiring.endpoint, turn_timeout=0.1).answer(request)
    assert answer.status_code == 503
    assert json.loads(answer.get_body())["error"]["code"] == "ServiceUnavailable"


async def test_a_channel_that_hangs_does_not_make_the_user_say_it_again(app: AppUnderTest) -> None:
    await app.rewire(make_bot=partial(ProactiveBot, typing_timeout=0.1, reply_timeout=0.1))
    ada = await app.user()
    app.fail("bot_send", 0, delay=60.0)
    assert (await app.post(activity(ada))).status == 200
    assert [message["text"] for message in await app.queued()] == ["hello"]


async def test_many_newcomers_get_one_welcome(app: AppUnderTest) -> None:
    ada = await app.user()
    newcomers = [{"id": f"u{n}", "name": name} for n, name in enumerate(["Bob", "Eve", ""])]
    await app.post(activity(ada, type="conversationUpdate", membersAdded=newcomers))
    assert (await ada.hears(2))[1] == await welcome("Bob", "Eve")


async def test_a_request_whose_chunked_body_the_host_has_lost_is_told_so(
    app: AppUnderTest,
) -> None:
    request = func.HttpRequest(
        method="POST",
        url=app.bot_url,
        headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
        body=b"",
    )
    answer = await app.wiring.endpoint.answer(request)
    assert answer.status_code == 400
    assert "Content-Length" in json.loads(answer.get_body())["error"]["message"]
