"""What the app calls itself in Application Insights."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOWHERE = (
    "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=https://127.0.0.1:1"
)
QUIET = {
    "APPLICATIONINSIGHTS_CONNECTION_STRING": NOWHERE,
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
}
NAME = """
import os
from bot_logic.telemetry.azure_monitor import set_up
from opentelemetry import trace
set_up()
print(trace.get_tracer_provider().resource.attributes["service.name"], flush=True)
os._exit(0)
"""
SITE = {"WEBSITE_SITE_NAME": "func-bot"}
RUNTIME = {"FUNCTIONS_WORKER_RUNTIME": "python"}
CHOSEN = {"OTEL_SERVICE_NAME": "chosen"}


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "proactive-bot"),
        (SITE | RUNTIME, "func-bot"),
        (SITE, "func-bot"),
        (SITE | RUNTIME | CHOSEN, "chosen"),
    ],
    ids=["locally", "in Azure", "without the runtime's name", "named by a setting"],
)
def test_the_app_has_the_hosts_name_unless_another_is_chosen(
    settings: dict[str, str], name: str
) -> None:
    printed = subprocess.run(
        [sys.executable, "-c", NAME],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **QUIET, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (printed.stdout.strip(), printed.stderr) == (name, "")
