"""What becomes of messages that nobody took: filed with the reason, replayed, purged."""

import asyncio
import json
import logging
import time
import uuid
from typing import Any

import pytest

from bot_logic.admin.dead_letters import main
from bot_logic.errors import MessageNotInserted, UndecodableMessage
from tests.expected import proactive, proactive_pattern
from tests.functional.app_under_test import NOWHERE, AppUnderTest, ChatUser, ReceivedMessage
from tests.functional.azurite_process import Azurite
from tests.functional.messages import plain_message, reference_of


async def a_dead_letter(app: AppUnderTest, status: int = 400) -> ChatUser:
    """Ada's "hello", which Direct Line did not take."""
    ada = await app.user()
    await ada.says("hello")
    refusal = app.fail("post_activity", status)
    assert await app.run_worker() == 1
    app.direct_line.faults.rules.remove(refusal)
    return ada


async def proactive_messages(user: ChatUser) -> list[str]:
    said = await proactive_pattern()
    return [text for text in await user.hears(1) if said.fullmatch(text)]


async def test_a_dead_letter_is_filed_with_its_reason_and_logged_without_its_text(
    app: AppUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    await a_dead_letter(app)
    caplog.clear()
    assert await app.file_dead_letters() == 1
    (letter,) = [each.dead_letter for each in await app.filed()]
    assert (letter.error, letter.reason) == ("Refused", "Direct Line answered 400 ServiceError")
    assert letter.attempts == 1
    assert letter.age_seconds in (0, 1)
    assert letter.message["text"] == "hello"
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert letter.id in record.getMessage()
    assert 'error=Refused reason="Direct Line answered 400 ' in record.getMessage()
    assert "hello" not in caplog.text


async def test_a_message_that_the_host_gave_up_is_filed_as_that(app: AppUnderTest) -> None:
    ada = await app.user()
    await app.put_on_poison_queue(plain_message(ada).decode())
    assert await app.file_dead_letters() == 1
    (filed,) = await app.filed()
    assert filed.dead_letter.error == "HostGaveUp"
    assert await app.dead_letter_store.replay(filed)
    await app.run_worker()
    assert await proactive_messages(ada) == [await proactive("hello")]


@pytest.mark.parametrize("body", ["no json", "[]", '{"error": 5, "reason": "a\\nb", "message": 1}'])
async def test_anything_on_the_poison_queue_can_be_filed_and_purged_but_not_replayed(
    app: AppUnderTest, body: str
) -> None:
    await app.put_on_poison_queue(body)
    assert await app.file_dead_letters() == 1
    (filed,) = await app.filed()
    assert filed.dead_letter.error == "UndecodableMessage"
    with pytest.raises(UndecodableMessage):  # it would only come back
        await app.dead_letter_store.replay(filed)
    assert await app.waiting() == 0
    await app.dead_letter_store.purge(filed)
    assert await app.filed() == []


@pytest.mark.parametrize("text", ["x!" * 32_768, '{"text": "' + "x" * 60_000 + '"}', "ä" * 32_000])
async def test_what_leaves_no_room_for_its_reason_is_filed_with_it_at_once(
    app: AppUnderTest, text: str
) -> None:
    await app.put_raw(app.queue, [text])
    assert await app.run_worker() == 1
    assert await app.file_dead_letters() == 1
    (letter,) = [each.dead_letter for each in await app.filed()]
    assert letter.error == "UndecodableMessage"
    assert letter.reason in (
        "the message is not JSON, nor base64 of it",
        "conversation: must be a JSON object",
    )
    assert text in (letter.message, json.dumps(letter.message))


@pytest.mark.parametrize("message", ["m" * 70_000, {"text": "🍕" * 25_000}], ids=["text", "JSON"])
async def test_a_dead_letter_that_the_table_refuses_is_filed_with_its_beginning(
    app: AppUnderTest, message: Any, caplog: pytest.LogCaptureFixture
) -> None:
    message_id = uuid.uuid4().hex
    body = json.dumps({"error": "Foreign", "reason": "too large", "message": message})
    await app.dead_letter_store.file(ReceivedMessage(message_id, body.encode()))
    (filed,) = await app.filed()
    assert (filed.dead_letter.id, filed.dead_letter.error) == (message_id, "Foreign")
    assert f'dead_letter.cut_short message={message_id} reason="table deadletters: ' in caplog.text
    await app.dead_letter_store.purge(filed)
    assert await app.filed() == []


async def test_a_replayed_message_keeps_its_id_and_is_delivered_once(app: AppUnderTest) -> None:
    ada = await a_dead_letter(app)
    await app.file_dead_letters()
    (filed,) = await app.filed()
    assert await app.dead_letter_store.replay(filed)
    (queued,) = await app.queued()
    assert queued["id"] == filed.dead_letter.id
    await app.run_worker()
    assert await proactive_messages(ada) == [await proactive("hello")]
    assert await app.filed() == []
    assert not await app.dead_letter_store.replay(filed)  # by an operator who has an old list
    assert await app.waiting() == 0


async def test_an_expired_message_lives_as_long_again_when_it_is_replayed(
    app: AppUnderTest,
) -> None:
    ada, now = await app.user(), int(time.time())
    old = {"created": now - 100, "expires": now - 10, "id": "order-1"}
    await app.enqueue({"conversation": reference_of(ada), "text": "hello"} | old)
    await app.run_worker()
    await app.file_dead_letters()
    (filed,) = await app.filed()
    assert filed.dead_letter.error == "ExpiredMessage"
    await app.dead_letter_store.replay(filed)
    (queued,) = await app.queued()
    assert 88 <= queued["expires"] - time.time() <= 90
    await app.run_worker()
    assert await proactive_messages(ada) == [await proactive("hello")]


async def test_a_dead_letter_of_a_message_that_was_delivered_after_all_is_dropped(
    app: AppUnderTest,
) -> None:
    ada = await app.user()
    await ada.says("hello")
    await app.rewire({"MaxDeliveryAttempts": "1"})
    app.fail("post_activity", 502, after=True, times=1)
    (message,) = await app.queued()
    assert await app.run_worker() == 1
    assert await app.dead_letters() == []  # the worker has looked before it gave up
    letter = {"error": "HostGaveUp", "reason": "it could not look", "message": message}
    await app.put_on_poison_queue(json.dumps(letter))
    assert await app.file_dead_letters() == 1
    assert await app.filed() == []
    assert await proactive_messages(ada) == [await proactive("hello")]


async def test_a_trigger_that_comes_after_its_message_was_dead_lettered_sends_nothing(
    app: AppUnderTest,
) -> None:
    ada = await a_dead_letter(app)
    await app.file_dead_letters()
    (filed,) = await app.filed()
    await app.enqueue(filed.dead_letter.message)
    assert await app.run_worker() == 1
    assert await proactive_messages(ada) == []


async def test_a_dead_letter_that_cannot_be_filed_stays_on_the_poison_queue(
    app: AppUnderTest,
) -> None:
    await a_dead_letter(app)
    await app.rewire({"AzureWebJobsStorage": NOWHERE})
    with pytest.raises(MessageNotInserted, match="bot-queue-poison: "):
        await app.file_dead_letters()
    assert (await app.poison_queue.get_queue_properties()).approximate_message_count == 1


class Operator:
    """Somebody at a command line."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    async def types(self, line: str, *, code: int = 0) -> str:
        """What the command prints, standard error included."""
        assert await asyncio.to_thread(_exit_code_of, line.split()) == code
        return "".join(self._capsys.readouterr())


def _exit_code_of(arguments: list[str]) -> int | str | None:
    try:
        return main(arguments)
    except SystemExit as end:  # argparse's way out
        return end.code


@pytest.fixture
def operator(
    azurite: Azurite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    monkeypatch.setenv("AzureWebJobsStorage", azurite.connection_string)
    return Operator(capsys)


async def test_an_operator_lists_shows_and_purges(app: AppUnderTest, operator: Operator) -> None:
    assert await operator.types("") == "dead letters: 0\n"
    ada = await a_dead_letter(app)
    await app.file_dead_letters()
    (filed,) = await app.filed()
    listed = await operator.types("list")
    letter = filed.dead_letter
    who = f"directline {ada.conversation_id} {ada.user_id}"
    assert f"{letter.id}  {letter.dead_lettered_at}  {who}  Refused: Direct Line" in listed
    assert "hello" not in listed
    shown: dict[str, Any] = json.loads(await operator.types(f"show {filed.dead_letter.id}"))
    assert shown["message"]["text"] == "hello"
    assert await operator.types("purge --all --error ConversationGone") == ""
    assert "purged" in await operator.types(f"purge {filed.dead_letter.id}")
    assert await operator.types("list") == "dead letters: 0\n"


async def test_an_operator_sees_the_newest_first(app: AppUnderTest, operator: Operator) -> None:
    for second in (3, 1, 2):
        letter = {"error": "Refused", "reason": "no", "message": {"id": f"m{second}"}}
        letter["deadLetteredAt"] = f"2026-01-01T00:00:0{second}+00:00"
        await app.put_on_poison_queue(json.dumps(letter))
    await app.file_dead_letters()
    listed = await operator.types("list")
    assert [line[:2] for line in listed.splitlines()[:3]] == ["m3", "m2", "m1"]


async def test_an_operator_replays_all_of_a_kind(app: AppUnderTest, operator: Operator) -> None:
    ada = await a_dead_letter(app)
    await app.put_on_poison_queue("no json")
    await app.file_dead_letters()
    assert "on the queue again" in await operator.types("replay --all --error Refused")
    await app.run_worker()
    assert await proactive_messages(ada) == [await proactive("hello")]
    assert "dead letters: 1" in await operator.types("list")


async def test_an_operator_is_told_what_cannot_be_replayed_and_what_to_do(
    app: AppUnderTest, operator: Operator
) -> None:
    ada = await a_dead_letter(app)
    await app.put_raw(app.poison_queue, ["no json", '{"text": "\x9b31m\u202e"}'])
    await app.file_dead_letters()
    said = await operator.types("replay --all", code=1)
    assert said.count("the message is not JSON, nor base64 of it; put a right message") == 1
    assert said.count("conversation: must be a JSON object; put a right message") == 1
    assert "on the queue again" in said
    assert said.endswith("2 dead letter(s) cannot be replayed\n")
    await app.run_worker()
    assert await proactive_messages(ada) == [await proactive("hello")]
    for line in ("list", "show --all"):
        assert (await operator.types(line)).replace("\n", "").isprintable()
    assert (await operator.types("purge --all")).count("purged") == 2


async def test_a_replay_of_all_goes_on_past_a_message_that_is_under_way(
    app: AppUnderTest, operator: Operator
) -> None:
    ada = await a_dead_letter(app)
    await app.put_on_poison_queue(plain_message(ada).decode())
    await app.file_dead_letters()
    (key,) = [f.dead_letter.key for f in await app.filed() if f.dead_letter.error == "Refused"]
    records, started, may_end = app.wiring.delivery.records, asyncio.Event(), asyncio.Event()

    async def deliver(_done: list[str]) -> None:
        started.set()
        await may_end.wait()

    await records.reopen(key)
    attempt = asyncio.create_task(records.once(key, deliver))
    await started.wait()
    said = await operator.types("replay --all")
    assert "is being delivered just now" in said
    assert "on the queue again" in said
    may_end.set()
    await attempt


async def test_an_operator_is_told_what_is_wrong(
    app: AppUnderTest, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no dead letter nobody" in await operator.types("show nobody", code=1)
    assert "name either ids or --all" in await operator.types("replay", code=2)
    monkeypatch.setenv("AzureWebJobsStorage", "x")
    assert "AzureWebJobsStorage must be" in await operator.types("list", code=1)
    monkeypatch.setenv("AzureWebJobsStorage", NOWHERE)
    assert "table deadletters: " in await operator.types("list", code=1)
    assert await app.filed() == []
