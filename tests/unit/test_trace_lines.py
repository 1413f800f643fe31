"""Traces in the log of a local run."""

import logging
import re

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from bot_logic.errors import ServiceUnavailable
from bot_logic.storage.memory import Fault
from bot_logic.telemetry.opentelemetry_api import OpenTelemetry
from bot_logic.telemetry.trace_lines import MAX_PARTS, MAX_TRACES, TraceLines
from bot_logic.testing import BotUnderTest


@pytest.fixture
def tracers() -> TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(TraceLines()))
    return provider


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> "Lines":
    caplog.set_level(logging.INFO)
    return Lines(caplog)


class Lines:
    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def __call__(self) -> list[str]:
        """What is logged of traces, each duration as N."""
        found = [each.getMessage() for each in self._caplog.records if "trace_lines" in each.name]
        return [re.sub(r" \d+ ms", " N ms", each) for each in found]


async def test_a_turn_and_a_message_are_a_line_each_with_the_same_trace(
    tracers: TracerProvider, lines: Lines
) -> None:
    async with BotUnderTest(telemetry=OpenTelemetry(tracers, MeterProvider())) as bot:
        await bot.hears("hello")
        await bot.runs_queue()
    turn, message = (each.split(": ") for each in lines())
    assert turn[1] == "turn N ms (send bot-queue N ms)"
    assert message[1] == "process bot-queue N ms (post trigger N ms (deliver message N ms))"
    assert turn[0] == message[0]
    assert re.fullmatch(r"trace [0-9a-f]{32}", turn[0])


async def test_what_failed_says_so(tracers: TracerProvider, lines: Lines) -> None:
    async with BotUnderTest(telemetry=OpenTelemetry(tracers, MeterProvider())) as bot:
        bot.channel.faults.add(Fault("channel.send", error=ServiceUnavailable("down")))
        await bot.enqueue("hello")
        await bot.runs_queue()
    (line,) = lines()
    assert "deliver message N ms ServiceUnavailable" in line


def test_a_page_with_many_calls_is_a_short_line(tracers: TracerProvider, lines: Lines) -> None:
    tracer = tracers.get_tracer("tests")
    with tracer.start_as_current_span("send page"):
        for _ in range(MAX_PARTS + 7):
            tracer.start_span("call channel").end()
    (line,) = lines()
    assert line.count("call channel") == MAX_PARTS
    assert line.endswith(", 7 more)")


def test_spans_that_never_get_a_line_are_forgotten_in_time(
    tracers: TracerProvider, lines: Lines
) -> None:
    tracer = tracers.get_tracer("tests")
    with tracer.start_as_current_span("turn"):
        tracer.start_span("forgotten").end()
        for _ in range(MAX_TRACES):
            tracer.start_span("elsewhere", context=Context()).end()
    (line,) = lines()
    assert line.endswith(": turn N ms")
