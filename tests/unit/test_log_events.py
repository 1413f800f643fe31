"""What is logged: one line an event, which nobody outside can forge, and nobody's name."""

import json
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

from bot_logic.errors import ConversationGone
from bot_logic.storage.memory import Fault
from bot_logic.telemetry.log_events import Event, EventLog, fingerprint
from bot_logic.telemetry.log_records import LogRecords
from bot_logic.testing import BotUnderTest

ROOT = Path(__file__).parents[2]
# The bot is the user's own; the others write the events, and traces.
OTHERS = {"bot.py", "log_events.py", "trace_lines.py"}

LOGGER = "tests.log_events"
log = EventLog(LOGGER)


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def logged(**fields: str | float | None) -> logging.LogRecord:
    kept = Kept()
    logger = logging.getLogger(LOGGER)
    logger.setLevel(logging.INFO)
    logger.addHandler(kept)
    try:
        log.info(Event.MESSAGE_QUEUED, **fields)
    finally:
        logger.removeHandler(kept)
    (record,) = kept.records
    return record


def test_an_event_is_a_line_with_its_fields_and_a_record_with_the_same() -> None:
    record = logged(message="m1", attempt=2, reason="it is down", field=None)
    assert record.getMessage() == 'message.queued message=m1 attempt=2 reason="it is down"'
    assert {name: value for name, value in vars(record).items() if "." in name} == {
        "event.name": "message.queued",
        "proactive_bot.message": "m1",
        "proactive_bot.attempt": 2,
        "proactive_bot.reason": "it is down",
    }


@given(st.text(min_size=1))
def test_no_text_begins_another_line_or_another_field(text: str) -> None:
    line = logged(reason=text, delay=1).getMessage()
    assert line.isprintable()
    before, after = "message.queued reason=", " delay=1"
    value = line.removeprefix(before).removesuffix(after)
    assert json.loads(value) == text if value.startswith('"') else value == text
    assert value.startswith('"') or not {" ", "=", '"'} & set(value)


def test_every_event_is_documented() -> None:
    page = (ROOT / "docs" / "telemetry.md").read_text()
    assert [event for event in Event if f"| `{event}` |" not in page] == []


def test_all_that_is_logged_is_an_event() -> None:
    modules = [each for each in (ROOT / "bot_logic").rglob("*.py") if each.name not in OTHERS]
    others = {each.name for each in modules if "logging.getLogger(__name__)" in each.read_text()}
    assert others == set()


async def test_neither_what_was_said_nor_who_said_it_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with BotUnderTest() as bot:
        await bot.meets("grace")
        await bot.hears("my secret", user="grace")
        await bot.runs_queue()
        bot.channel.faults.add(Fault("channel.send", error=ConversationGone("it is gone")))
        bot.storage.faults.add(Fault("table.delete", times=1))
        await bot.enqueue("my secret", user="grace")
        await bot.runs_queue()
    assert "dead_letter.filed" in caplog.text
    assert [each for each in ("secret", "grace") if each in caplog.text] == []


def test_identifiers_are_told_apart_without_being_named() -> None:
    prints = {fingerprint(each) for each in ("19:a@thread.tacv2", "19:b@thread.tacv2", "\ud800")}
    assert len(prints) == 3
    assert all(len(each) == 12 and "a@thread" not in each for each in prints)


def test_a_crash_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    def fault() -> None:
        raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault") as caught:
        fault()
    log.crash(Event.TURN_CRASHED, caught.value)
    assert "turn.crashed\n" in caplog.text
    assert "in fault\n" in caplog.text
    assert "ValueError: a fault" in caplog.text


def test_log_records_reach_opentelemetry_with_level_event_and_fields() -> None:
    exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    handler = LogRecords(provider)
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL, 5):
        record = logged(message="m1")
        record.levelno = level
        handler.handle(record)
    told = [each.log_record for each in exporter.get_finished_logs()]
    assert {each.event_name for each in told} == {"message.queued"}
    assert {each.body for each in told} == {"message.queued message=m1"}
    assert all(each.attributes == {"proactive_bot.message": "m1"} for each in told)
    numbers = [each.severity_number.value for each in told if each.severity_number]
    assert numbers == [5, 9, 13, 17, 21, 5]
