"""Settings that look right and are not: each is named before anything relies on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.errors import SettingsError
from bot_logic.settings import Settings

LOCALLY = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}  # as Core Tools sets it
DEPLOYED = {
    "AzureWebJobsStorage": "AccountName=acc;AccountKey=c2VjcmV0",
    "DirectLineSecret": "a-secret.of.Direct_Line",
    "TriggerSigningKey": "k" * 32,
    "MicrosoftAppType": "MultiTenant",
    "MicrosoftAppId": "app-id",
    "MicrosoftAppPassword": "app-password",
}
MANAGED = DEPLOYED | {
    "MicrosoftAppType": "UserAssignedMSI",
    "MicrosoftAppTenantId": "tenant.example",
    "IDENTITY_ENDPOINT": "http://127.0.0.1:41234/msi/token",
    "IDENTITY_HEADER": "header",
}
BY_IDENTITY = {name: value for name, value in MANAGED.items() if name != "AzureWebJobsStorage"} | {
    "AzureWebJobsStorage__accountName": "acc",
    "AzureWebJobsStorage__credential": "managedidentity",
    "AzureWebJobsStorage__clientId": "client-id",
}
TEXTS = sorted(
    {*MANAGED, *BY_IDENTITY}
    | {"AllowedServiceUrlHosts", "ChannelService", "DirectLineEndpoint", "KeepStateDays"}
    | {"ToChannelFromBotLoginUrl", "ToChannelFromBotOAuthScope", "ToBotFromChannelTokenIssuer"}
)
MARKS = [
    *("WEBSITE_INSTANCE_ID", "WEBSITE_SITE_NAME", "WEBSITE_SKU"),
    *("WEBSITE_POD_NAME", "CONTAINER_APP_NAME"),
]
ELSEWHERE = "QueueEndpoint=https://azurite.example/q;TableEndpoint=https://azurite.example/t"
EMULATOR = "UseDevelopmentStorage=true"


def problems_of(environ: dict[str, str]) -> tuple[str, ...]:
    try:
        Settings.from_environment(environ)
    except SettingsError as error:
        return error.problems
    return ()


def with_setting(name: str, value: str) -> dict[str, str]:
    base = BY_IDENTITY if name.startswith("AzureWebJobsStorage__") else MANAGED
    return base | {name: value}


@pytest.mark.parametrize("environ", [DEPLOYED, MANAGED, BY_IDENTITY])
def test_what_a_deployed_app_needs_is_enough(environ: dict[str, str]) -> None:
    assert problems_of(environ) == ()


@pytest.mark.parametrize(
    "value",
    [
        "@Microsoft.KeyVault(SecretUri=https://hunter2.vault.azure.net/secrets/x)",
        "@microsoft.keyvault(VaultName=hunter2;SecretName=x)",
        " @Microsoft.AppConfiguration(Endpoint=https://hunter2.azconfig.io; Key=x)",
    ],
)
@pytest.mark.parametrize("name", TEXTS)
def test_a_reference_that_azure_left_as_it_is_is_named(name: str, value: str) -> None:
    (problem,) = problems_of(with_setting(name, value))
    assert problem.startswith(f"{name} is a reference that Azure could not resolve")
    assert "hunter2" not in problem


@given(
    name=st.sampled_from(TEXTS),
    character=st.sampled_from("\n\r\x00\x1b\x7f\u200b\ufeff\u2028\x85\udc80"),
)
def test_an_invisible_character_inside_is_named(name: str, character: str) -> None:
    value = with_setting(name, "").get(name) or "hunter2"
    (problem,) = problems_of(with_setting(name, f"hunter2{character}{value}"))
    assert problem.startswith(f"{name} has a line break or another invisible character inside")
    assert "hunter2" not in problem


@pytest.mark.parametrize("secret", ["Bearer abc", "two words", "schlüssel", "a\tb"])
def test_a_direct_line_secret_is_one_word(secret: str) -> None:
    (problem,) = problems_of(DEPLOYED | {"DirectLineSecret": secret})
    assert problem.startswith("DirectLineSecret ")


@pytest.mark.parametrize("value", ["a/b", "<your-id>", "a?b", "{id}", "a b", "id#1", "ü"])
@pytest.mark.parametrize(
    "name", ["MicrosoftAppId", "MicrosoftAppTenantId", "AzureWebJobsStorage__clientId"]
)
def test_an_id_is_a_word(name: str, value: str) -> None:
    environ = with_setting(name, value)
    assert f"{name} must be letters, digits, dots, dashes and underscores only" in problems_of(
        environ
    )


@pytest.mark.parametrize(
    "path",
    ["/v3/directline", "/v3/directline/", "/v3/directline/conversations", "/api/messages", "//"],
)
def test_direct_lines_endpoint_has_no_path(path: str) -> None:
    value = f"https://directline.botframework.com{path}"
    expected = ("DirectLineEndpoint must have no path: the app adds /v3/directline itself",)
    assert problems_of(DEPLOYED | {"DirectLineEndpoint": value}) == expected * (path != "//")


@pytest.mark.parametrize(
    ("service", "endpoint"),
    [
        ("", "https://directline.botframework.com"),
        ("https://botframework.azure.us", "https://directline.botframework.azure.us"),
        ("https://BotFramework.azure.us/", "https://directline.botframework.azure.us"),
    ],
)
def test_direct_line_is_in_the_bots_own_cloud(service: str, endpoint: str) -> None:
    environ = DEPLOYED | {"ChannelService": service}
    assert Settings.from_environment(environ).direct_line_endpoint == endpoint
    elsewhere = environ | {"DirectLineEndpoint": "https://europe.directline.botframework.com"}
    found = Settings.from_environment(elsewhere).direct_line_endpoint
    assert found == "https://europe.directline.botframework.com"


@pytest.mark.parametrize("mark", MARKS)
def test_in_azure_no_setting_makes_a_run_local(mark: str) -> None:
    environ = {name: DEPLOYED[name] for name in DEPLOYED if not name.startswith("Microsoft")}
    assert problems_of(environ | LOCALLY) == ()
    kind, who = problems_of(environ | LOCALLY | {mark: "x"})
    assert kind.startswith("MicrosoftAppType is missing")
    assert who == "MicrosoftAppId is missing (only a local run may be anonymous)"


@pytest.mark.parametrize("name", ["CONTAINER_NAME", "WEBSITE_HOSTNAME", "KUBERNETES_SERVICE_HOST"])
def test_what_build_machines_and_core_tools_set_is_no_mark_of_azure(name: str) -> None:
    anonymous = {"MicrosoftAppType": "", "MicrosoftAppId": "", "AzureWebJobsStorage": EMULATOR}
    assert problems_of(DEPLOYED | LOCALLY | anonymous | {name: "localhost:7071"}) == ()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("AzureWebJobsStorage", EMULATOR, "is the storage emulator"),
        (
            "AzureWebJobsStorage",
            f"AccountName=devstoreaccount1;AccountKey=c2VjcmV0;{ELSEWHERE}",
            "is the storage emulator",
        ),
        (
            "AzureWebJobsStorage",
            "DefaultEndpointsProtocol=HTTP;AccountName=acc;AccountKey=c2VjcmV0",
            "must say https",
        ),
        (
            "AzureWebJobsStorage",
            "AccountName=acc;AccountKey=c2VjcmV0;QueueEndpoint=https://[::1]:10001/acc",
            "is an address of this machine",
        ),
        ("DirectLineEndpoint", "http://directline.botframework.com", "must be an https URL"),
        ("DirectLineEndpoint", "HTTP://directline.botframework.com", "must be an https URL"),
        ("DirectLineEndpoint", "https://localhost:3000", "is an address of this machine"),
        ("ToChannelFromBotLoginUrl", "https://127.0.0.1/x", "is an address of this machine"),
    ],
)
def test_what_only_a_local_run_has_is_named_in_a_deployed_app(
    name: str, value: str, reason: str
) -> None:
    environ = DEPLOYED | {name: value}
    (problem,) = problems_of(environ)
    assert problem.startswith(f"{name} {reason}")
    assert problems_of(environ | LOCALLY) == ()


@pytest.mark.parametrize("value", ["not a url", "127.0.0.1:41234", "ftp://127.0.0.1/token"])
def test_the_platforms_token_address_is_checked_too(value: str) -> None:
    assert problems_of(MANAGED | {"IDENTITY_ENDPOINT": value}) == (
        "IDENTITY_ENDPOINT must be an http(s) URL",
    )
