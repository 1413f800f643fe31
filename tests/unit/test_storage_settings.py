"""Where the storage account is: a connection string, or addresses and an identity."""

import pytest

from bot_logic.access_token import ManagedIdentity
from bot_logic.errors import SettingsError
from bot_logic.settings import storage_location
from bot_logic.storage.location import (
    DeveloperSignIn,
    SharedAccessSignature,
    SharedKey,
    StorageLocation,
)

LOCALLY = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}  # as Core Tools sets it
IN_AZURE = {"IDENTITY_ENDPOINT": "http://127.0.0.1:41234/msi/token", "IDENTITY_HEADER": "header"}
KEY = "c2VjcmV0"
BY_KEY = f"AccountName=acc;AccountKey={KEY}"
ENDPOINTS = "QueueEndpoint=https://q.example/;TableEndpoint=https://t.example/"
SIGNATURE = "sv=2022-11-02&ss=qt&srt=sco&sp=rwdlacu&sig=c2VjcmV0%3D"
PREFIX = "AzureWebJobsStorage__"


def by_identity(**settings: str) -> dict[str, str]:
    return {f"{PREFIX}{name}": value for name, value in settings.items()}


def connected(connection: str) -> StorageLocation:
    return storage_location({"AzureWebJobsStorage": connection})


def urls(location: StorageLocation) -> tuple[str, str]:
    return location.queue_url, location.table_url


def problems_of(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as error:
        storage_location(environ)
    return error.value.problems


def identity(location: StorageLocation) -> tuple[str, str, str]:
    login = location.login
    assert isinstance(login, ManagedIdentity)
    return login.endpoint, login.header.reveal(), login.client_id


def test_the_accounts_name_is_enough() -> None:
    location = storage_location(IN_AZURE | by_identity(accountName="acc1"))
    assert urls(location) == (
        "https://acc1.queue.core.windows.net",
        "https://acc1.table.core.windows.net",
    )


def test_addresses_stand_for_the_accounts_name_in_other_clouds() -> None:
    addresses = by_identity(
        queueServiceUri="https://acc.queue.core.chinacloudapi.cn/",
        tableServiceUri="https://acc.table.core.chinacloudapi.cn",
    )
    assert urls(storage_location(IN_AZURE | addresses)) == (
        "https://acc.queue.core.chinacloudapi.cn",
        "https://acc.table.core.chinacloudapi.cn",
    )


def test_an_address_beside_the_accounts_name_is_the_one_that_counts() -> None:
    settings = by_identity(accountName="acc1", tableServiceUri="https://acc1-secondary.example")
    assert urls(storage_location(IN_AZURE | settings)) == (
        "https://acc1.queue.core.windows.net",
        "https://acc1-secondary.example",
    )


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"queueServiceUri": "https://q.example"}, ["table"]),
        ({"tableServiceUri": "https://t.example"}, ["queue"]),
        ({"credential": "managedidentity"}, ["queue", "table"]),
        ({"credential": "managedidentity", "clientId": "client"}, ["queue", "table"]),
    ],
    ids=["queues only", "tables only", "a credential only", "an identity only"],
)
def test_what_is_set_by_half_is_named(given: dict[str, str], missing: list[str]) -> None:
    assert problems_of(IN_AZURE | by_identity(**given)) == tuple(
        f"{PREFIX}{service}ServiceUri is missing (or set {PREFIX}accountName)"
        for service in missing
    )


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"accountName": "Acc1"}, "accountName must be 3 to 24 small letters and digits"),
        ({"accountName": "a1"}, "accountName must be 3 to 24 small letters and digits"),
        ({"accountName": "acc-1"}, "accountName must be 3 to 24 small letters and digits"),
        ({"accountName": "hunter2 !"}, "accountName must be 3 to 24 small letters and digits"),
        (
            {"accountName": "acc1", "queueServiceUri": "hunter2"},
            "queueServiceUri must be an http(s) URL",
        ),
        (
            {"accountName": "acc1", "tableServiceUri": "https://x/?hunter2"},
            "tableServiceUri must be an http(s) URL",
        ),
        (
            {"accountName": "acc1", "credential": "hunter2"},
            "credential must be managedidentity, or not be set",
        ),
        (
            {"accountName": "acc1", "clientId": "hunter2"},
            f"credential is missing ({PREFIX}clientId is set): managedidentity",
        ),
    ],
)
@pytest.mark.parametrize("where", [IN_AZURE, LOCALLY], ids=["in Azure", "locally"])
def test_what_is_wrong_is_named_and_not_shown(
    given: dict[str, str], problem: str, where: dict[str, str]
) -> None:
    assert problems_of(where | by_identity(**given)) == (f"{PREFIX}{problem}",)


@pytest.mark.parametrize("name", ["accountName", "queueServiceUri", "credential", "clientId"])
def test_a_connection_string_and_an_identity_are_one_too_many(name: str) -> None:
    environ = IN_AZURE | {"AzureWebJobsStorage": BY_KEY} | by_identity(**{name: "https://x"})
    assert f"AzureWebJobsStorage and {PREFIX}{name} are both set: one must go" in problems_of(
        environ
    )


@pytest.mark.parametrize(
    ("settings", "client_id"),
    [
        ({}, ""),
        ({"credential": "managedidentity"}, ""),
        ({"credential": "ManagedIdentity", "clientId": "client"}, "client"),
    ],
    ids=["system, unsaid", "system", "user-assigned"],
)
def test_in_azure_the_identity_is_the_apps_own(settings: dict[str, str], client_id: str) -> None:
    location = storage_location(IN_AZURE | by_identity(accountName="acc1", **settings))
    assert identity(location) == ("http://127.0.0.1:41234/msi/token", "header", client_id)


def test_locally_it_is_whoever_is_signed_in() -> None:
    location = storage_location(LOCALLY | by_identity(accountName="acc1"))
    assert location.login == DeveloperSignIn()


def test_locally_too_an_identity_that_is_named_is_the_one() -> None:
    settings = by_identity(accountName="acc1", credential="managedidentity", clientId="client")
    assert identity(storage_location(LOCALLY | IN_AZURE | settings))[2] == "client"


@pytest.mark.parametrize(
    ("where", "settings", "reason"),
    [
        ({}, {}, " (no identity is here)"),
        (
            LOCALLY,
            {"credential": "managedidentity"},
            f" ({PREFIX}credential is managedidentity)",
        ),
    ],
    ids=["in Azure", "locally"],
)
def test_where_there_is_no_identity_it_is_said_so(
    where: dict[str, str], settings: dict[str, str], reason: str
) -> None:
    assert problems_of(where | by_identity(accountName="acc1", **settings)) == (
        f"IDENTITY_ENDPOINT is missing{reason}",
        f"IDENTITY_HEADER is missing{reason}",
    )


def test_a_key_goes_with_the_accounts_addresses() -> None:
    location = connected(BY_KEY)
    assert urls(location) == (
        "https://acc.queue.core.windows.net",
        "https://acc.table.core.windows.net",
    )
    assert isinstance(location.login, SharedKey)
    assert (location.login.account, location.login.key.reveal()) == ("acc", KEY)


def test_a_suffix_names_another_cloud() -> None:
    china = f"DefaultEndpointsProtocol=https;{BY_KEY};EndpointSuffix=core.chinacloudapi.cn"
    assert urls(connected(china)) == (
        "https://acc.queue.core.chinacloudapi.cn",
        "https://acc.table.core.chinacloudapi.cn",
    )


@pytest.mark.parametrize(
    "connection",
    [
        f"{BY_KEY};{ENDPOINTS}",
        f" {BY_KEY} ; {ENDPOINTS} ; ".replace(";", " ; "),
        f"{ENDPOINTS};{BY_KEY};".lower().replace(KEY.lower(), KEY),
        f";;{BY_KEY};;{ENDPOINTS}\n",
    ],
    ids=["as it is", "blanks", "small letters", "nothing between semicolons"],
)
def test_how_a_connection_string_is_written_makes_no_difference(connection: str) -> None:
    location = connected(connection)
    assert urls(location) == ("https://q.example", "https://t.example")
    assert isinstance(location.login, SharedKey)
    assert (location.login.account, location.login.key.reveal()) == ("acc", KEY)


@pytest.mark.parametrize(
    "connection",
    ["UseDevelopmentStorage=true", "usedevelopmentstorage=True;", " UseDevelopmentStorage=true; "],
)
def test_development_storage_is_azurite(connection: str) -> None:
    location = connected(connection)
    assert urls(location) == (
        "http://127.0.0.1:10001/devstoreaccount1",
        "http://127.0.0.1:10002/devstoreaccount1",
    )


@pytest.mark.parametrize("mark", ["", "?"])
def test_a_signature_goes_with_addresses(mark: str) -> None:
    location = connected(f"{ENDPOINTS};SharedAccessSignature={mark}{SIGNATURE}")
    assert urls(location) == ("https://q.example", "https://t.example")
    assert isinstance(location.login, SharedAccessSignature)
    assert location.login.token.reveal() == SIGNATURE


def test_a_signature_without_addresses_is_refused() -> None:
    assert problems_of({"AzureWebJobsStorage": f"SharedAccessSignature={SIGNATURE}"}) == (
        "AzureWebJobsStorage must say where the account's queues and tables are",
    )


@pytest.mark.parametrize(
    "endpoints",
    [
        ENDPOINTS.split(";", maxsplit=1)[0],
        ENDPOINTS.split(";")[1],
        "BlobEndpoint=https://b.example",
    ],
)
def test_a_signature_without_one_of_the_addresses_is_refused(endpoints: str) -> None:
    connection = f"{endpoints};SharedAccessSignature={SIGNATURE}"
    assert problems_of({"AzureWebJobsStorage": connection}) == (
        "AzureWebJobsStorage must say where the account's queues and tables are",
    )


@pytest.mark.parametrize(
    "signature",
    [
        SIGNATURE.replace("ss=qt", "ss=q"),
        SIGNATURE.replace("ss=qt", "ss=t"),
        SIGNATURE.replace("ss=qt", "ss=bf"),
        SIGNATURE.replace("ss=qt&", ""),
        SIGNATURE.partition("&sig")[0],
        "hunter2",
    ],
    ids=["queues only", "tables only", "blobs and files", "of one queue", "unsigned", "none"],
)
def test_a_signature_that_is_not_for_queues_and_tables_is_refused(signature: str) -> None:
    connection = f"{ENDPOINTS};SharedAccessSignature={signature}"
    assert problems_of({"AzureWebJobsStorage": connection}) == (
        "AzureWebJobsStorage has a signature that must be for queues and tables",
    )


@pytest.mark.parametrize(
    "endpoint",
    [
        "QueueEndpoint=https://acc.blob.core.windows.net",
        "QueueEndpoint=https://acc.table.core.windows.net",
        "TableEndpoint=https://acc.queue.core.usgovcloudapi.net/",
        "QueueEndpoint=https://acc.queue.core.windows.net/bot-queue",
        "TableEndpoint=https://acc.z01.table.storage.azure.net/conversations",
        "QueueEndpoint=acc.queue.core.windows.net",
    ],
)
def test_an_address_of_something_else_is_refused(endpoint: str) -> None:
    assert problems_of({"AzureWebJobsStorage": f"{BY_KEY};{endpoint}"}) == (
        "AzureWebJobsStorage must say where the account's queues and tables are",
    )


@pytest.mark.parametrize(
    "uri", ["https://acc.blob.core.windows.net", "https://acc.queue.core.windows.net/bot-queue"]
)
def test_an_identitys_address_of_something_else_is_refused(uri: str) -> None:
    settings = by_identity(accountName="acc1", queueServiceUri=uri)
    assert problems_of(IN_AZURE | settings) == (
        f"{PREFIX}queueServiceUri must be the base address of the account's queues",
    )


def test_secondary_addresses_alone_are_not_enough() -> None:
    secondary = ENDPOINTS.replace("Endpoint", "SecondaryEndpoint")
    assert problems_of(
        {"AzureWebJobsStorage": f"{secondary};SharedAccessSignature={SIGNATURE}"}
    ) == ("AzureWebJobsStorage must say where the account's queues and tables are",)


@pytest.mark.parametrize("suffix", ["core.windows.net/", ".core.windows.net", "core.windows.net."])
def test_a_suffix_is_read_however_it_is_written(suffix: str) -> None:
    assert urls(connected(f"{BY_KEY};EndpointSuffix={suffix}")) == (
        "https://acc.queue.core.windows.net",
        "https://acc.table.core.windows.net",
    )
