"""Settings are checked all at once, by name, and never shown."""

import dataclasses
import json
from pathlib import Path
from typing import Any
from unittest.mock import ANY
from urllib.parse import urlsplit

import pytest

from bot_logic.bot_identity import GOVERNMENT_CLOUD
from bot_logic.errors import SettingsError
from bot_logic.secret import Secret
from bot_logic.settings import Settings
from bot_logic.storage.location import SharedKey

ROOT = Path(__file__).parents[2]
LOCALLY = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}  # as Core Tools sets it
PUBLISHED: dict[str, str] = (
    json.loads((ROOT / "local.settings.json.example").read_text())["Values"] | LOCALLY
)
OWN_SECRETS = {"DirectLineSecret": "secret", "TriggerSigningKey": "k" * 32}
EXAMPLE = PUBLISHED | OWN_SECRETS
ANYWHERE = {"DirectLineEndpoint": "", "AzureWebJobsStorage": "AccountName=acc;AccountKey=c2VjcmV0"}
REGISTERED = EXAMPLE | {
    "MicrosoftAppType": "MultiTenant",
    "MicrosoftAppId": "app-id",
    "MicrosoftAppPassword": "app-password",
}
IN_AZURE = {"MicrosoftAppType", "MicrosoftAppId"}


def problems_of(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as error:
        Settings.from_environment(environ)
    return error.value.problems


def test_the_example_files_secrets_do_not_work_and_are_named() -> None:
    assert {problem.split()[0] for problem in problems_of(PUBLISHED)} == set(OWN_SECRETS)


def test_the_example_file_works_with_secrets_of_ones_own() -> None:
    settings = Settings.from_environment(EXAMPLE)
    assert settings.identity.is_anonymous
    assert settings.direct_line_endpoint == "http://localhost:3000"
    assert settings.storage.queue_url == "http://127.0.0.1:10001/devstoreaccount1"
    assert settings.storage.table_url == "http://127.0.0.1:10002/devstoreaccount1"
    assert settings.storage.login == SharedKey("devstoreaccount1", ANY)


def test_every_missing_setting_is_named_at_once() -> None:
    assert problems_of(LOCALLY) == (
        "AzureWebJobsStorage is missing",
        "DirectLineSecret is missing",
        "TriggerSigningKey is missing",
    )


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("AzureWebJobsStorage", "hunter2", "AzureWebJobsStorage must be"),
        ("DirectLineEndpoint", "hunter2", "DirectLineEndpoint must be"),
        ("AzureWebJobsStorage", "AccountName=hunter2", "AzureWebJobsStorage must be"),
        ("AzureWebJobsStorage", "AccountName=a;AccountKey=hunter2!", "AzureWebJobsStorage must be"),
        ("AzureWebJobsStorage", "AccountKey=hunter2w==", "AzureWebJobsStorage must be"),
        ("DirectLineEndpoint", "http://[hunter2", "DirectLineEndpoint must be"),
        ("DirectLineEndpoint", "http://hunter2:99999", "DirectLineEndpoint must be"),
        ("DirectLineEndpoint", "http://user:hunter2@localhost", "DirectLineEndpoint must be"),
        ("DirectLineEndpoint", "http://localhost?hunter2", "DirectLineEndpoint must be"),
        ("TriggerSigningKey", "hunter2", "TriggerSigningKey needs at least 32 characters"),
        ("TriggerSigningKey", "k" * 32 + ",hunter2", "TriggerSigningKey needs at least 32"),
        ("TriggerSigningKey", ",", "TriggerSigningKey needs at least 32"),
        ("TriggerSigningKey", "k" * 32 + ",", "TriggerSigningKey needs at least 32"),
        ("KeepRecordsDays", "8", "KeepRecordsDays must be 9 or more"),
        ("KeepRecordsDays", "0", "KeepRecordsDays must be"),
        ("KeepStateDays", "never", "KeepStateDays must be"),
        ("MessageLifetimeSeconds", "hunter2", "MessageLifetimeSeconds must be"),
        ("MessageLifetimeSeconds", "0", "MessageLifetimeSeconds must be"),
        ("MessageLifetimeSeconds", "²", "MessageLifetimeSeconds must be"),
        ("MaxConnectionsPerHost", "hunter2", "MaxConnectionsPerHost must be"),
        ("MicrosoftAppType", "hunter2", "MicrosoftAppType must be one of MultiTenant"),
        ("AllowedServiceUrlHosts", "https://hunter2/", "AllowedServiceUrlHosts must be"),
        ("AllowedServiceUrlHosts", "*.hunter2", "AllowedServiceUrlHosts must be"),
        ("ChannelService", "hunter2", "ChannelService must be"),
        ("ToChannelFromBotLoginUrl", "hunter2", "ToChannelFromBotLoginUrl must be"),
    ],
)
def test_a_malformed_setting_is_named_but_not_shown(name: str, value: str, problem: str) -> None:
    (found,) = problems_of(EXAMPLE | {name: value})
    assert found.startswith(problem)
    assert "hunter2" not in found


def test_the_signing_key_is_a_list_whose_first_signs() -> None:
    settings = Settings.from_environment(
        EXAMPLE | {"TriggerSigningKey": f"{'new-' * 8}, {'old-' * 8}"}
    )
    assert [key.reveal() for key in settings.trigger_signing_keys] == ["new-" * 8, "old-" * 8]


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"MicrosoftAppId": "app-id"}, {"MicrosoftAppType"}),
        (
            {"MicrosoftAppType": "MultiTenant", "MicrosoftAppId": "app-id"},
            {"MicrosoftAppPassword"},
        ),
        ({"MicrosoftAppType": "SingleTenant"}, {"MicrosoftAppId", "MicrosoftAppTenantId"}),
        (
            {"MicrosoftAppType": "userassignedmsi"},
            {"MicrosoftAppId", "MicrosoftAppTenantId", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"},
        ),
        (OWN_SECRETS | {"AZURE_FUNCTIONS_ENVIRONMENT": "Production"}, IN_AZURE),
        (OWN_SECRETS | {"AZURE_FUNCTIONS_ENVIRONMENT": ""}, IN_AZURE),
    ],
    ids=[
        "type",
        "password",
        "single tenant",
        "managed identity",
        "anonymous in Azure",
        "anonymous, unknown where",
    ],
)
def test_an_incomplete_identity_is_named(environ: dict[str, str], missing: set[str]) -> None:
    problems = problems_of(EXAMPLE | ANYWHERE | environ)
    assert {problem.split()[0] for problem in problems} == missing


def test_an_app_ids_type_is_not_guessed_and_the_error_says_which_there_are() -> None:
    (problem,) = problems_of(REGISTERED | {"MicrosoftAppType": ""})
    assert problem.startswith("MicrosoftAppType is missing: UserAssignedMSI or SingleTenant")
    assert "MultiTenant only if it was created so, before August 2025" in problem


@pytest.mark.parametrize(
    ("environ", "authority"),
    [
        ({}, "https://login.microsoftonline.com/botframework.com"),
        (
            {"MicrosoftAppType": "SingleTenant", "MicrosoftAppTenantId": "tenant"},
            "https://login.microsoftonline.com/tenant",
        ),
        ({"ToChannelFromBotLoginUrl": "http://localhost:3000/x/"}, "http://localhost:3000/x"),
        (
            {"ChannelService": "https://botframework.azure.us"},
            "https://login.microsoftonline.us/MicrosoftServices.onmicrosoft.us",
        ),
    ],
    ids=["multi-tenant", "single tenant", "private", "government"],
)
def test_the_bot_logs_in_where_its_type_says(environ: dict[str, str], authority: str) -> None:
    assert Settings.from_environment(REGISTERED | environ).identity.authority == authority


@pytest.mark.parametrize(
    "written", ["https://botframework.azure.us/", "HTTPS://BotFramework.Azure.US"]
)
def test_a_cloud_is_known_in_capitals_and_with_a_last_slash(written: str) -> None:
    identity = Settings.from_environment(REGISTERED | {"ChannelService": written}).identity
    assert identity.oauth_scope == GOVERNMENT_CLOUD.oauth_scope


def test_in_azure_government_nothing_is_asked_of_the_public_cloud() -> None:
    storage = "AzureWebJobsStorage"
    addresses = {
        f"{storage}__{service}ServiceUri": f"https://acc.{service}.core.usgovcloudapi.net"
        for service in ("queue", "table")
    }
    settings = Settings.from_environment(
        {name: value for name, value in REGISTERED.items() if name != storage}
        | addresses
        | {"MicrosoftAppType": "SingleTenant", "MicrosoftAppTenantId": "tenant"}
        | {"ChannelService": "https://botframework.azure.us", "DirectLineEndpoint": ""}
    )
    identity = settings.identity
    asked = [
        *(settings.storage.queue_url, settings.storage.table_url, settings.direct_line_endpoint),
        *(identity.authority, identity.oauth_scope, identity.channel_token_issuer),
        *(identity.channel_openid_metadata_url, identity.emulator_openid_metadata_url),
    ]
    for url in asked:
        host = urlsplit(url).hostname or ""
        assert host.endswith((".us", ".usgovcloudapi.net")), url


def test_the_sdks_names_override_where_tokens_come_from() -> None:
    identity = Settings.from_environment(
        REGISTERED
        | {
            "ChannelService": "https://botframework.azure.us",
            "ToBotFromChannelOpenIdMetadataUrl": "http://localhost:3000/metadata",
            "ToBotFromEmulatorOpenIdMetadataUrl": "http://localhost:3000/emulator",
            "ToBotFromChannelTokenIssuer": "local-issuer",
        }
    ).identity
    assert identity.channel_openid_metadata_url == "http://localhost:3000/metadata"
    assert identity.emulator_openid_metadata_url == "http://localhost:3000/emulator"
    assert identity.channel_token_issuer == "local-issuer"
    assert identity.oauth_scope == GOVERNMENT_CLOUD.oauth_scope


@pytest.mark.parametrize("where", ["Production", "Development"])
@pytest.mark.parametrize("secret", ["replace-me-with", "local-secret-only-for-this-machine"])
def test_published_secrets_are_refused_everywhere(where: str, secret: str) -> None:
    published = dict.fromkeys(OWN_SECRETS, f"{secret}-{'x' * 32}")
    environ = REGISTERED | published | ANYWHERE | {"AZURE_FUNCTIONS_ENVIRONMENT": where}
    assert problems_of(environ) == (
        "DirectLineSecret is the example's, which everyone knows: set a random one",
        "TriggerSigningKey is the example's, which everyone knows: set a random one",
    )


def test_an_operator_can_allow_further_hosts() -> None:
    environ = EXAMPLE | {"AllowedServiceUrlHosts": "Bots.Example.org, .corp.example"}
    service_urls = Settings.from_environment(environ).service_urls
    assert service_urls.allow("https://bots.example.org/x")
    assert service_urls.allow("https://emea.corp.example")
    assert not service_urls.allow("https://corp.example.org")


def test_a_repr_shows_no_secret() -> None:
    environ = REGISTERED | {
        "AzureWebJobsStorage": "AccountName=a;AccountKey=hunter2storage==",
        "DirectLineSecret": "hunter2-direct-line",
        "TriggerSigningKey": "hunter2-key" * 4,
        "MicrosoftAppPassword": "hunter2-password",
    }
    settings = Settings.from_environment(environ)
    assert settings.direct_line_secret.reveal() == "hunter2-direct-line"
    assert "hunter2" not in f"{settings!r} {settings} {settings.identity!r}"


def test_settings_cannot_be_changed() -> None:
    settings: Any = Settings.from_environment(EXAMPLE)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.direct_line_secret = Secret("x")
