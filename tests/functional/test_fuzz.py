"""Thousands of things that strangers may send, to every way in. None of them is a 500."""

import base64
import json
import tracemalloc
from collections.abc import Awaitable
from itertools import count
from typing import Any

import azure.functions as func
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot_logic.bot_endpoint.sdk.authentication import MAX_TOKEN_LENGTH
from bot_logic.contract.envelope import decode
from bot_logic.contract.status import Status
from bot_logic.errors import ProactiveBotError
from tests.expected import proactive_pattern
from tests.functional.app_under_test import AppUnderTest, ChatUser, ReceivedMessage
from tests.functional.messages import activity, old_messages, reference_of
from tests.strategies import json_values, mutated

MEGABYTE = 1024 * 1024
MOST_MEMORY = 64 * MEGABYTE  # bytes that one request may take, beyond its own body
URL, CONVERSATION = "http://the-service-url", "the-conversation"

NUMBERS = count()


def fuzz(examples: int) -> settings:
    """So many examples, all on one app."""
    checks = list(HealthCheck)
    return settings(max_examples=examples, deadline=None, suppress_health_check=checks)


class Placeholder:
    """A chat user whose addresses are filled in later, for what is made before there is one."""

    app = type("App", (), {"direct_line": type("DirectLine", (), {"base_url": URL})})
    user_id, name, conversation_id = "dl_ada", "Ada", CONVERSATION


TYPES = st.sampled_from(
    "message event invoke conversationUpdate messageReaction messageUpdate messageDelete typing "  # noqa: SIM905 - reads best
    "installationUpdate endOfConversation handoff contactRelationUpdate trigger command".split()
)
NOBODY: Any = Placeholder()
FULL_ACTIVITY: dict[str, Any] = activity(NOBODY) | {
    "timestamp": "2026-01-02T03:04:05.678Z",
    "localTimestamp": "2026-01-02T03:04:05.678+01:00",
    "locale": "en-US",
    "name": "task/fetch",
    "replyToId": "a0",
    "deliveryMode": "normal",
    "value": {"token": "a.b.c"},
    "channelData": {"clientActivityID": "1"},
    "entities": [{"type": "mention", "mentioned": {"id": "u2"}, "text": "@u2"}],
    "attachments": [{"contentType": "image/png", "contentUrl": "data:,x", "name": "x.png"}],
    "membersAdded": [{"id": "u2", "name": "Bob"}],
    "membersRemoved": [{"id": "u3"}],
    "reactionsAdded": [{"type": "like"}],
    "suggestedActions": {"actions": [{"type": "imBack", "title": "x", "value": "x"}]},
    "relatesTo": reference_of(NOBODY),
}
ACTION = {"type": "Action.Execute", "verb": "pay", "data": {"amount": 7}}
PRESSES: list[dict[str, Any]] = [
    {"type": "invoke", "name": "adaptiveCard/action", "value": {"action": ACTION}},
    {"type": "message", "text": None, "value": {"verb": "pay", "amount": 7}},
]
PLAIN = {
    "version": 1,
    "conversation": reference_of(NOBODY),
    "text": "hello",
    "data": {"order": 7},
    "at": 1_700_000_000,
    "expires": 2_000_000_000,
    "attempt": 1,
    "firstFailure": "busy",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}
CARD: dict[str, Any] = {
    "text": "ready",
    "inputHint": "expectingInput",
    "attachments": [
        {
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {"type": "AdaptiveCard", "body": [{"type": "TextBlock", "text": "Hi"}]},
        }
    ],
    "suggestedActions": {"actions": [{"type": "imBack", "title": "x", "value": "x"}]},
    "entities": [{"type": "mention", "mentioned": {"id": "u2"}, "text": "@u2"}],
    "channelData": {"any": [1, None]},
    "timestamp": "2026-01-02T03:04:05.678Z",
}
QUEUE_MESSAGES = st.sampled_from([PLAIN, *old_messages(NOBODY).values()]).flatmap(mutated)

CHANNEL_TALK = st.builds(
    lambda document, kind: document | ({} if kind is None else {"type": kind}),
    mutated(FULL_ACTIVITY),
    TYPES | st.none(),
) | st.sampled_from([FULL_ACTIVITY | press for press in PRESSES]).flatmap(mutated)


def unsigned_token(header: Any, claims: Any) -> str:
    parts = (json.dumps(each).encode() for each in (header, claims))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


TOKENS = (
    st.lists(st.text("abcdefABCDEF0123456789-_=", max_size=60), max_size=5).map(".".join)
    | st.builds(unsigned_token, json_values, json_values)
    | st.just("x" * (MAX_TOKEN_LENGTH + 1))
)


@pytest.fixture
async def ada(app: AppUnderTest) -> ChatUser:
    await app.poison_queue.create_queue()
    await app.queue.create_queue()
    return await app.user()


def addressed(document: Any, user: ChatUser) -> bytes:
    """The document as bytes, with the addresses of somebody who exists."""
    text = json.dumps(document).replace(CONVERSATION, user.conversation_id)
    return text.replace(URL, user.app.direct_line.base_url).encode()


async def status_of(app: AppUnderTest, body: bytes, headers: dict[str, str] | None = None) -> int:
    """What the endpoint answers; an error is one in words."""
    answer = await app.wiring.endpoint.answer(
        func.HttpRequest(
            method="POST",
            url="http://localhost/api/messages",
            headers={"Content-Type": "application/json"} | (headers or {}),
            body=body,
        )
    )
    if answer.status_code >= 400 and answer.status_code != 501:
        assert set(json.loads(answer.get_body())["error"]) >= {"code", "message"}
    return int(answer.status_code)


async def buried(app: AppUnderTest) -> int:
    """How many messages are on the poison queue."""
    return (await app.poison_queue.get_queue_properties()).approximate_message_count or 0


async def ends(app: AppUnderTest) -> int:
    """How many messages were delivered, to whomever, or buried."""
    proactive = await proactive_pattern()
    said = [each for talk in app.direct_line.conversations for each in talk.after(0)[0]]
    return await buried(app) + sum(
        bool(proactive.fullmatch(str(each.get("text")))) for each in said
    )


async def with_memory(work: Awaitable[int]) -> tuple[int, int]:
    """Its result, and how many bytes it took at its peak."""
    tracemalloc.start()
    try:
        return await work, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@fuzz(1000)
@given(document=CHANNEL_TALK)
async def test_no_activity_makes_the_endpoint_fail(ada: ChatUser, document: Any) -> None:
    status = await status_of(ada.app, addressed(document, ada))
    # 501: an invoke that nobody handles. 502: the channel refuses, of an id that it never gave.
    assert status in (200, 501, 502) or 400 <= status < 500


@fuzz(1000)
@given(
    body=st.binary(max_size=300) | json_values.map(lambda value: json.dumps(value).encode()),
    content_type=st.text(max_size=30) | st.just("application/json"),
    authorization=st.text(max_size=60),
)
async def test_no_bytes_and_no_headers_make_the_endpoint_fail(
    app: AppUnderTest, body: bytes, content_type: str, authorization: str
) -> None:
    headers = {"Content-Type": content_type, "Authorization": authorization}
    assert 400 <= await status_of(app, body, headers) < 500


@fuzz(1500)
@given(token=TOKENS, scheme=st.sampled_from(["Bearer ", "bearer ", "Basic ", ""]))
async def test_no_made_up_token_gets_in(
    registered_app: AppUnderTest, token: str, scheme: str
) -> None:
    body = json.dumps(FULL_ACTIVITY | {"serviceUrl": registered_app.direct_line.base_url}).encode()
    headers = {"Authorization": scheme + token}
    assert await status_of(registered_app, body, headers) in (401, 403)


@fuzz(500)
@given(
    body=st.binary(max_size=200)
    | st.text(max_size=200).map(str.encode)
    | json_values.map(lambda value: json.dumps(value).encode())
)
async def test_what_is_no_message_is_buried(ada: ChatUser, body: bytes) -> None:
    before = await ends(ada.app)
    await ada.app.wiring.worker.handle(ReceivedMessage("queue-id", body))
    assert await ends(ada.app) == before + 1


@fuzz(500)
@given(document=QUEUE_MESSAGES)
async def test_every_queue_message_is_delivered_buried_or_kept(
    ada: ChatUser, document: Any
) -> None:
    before = await ends(ada.app) + await ada.app.waiting()
    message = ReceivedMessage(f"queue-id-{next(NUMBERS)}", addressed(document, ada))
    await ada.app.wiring.worker.handle(message)
    assert await ends(ada.app) + await ada.app.waiting() == before + 1


@fuzz(500)
@given(document=mutated({"conversation": reference_of(NOBODY), "activity": CARD}))
async def test_every_activity_from_the_queue_is_sent_buried_or_kept(
    ada: ChatUser, document: Any
) -> None:
    app, message_id = ada.app, f"activity-{next(NUMBERS)}"
    before = await buried(app) + await app.waiting()
    body = addressed(document, ada)
    await app.wiring.worker.handle(ReceivedMessage(message_id, body))
    is_sent = await app.wiring.delivery.records.status(key_of(body, message_id)) == Status.DELIVERED
    assert await buried(app) + await app.waiting() + is_sent == before + 1


def key_of(body: bytes, message_id: str) -> str:
    try:
        return decode(body, default_id=message_id, now=0).key
    except ProactiveBotError:
        return message_id


MONSTERS = {
    "deep lists": b"[" * MEGABYTE,
    "deep objects": b'{"value":' * 100_000 + b"1" + b"}" * 100_000,
    "a deep value": b'{"value": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a huge number": b'{"value": ' + b"9" * 500_000 + b"}",
    "an infinite number": b'{"value": 1e99999}',
    "no number": b'{"value": NaN}',
    "a lone surrogate": rb'{"text": "\ud800", "id": "\udfff"}',
    "ten megabytes": b'{"text": "' + b"x" * (10 * MEGABYTE) + b'"}',
    "10,000 attachments": b'{"attachments": [' + b"{}," * 9_999 + b"{}]}",
    "70,000 keys": b"{" + b",".join(b'"k%d":1' % n for n in range(70_000)) + b"}",
    "not UTF-8": b'{"text": "\xff\xfe"}',
}


@pytest.mark.parametrize("monster", MONSTERS.values(), ids=MONSTERS.keys())
async def test_no_monster_takes_the_memory(ada: ChatUser, monster: bytes) -> None:
    sound = json.dumps(activity(ada)).encode()
    in_an_activity = sound[:-1] + b"," + monster[1:] if monster[:1] == b"{" else monster
    for body in (monster, in_an_activity):
        status, memory = await with_memory(status_of(ada.app, body))
        assert status < 500
        assert memory < MOST_MEMORY
