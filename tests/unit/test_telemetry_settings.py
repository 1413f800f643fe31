"""Where telemetry goes, by the settings that OpenTelemetry and Azure Functions have for it."""

import logging
from collections.abc import Callable
from logging.handlers import BufferingHandler

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.util.re import parse_env_headers

from bot_logic.errors import SettingsError
from bot_logic.settings import Settings
from bot_logic.telemetry.destination import Destination

ENOUGH = {
    "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "DirectLineSecret": "a-direct-line-secret-of-the-tests",
    "TriggerSigningKey": "a-trigger-signing-key-of-the-tests",
}
OTLP = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}
INSIGHTS = {"APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=0"}
WORKER = {"PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "true"}
ATTACHED = {"PYTHON_ENABLE_OPENTELEMETRY": "true"}
CONSOLE = {"OTEL_TRACES_EXPORTER": "console"}
OFF = {"OTEL_SDK_DISABLED": "true"}


@pytest.mark.parametrize(
    ("settings", "destination"),
    [
        ({}, Destination.NOWHERE),
        ({"OTEL_TRACES_EXPORTER": "none"}, Destination.NOWHERE),
        ({"PYTHON_ENABLE_OPENTELEMETRY": "false"}, Destination.NOWHERE),
        (CONSOLE, Destination.CONSOLE),
        (OTLP, Destination.OTLP),
        (OTLP | {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, Destination.OTLP),
        (OTLP | CONSOLE | INSIGHTS | ATTACHED, Destination.OTLP),
        (INSIGHTS, Destination.NOWHERE),
        (INSIGHTS | ATTACHED, Destination.AZURE_MONITOR),
        (INSIGHTS | ATTACHED | CONSOLE, Destination.AZURE_MONITOR),
        (INSIGHTS | WORKER | OTLP, Destination.PROVIDERS_AT_HAND),
        (ATTACHED, Destination.PROVIDERS_AT_HAND),
        (OFF | OTLP | INSIGHTS | WORKER | ATTACHED | CONSOLE, Destination.NOWHERE),
    ],
    ids=lambda value: value.name if isinstance(value, Destination) else "+".join(value),
)
def test_the_settings_say_who_is_told(settings: dict[str, str], destination: Destination) -> None:
    assert Settings.from_environment(ENOUGH | settings).telemetry is destination


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        (OTLP | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL"),
        (
            {"APPLICATIONINSIGHTS_CONNECTION_STRING": "@Microsoft.KeyVault(SecretUri=x)"},
            "APPLICATIONINSIGHTS_CONNECTION_STRING",
        ),
    ],
    ids=["no URL", "another protocol", "unresolved reference"],
)
def test_what_would_be_told_to_nobody_is_named(settings: dict[str, str], name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(ENOUGH | settings)
    (problem,) = caught.value.problems
    assert problem.startswith(name)


@pytest.mark.parametrize("of", ["", "TRACES_", "METRICS_", "LOGS_"])
@pytest.mark.parametrize(
    "value", ["hunter2", "=hunter2", 'key="hunter2"', "a=b,hunter2", "ä=hunter2"]
)
def test_headers_that_the_exporter_would_log_are_refused_and_not_shown(of: str, value: str) -> None:
    name = f"OTEL_EXPORTER_OTLP_{of}HEADERS"
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(ENOUGH | OTLP | {name: value})
    (problem,) = caught.value.problems
    assert problem.startswith(f"{name} must be")
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    "value",
    ["", "api-key=hunter2", "Authorization=Bearer%20x==", "a=b, c = Basic x ,", "x-a.b=c:d/e"],
)
def test_headers_that_the_exporter_takes_are_taken(value: str) -> None:
    assert parse_env_headers(value, liberal=True).keys() == {
        each.partition("=")[0].strip().lower() for each in value.split(",") if each
    }
    Settings.from_environment(ENOUGH | OTLP | {"OTEL_EXPORTER_OTLP_HEADERS": value})


@given(value=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_no_header_that_is_taken_is_logged_by_the_exporter(value: str) -> None:
    try:
        Settings.from_environment(ENOUGH | OTLP | {"OTEL_EXPORTER_OTLP_HEADERS": value})
    except SettingsError:
        return
    assert _logged_by(lambda: parse_env_headers(value.strip(), liberal=True)) == []


def _logged_by(call: Callable[[], object]) -> list[logging.LogRecord]:
    kept = BufferingHandler(capacity=1000)
    logger = logging.getLogger("opentelemetry.util.re")
    logger.addHandler(kept)
    try:
        call()
    finally:
        logger.removeHandler(kept)
    return kept.buffer
