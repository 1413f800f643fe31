"""What is told of a message's way, of turns and of what goes wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from botbuilder.core import TurnContext
from opentelemetry.trace import StatusCode

from bot_logic.bot import ProactiveBot
from bot_logic.contract.envelope import POISON_QUEUE_NAME, QUEUE_NAME
from bot_logic.errors import AskedToWait, ConversationBlocked, ServiceUnavailable
from bot_logic.storage.memory import Fault
from bot_logic.telemetry.names import (
    CHANNEL,
    DEAD_LETTERED,
    DELIVERED,
    DURATION,
    ENQUEUED,
    ERROR_TYPE,
    LAG,
    METRICS,
    OTHER,
    OUTCOME,
    PAGES,
    PAUSES,
    QUEUE,
    QUEUE_AGE,
    RECIPIENTS,
    RETRIED,
    SPANS,
    TAKEN,
    THROTTLED,
    TURNS,
)
from bot_logic.testing import BotUnderTest
from tests.unit.telemetry_in_memory import Told, parent_id, span_id, trace_id

ROOT = Path(__file__).parents[2]
HERE = {CHANNEL: "test"}
SETTINGS = {
    "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "DirectLineSecret": "a-direct-line-secret-of-the-tests",
    "TriggerSigningKey": "a-trigger-signing-key-of-the-tests",
}
INSIGHTS = (
    f"InstrumentationKey={'0' * 8}-0000-0000-0000-{'0' * 12};IngestionEndpoint=https://127.0.0.1:1/"
)
SEND, PROCESS = "send bot-queue", "process bot-queue"


@pytest.fixture
def told() -> Told:
    return Told()


class Crashing(ProactiveBot):
    async def on_message_activity(self, turn: TurnContext) -> None:
        raise ValueError(f"cannot read {turn.activity.text}")


async def test_a_message_is_one_trace_from_the_turn_to_the_delivery(told: Told) -> None:
    async with BotUnderTest(telemetry=told.telemetry) as bot:
        await bot.hears("hello")
        await bot.runs_queue()
    way = [told.span(n) for n in ("turn", SEND, PROCESS, "post trigger", "deliver message")]
    assert [parent_id(span) for span in way] == [None, *(span_id(span) for span in way[:-1])]
    assert len({trace_id(span) for span in way}) == 1


async def test_what_comes_off_the_queue_is_linked_to_what_went_on_it_and_to_the_host(
    told: Told,
) -> None:
    async with BotUnderTest(telemetry=told.telemetry) as bot:
        await bot.hears("hello")
        with told.tracers.get_tracer("host").start_as_current_span("invoke"):
            await bot.runs_queue()
    links = [link.context.span_id for link in told.span(PROCESS).links]
    assert links == [span_id(told.span(SEND)), span_id(told.span("invoke"))]
    assert parent_id(told.span(PROCESS)) == span_id(told.span(SEND))


async def test_each_attempt_is_a_child_of_what_put_the_message_on_the_queue(told: Told) -> None:
    async with BotUnderTest(telemetry=told.telemetry) as bot:
        bot.channel.faults.add(Fault("channel.send", error=ServiceUnavailable("down")))
        await bot.enqueue("hello", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
        await bot.runs_queue()
        bot.channel.faults.clear()
        bot.clock.advance(60)
        await bot.runs_queue()
    attempts = told.spans(PROCESS)
    assert [f"{parent_id(span):x}" for span in attempts] == ["b" * 16] * 2
    assert [(span.attributes or {})["proactive_bot.attempt"] for span in attempts] == [1, 2]
    failed, delivered = told.spans("deliver message")
    assert (failed.status.status_code, (failed.attributes or {})[ERROR_TYPE]) == (
        StatusCode.ERROR,
        "ServiceUnavailable",
    )
    assert delivered.status.status_code == StatusCode.UNSET


async def test_a_message_of_a_program_without_telemetry_begins_a_trace(told: Told) -> None:
    async with BotUnderTest(telemetry=told.telemetry) as bot:
        await bot.enqueue("hello")
        await bot.runs_queue()
    assert parent_id(told.span(PROCESS)) is None
    assert trace_id(told.span("deliver message")) == trace_id(told.span(PROCESS))


async def test_a_notification_is_one_trace_from_its_asking_to_its_page(told: Told) -> None:
    async with BotUnderTest(telemetry=told.telemetry) as bot:
        await bot.meets("ada")
        with told.tracers.get_tracer("host").start_as_current_span("invoke"):
            await bot.notify({"user": "ada"}, "News", at=3600)
        bot.clock.advance(3601)
        await bot.runs_queue()
        await bot.runs_queue()
    names = ("invoke", "take notification", "plan notification", "post trigger", "send page")
    asked, taken, planned, posted, sent = map(told.span, names)
    assert [parent_id(each) for each in (taken, planned, posted, sent)] == [
        *(span_id(asked), span_id(taken), span_id(taken), span_id(posted))
    ]
    assert len({trace_id(each) for each in (asked, taken, planned, posted, sent)}) == 1
    assert [link.context.span_id for link in planned.links] == [span_id(taken)]


async def test_recipients_are_counted_by_outcome_with_how_late_they_were_told(told: Told) -> None:
    async with BotUnderTest(telemetry=told.telemetry) as bot:
        await bot.meets("ada")
        await bot.meets("bob")
        await bot.meets("cyd")
        cyd = await bot.wiring.conversations.audiences.conversation("conversation-of-cyd")
        assert cyd is not None
        await bot.wiring.conversations.skips.opt_out(dict(cyd.reference))
        await bot.notify({"channel": "test"}, "News")
        bot.channel.faults.add(Fault("channel.send", error=ConversationBlocked("blocked"), times=1))
        bot.clock.advance(7)
        await bot.runs_queue()
    assert told.points(TAKEN) == [({}, 1)]
    assert told.points(PAGES) == [(HERE, 1)]
    assert told.points(LAG) == [(HERE, 7)]
    counted = {str(attributes[OUTCOME]): n for attributes, n in told.points(RECIPIENTS)}
    assert counted == {"blocked": 1, "optedOut": 1, "sent": 1}
    assert told.points(PAUSES) == []


async def test_a_channel_that_asks_to_wait_is_one_pause_a_page(told: Told) -> None:
    async with BotUnderTest(telemetry=told.telemetry) as bot:
        for name in ("ada", "bob"):
            await bot.meets(name)
        await bot.notify({"channel": "test"}, "News")
        bot.channel.faults.add(Fault("channel.send", error=AskedToWait("busy", retry_after=300)))
        await bot.runs_queue()
    assert told.points(PAUSES) == [(HERE, 1)]
    assert told.points(RECIPIENTS) == []


async def test_a_crash_is_told_by_its_type_and_not_by_its_words(told: Told) -> None:
    async with BotUnderTest(Crashing, telemetry=told.telemetry) as bot:
        with pytest.raises(ValueError, match="a secret"):
            await bot.hears("a secret")
    turn = told.span("turn")
    assert (turn.attributes or {})[ERROR_TYPE] == "ValueError"
    assert "secret" not in turn.to_json()
    assert told.points(TURNS) == [({**HERE, ERROR_TYPE: "ValueError"}, 1)]


async def test_messages_are_counted_from_the_queue_to_the_channel(told: Told) -> None:
    async with BotUnderTest(telemetry=told.telemetry) as bot:
        await bot.hears("hello")
        bot.clock.advance(7)
        await bot.runs_queue()
        await bot.runs_queue()
    for counted in (TURNS, ENQUEUED, DELIVERED):
        assert told.points(counted) == [(HERE, 1)]
    for measured in (QUEUE_AGE, DURATION):
        assert told.points(measured) == [(HERE, 7)]


async def test_a_message_for_later_is_no_older_than_its_time(told: Told) -> None:
    async with BotUnderTest(telemetry=told.telemetry) as bot:
        await bot.enqueue("hello", at=int(bot.clock.now()) + 3600)
        await bot.runs_queue()
        assert told.points(QUEUE_AGE) == []
        bot.clock.advance(3605)
        await bot.runs_queue()
    assert told.points(QUEUE_AGE) == [(HERE, 5)]


@pytest.mark.parametrize(
    ("error", "metric"),
    [(ServiceUnavailable("down"), RETRIED), (AskedToWait("busy", retry_after=3), THROTTLED)],
    ids=["down", "asked to wait"],
)
async def test_what_is_put_back_is_counted_by_its_cause(
    told: Told, error: Exception, metric: object
) -> None:
    async with BotUnderTest(telemetry=told.telemetry) as bot:
        bot.channel.faults.add(Fault("channel.send", error=error))
        await bot.enqueue("hello")
        await bot.runs_queue()
    found = {each: told.points(each) for each in (RETRIED, THROTTLED) if told.points(each)}
    assert found == {metric: [({**HERE, ERROR_TYPE: type(error).__name__}, 1)]}
    assert told.points(DELIVERED) == []


async def test_dead_letters_are_counted_by_their_error(told: Told) -> None:
    foreign = {"error": "whatever a stranger wrote", "reason": "r", "message": {}}
    async with BotUnderTest(telemetry=told.telemetry) as bot:
        bot.channel.faults.add(Fault("channel.send", error=ConversationBlocked("blocked")))
        await bot.enqueue("hello")
        await bot.storage.queue(POISON_QUEUE_NAME).put(json.dumps(foreign))
        await bot.runs_queue()
    counted = {str(attributes[ERROR_TYPE]): n for attributes, n in told.points(DEAD_LETTERED)}
    assert counted == {"ConversationBlocked": 1, OTHER: 1}


async def test_nobody_who_asked_for_nothing_finds_a_traceparent_in_a_message() -> None:
    async with BotUnderTest() as bot:
        await bot.hears("hello")
        (text,) = bot.storage.queue(QUEUE_NAME).texts
    assert "traceparent" not in json.loads(text)


@pytest.mark.parametrize(
    ("settings", "imported"),
    [
        ({}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, "opentelemetry"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "opentelemetry"),
        ({"PYTHON_ENABLE_OPENTELEMETRY": "true"}, "opentelemetry"),
        ({"APPLICATIONINSIGHTS_CONNECTION_STRING": INSIGHTS}, ""),
        (
            {
                "APPLICATIONINSIGHTS_CONNECTION_STRING": INSIGHTS,
                "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
                "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
                "PYTHON_ENABLE_OPENTELEMETRY": "true",
            },
            "opentelemetry azure.monitor",
        ),
    ],
    ids=["nobody", "OTLP", "console", "the bot's own code", "the host alone", "Azure Monitor"],
)
def test_the_app_imports_for_telemetry_what_somebody_asks_for_and_nothing_else(
    settings: dict[str, str], imported: str
) -> None:
    program = (
        "import sys, os, function_app;"
        "print(*(n for n in ('opentelemetry', 'azure.monitor') if n in sys.modules), flush=True);"
    )
    command = [sys.executable, "-c", program + "os._exit(0)"]  # there is no receiver to wait for
    environment = SETTINGS | settings
    printed = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert (printed.stdout.strip(), printed.stderr) == (imported, "")


@pytest.mark.parametrize(
    "refused",
    [
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_BSP_MAX_QUEUE_SIZE": "-1"},
        {"APPLICATIONINSIGHTS_CONNECTION_STRING": "x", "PYTHON_ENABLE_OPENTELEMETRY": "true"},
    ],
    ids=["OTLP", "Azure Monitor"],
)
def test_a_setting_that_opentelemetry_refuses_is_no_riddle(refused: dict[str, str]) -> None:
    program = "import function_app as f; print(len(f.app.get_functions()), flush=True)"
    printed = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=SETTINGS | refused,
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == "1\n"  # health
    assert "only health is served: OpenTelemetry cannot be set up (ValueError)" in printed.stderr


def test_the_queue_is_told_of_by_its_name() -> None:
    assert QUEUE == QUEUE_NAME


def test_every_span_and_metric_is_documented() -> None:
    page = (ROOT / "docs" / "telemetry.md").read_text()
    names = [each.name for each in (*SPANS, *METRICS)]
    assert [name for name in names if f"| `{name}` |" not in page] == []
