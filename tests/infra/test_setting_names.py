"""One list of setting names: what Azure is given, what the app reads, what the docs say."""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping

import pytest

from bot_logic.access_token import ManagedIdentity
from bot_logic.bot_identity import AppType
from bot_logic.errors import SettingsError
from bot_logic.settings import Settings
from bot_logic.storage.location import Login
from tests.infra.tools import ROOT, app_settings

# The Functions host's own, which the app does not read.
# https://learn.microsoft.com/azure/azure-functions/functions-app-settings
HOSTS = {
    "FUNCTIONS_WORKER_RUNTIME",
    "AzureWebJobsStorage__blobServiceUri",
}
# The package azure-monitor-opentelemetry's own.
EXPORTERS = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
}
# What the platform sets, and nobody else.
PLATFORMS = re.compile(r"IDENTITY_|AZURE_FUNCTIONS_ENVIRONMENT|WEBSITE_|CONTAINER_APP_NAME")
SWITCHES = re.compile(r"AzureWebJobs\.\w+\.Disabled")
LOCAL_SERVERS = {"AllowedLocalHosts"}  # read by local_dev/, which is not deployed
PLATFORM = {"IDENTITY_ENDPOINT": "http://169.254.0.1/token", "IDENTITY_HEADER": "header"}


class Recorded(Mapping[str, str]):
    """An environment that notes what it is asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def asked(environ: Mapping[str, str]) -> set[str]:
    recorded = Recorded(environ)
    with contextlib.suppress(SettingsError):
        Settings.from_environment(recorded)
    return {name for name in recorded.asked if not PLATFORMS.match(name)}


READ = asked({}) | asked({"AzureWebJobsStorage__accountName": "acc"})


def as_azure_resolves(name: str, value: str) -> str:
    """Stand in for what is known only when Azure has made it."""
    if "@Microsoft.KeyVault(" in value:
        return "k" * 64
    if not value.startswith("["):
        return value
    service = re.search(r"__(blob|queue|table)ServiceUri", name)
    return f"https://st.{service[1]}.core.windows.net/" if service else "an-id"


@pytest.mark.parametrize(
    ("combination", "app_type", "app_id", "endpoint"),
    [
        ("default", "UserAssignedMSI", "an-id", "https://directline.botframework.com"),
        (
            "registered",
            "SingleTenant",
            "00000000-0000-0000-0000-00000000b071",
            "https://directline.botframework.com",
        ),
        ("european", "UserAssignedMSI", "an-id", "https://europe.directline.botframework.com"),
    ],
)
def test_the_app_takes_what_azure_is_given(
    combination: str, app_type: AppType, app_id: str, endpoint: str
) -> None:
    resolved = {
        name: as_azure_resolves(name, value) for name, value in app_settings(combination).items()
    }
    settings = Settings.from_environment(resolved | PLATFORM)
    login: Login = settings.storage.login
    assert isinstance(login, ManagedIdentity)
    assert login.client_id == "an-id"
    assert settings.storage.queue_url == "https://st.queue.core.windows.net"
    assert settings.identity.app_type == app_type
    assert settings.identity.app_id == app_id
    assert settings.direct_line_endpoint == endpoint


@pytest.mark.parametrize("combination", ["default", "registered", "european"])
def test_azure_is_given_no_setting_that_nobody_reads(combination: str) -> None:
    assert app_settings(combination).keys() - HOSTS - EXPORTERS <= READ


@pytest.mark.parametrize("combination", ["default", "registered", "european"])
def test_no_secret_is_a_setting_itself(combination: str) -> None:
    secrets = {"DirectLineSecret", "TriggerSigningKey", "MicrosoftAppPassword"}
    for name in app_settings(combination).keys() & secrets:
        assert "@Microsoft.KeyVault(SecretUri=" in app_settings(combination)[name]
        assert app_settings(combination)[name].partition("secrets/")[2].startswith(f"{name})")


def test_the_example_has_no_setting_that_nobody_reads() -> None:
    example = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    assert example.keys() - HOSTS <= READ


def test_the_readmes_table_has_each_setting_that_is_read_and_no_other() -> None:
    _, _, section = (ROOT / "README.md").read_text().partition("\n## Settings\n")
    rows = re.findall(r"^\| (`[^|]*`) \|", section.partition("\n## ")[0], re.MULTILINE)
    documented = set(re.findall(r"`([^`]+)`", " ".join(rows)))
    assert {name for name in documented if not SWITCHES.fullmatch(name)} - LOCAL_SERVERS == READ


def test_the_deployment_page_names_no_setting_that_nobody_reads() -> None:
    page = (ROOT / "docs/deploy.md").read_text()
    families = r"\b(?:MicrosoftApp|AzureWebJobsStorage|DirectLine[ES]|TriggerS|APPLICATION)\w*"
    assert set(re.findall(families, page)) <= READ | HOSTS | EXPORTERS
