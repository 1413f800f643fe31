"""A setting whose name is nearly right is named, and somebody's own is left alone."""

import os
import subprocess
import sys

import pytest

from bot_logic.settings import misspelt
from local_dev.doctor import configured
from local_dev.doctor.findings import State
from local_dev.programs import ROOT

LOCAL_SETTINGS = {
    "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "DirectLineEndpoint": "http://localhost:3000",
    "DirectLineSecret": "a-secret-of-these-tests",
    "TriggerSigningKey": "kq7-a-key-of-these-tests-of-32-characters",
}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ChanelRates", "ChannelRates"),
        ("channelrates", "ChannelRates"),
        ("CHANNEL_RATES", "ChannelRates"),
        ("MicrosoftAppTenant", "MicrosoftAppTenantId"),
        ("MirosoftAppI", "MicrosoftAppId"),
        ("TriggerSigningKeys", "TriggerSigningKey"),
        ("AllowedLocalHost", "AllowedLocalHosts"),
        ("AzureWebJobsStorage__acountName", "AzureWebJobsStorage__accountName"),
    ],
)
def test_what_is_nearly_a_setting_is_named_with_it(name: str, meant: str) -> None:
    assert misspelt({name: "a", meant: "b"}) == {name: meant}


@pytest.mark.parametrize(
    "name",
    [
        "WEBHOOK_SECRET",
        "PizzaOvens",
        "PATH",
        "FUNCTIONS_WORKER_RUNTIME",
        "AzureWebJobs.messages.Disabled",
        "AzureWebJobsFeatureFlags",
        "AzureWebJobsSecretStorageType",
        "AzureWebJobsStorage__blobServiceUri",
        "AzureWebJobsStorage__clientSecret",
        "AzureWebJobsStorage__tenantId",
        "MyStorage__accountName",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    ],
)
def test_what_is_somebody_elses_is_left_alone(name: str) -> None:
    assert misspelt({name: "a"}) == {}


@pytest.mark.parametrize(("marks", "warned"), [({}, True), ({"WEBSITE_SITE_NAME": "app"}, False)])
def test_a_local_run_is_warned_when_it_starts(marks: dict[str, str], *, warned: bool) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "import function_app"],
        cwd=ROOT,
        env={**os.environ, **LOCAL_SETTINGS, **marks, "ChanelRates": "msteams=1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    warning = "ChanelRates is no setting of this app: is ChannelRates meant?\n"
    assert (warning in ran.stderr) is warned


def test_the_doctor_names_it_and_sees_no_problem_in_it() -> None:
    values = {**LOCAL_SETTINGS, "ChanelRates": "msteams=1", "PizzaOvens": "3"}
    found = configured.read(configured.Source(values, "mend it", deployed=False)).findings
    (noted,) = (each for each in found if each.state is not State.OK)
    assert (noted.state, noted.subject) == (State.NOTE, "ChanelRates")
    assert noted.remedy == "is ChannelRates meant?"
