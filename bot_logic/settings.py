"""The app's settings: read once, checked all together, frozen.

This is the only module that looks at the environment. Every problem is reported by name and at
once; a value is never shown, neither in an error nor in a repr.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from bot_logic.access_token import ManagedIdentity
from bot_logic.addresses import BOT_FRAMEWORK_HOSTS, ServiceUrls, is_base_url
from bot_logic.bot_identity import (
    APP_TYPES,
    GOVERNMENT_CLOUD,
    PUBLIC_CLOUD,
    AppType,
    BotIdentity,
    Cloud,
)
from bot_logic.errors import SettingsError
from bot_logic.secret import Secret, is_published
from bot_logic.storage.location import (
    DeveloperSignIn,
    Login,
    SharedAccessSignature,
    SharedKey,
    StorageLocation,
)

DEFAULT_DIRECT_LINE_ENDPOINT: Final = "https://directline.botframework.com"
DAY: Final = 24 * 3600  # seconds
DEFAULT_MESSAGE_LIFETIME: Final = 24 * 3600  # seconds
DEFAULT_CONNECTIONS_PER_HOST: Final = 100  # four times what host.json lets in flight
DEFAULT_MAX_ATTEMPTS: Final = 20  # with the pauses between them, about half a day
DEFAULT_KEEP_RECORDS: Final = 30  # days
DEFAULT_KEEP_STATE: Final = 365  # days
LONGEST_HIDDEN: Final = 8 * DAY  # for which a copy of a message may lie on a queue, and a day more
MIN_SIGNING_KEY_LENGTH: Final = 32  # characters; HMAC-SHA256 wants 256 bits, RFC 7518 section 3.2

_HOST_NAME: Final = re.compile(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*")

_STORAGE: Final = "AzureWebJobsStorage"
_BY_IDENTITY: Final = tuple(
    f"{_STORAGE}__{name}"
    for name in ("accountName", "queueServiceUri", "tableServiceUri", "credential", "clientId")
)
_ACCOUNT: Final = re.compile(r"[a-z0-9]{3,24}")
_DEVELOPMENT_STORAGE: Final = "UseDevelopmentStorage=true"
# Azurite's account and key are public and the same everywhere.
# https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
_AZURITE: Final = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
)


_CLOUDS: Final = {"": PUBLIC_CLOUD, "https://botframework.azure.us": GOVERNMENT_CLOUD}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the app can be told from outside.

    Attributes:
        storage: where the account with the queues and the tables is, and how to log in there.
        direct_line_endpoint: base URL of Direct Line, without a path.
        direct_line_secret: the Direct Line channel's secret of this bot.
        trigger_signing_keys: the first signs triggers, all of them verify.
        message_lifetime: seconds after which an undelivered message is dead-lettered.
        max_attempts: failed deliveries after which a message is dead-lettered.
        connections_per_host: calls under way at once to one channel, Direct Line or login server.
        records_kept: seconds for which it is remembered what became of a message.
        state_kept: seconds for which the bot's state is kept after its last change.
        identity: who the bot is.
        service_urls: where it may send to.
    """

    storage: StorageLocation
    direct_line_endpoint: str
    direct_line_secret: Secret
    trigger_signing_keys: tuple[Secret, ...]
    message_lifetime: int
    max_attempts: int
    connections_per_host: int
    records_kept: int
    state_kept: int
    identity: BotIdentity
    service_urls: ServiceUrls

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read and check all settings.

        Raises:
            SettingsError: naming every setting that is missing or malformed.
        """
        read = _Reader(environ)
        lifetime = read.count("MessageLifetimeSeconds", DEFAULT_MESSAGE_LIFETIME)
        settings = cls(
            storage=_storage(read),
            direct_line_endpoint=read.url("DirectLineEndpoint", DEFAULT_DIRECT_LINE_ENDPOINT),
            direct_line_secret=Secret(read.secret("DirectLineSecret")),
            trigger_signing_keys=_signing_keys(read),
            message_lifetime=lifetime,
            max_attempts=read.count("MaxDeliveryAttempts", DEFAULT_MAX_ATTEMPTS),
            connections_per_host=read.count("MaxConnectionsPerHost", DEFAULT_CONNECTIONS_PER_HOST),
            records_kept=_records_kept(read, lifetime),
            state_kept=read.count("KeepStateDays", DEFAULT_KEEP_STATE) * DAY,
            identity=_identity(read),
            service_urls=_service_urls(read),
        )
        if read.problems:
            raise SettingsError(read.problems)
        return settings


def storage_location(environ: Mapping[str, str]) -> StorageLocation:
    """Read the settings that an operator's command line needs.

    Raises:
        SettingsError: one is missing or malformed.
    """
    read = _Reader(environ)
    location = _storage(read)
    if read.problems:
        raise SettingsError(read.problems)
    return location


class _Reader:
    """Reads settings by name and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    @property
    def runs_locally(self) -> bool:
        # Core Tools sets it, and nothing else does: what is not known to be local is in Azure.
        # https://learn.microsoft.com/azure/azure-functions/functions-app-settings#azure_functions_environment
        return self._environ.get("AZURE_FUNCTIONS_ENVIRONMENT", "").lower() == "development"

    def optional(self, name: str, default: str = "") -> str:
        return self._environ.get(name, "").strip() or default

    def required(self, name: str, reason: str = "") -> str:
        value = self.optional(name)
        if not value:
            self.problems.append(f"{name} is missing{reason}")
        return value

    def secret(self, name: str) -> str:
        value = self.required(name)
        if is_published(value):
            self.problems.append(f"{name} is the example's, which everyone knows: set a random one")
        return value

    def url(self, name: str, default: str) -> str:
        value = self.optional(name, default).rstrip("/")
        if not is_base_url(value):
            self.problems.append(f"{name} must be an http(s) URL")
        elif value.startswith("http:") and not self.runs_locally:
            self.problems.append(f"{name} must be an https URL, except in a local run")
        return value

    def count(self, name: str, default: int) -> int:
        value = self.optional(name, str(default))
        if not (value.isascii() and value.isdigit() and 0 < len(value) < 10 and int(value) > 0):  # noqa: PLR2004
            self.problems.append(f"{name} must be a whole number, 1 or more")
            return default
        return int(value)


def _records_kept(read: _Reader, lifetime: int) -> int:
    """Read how long a message is remembered: for as long as a copy of it can come, at least."""
    kept = read.count("KeepRecordsDays", DEFAULT_KEEP_RECORDS) * DAY
    least = -(-(lifetime + LONGEST_HIDDEN) // DAY)
    if kept < least * DAY:
        read.problems.append(
            f"KeepRecordsDays must be {least} or more, to outlive every copy of a message"
        )
    return kept


def _storage(read: _Reader) -> StorageLocation:
    """Read where the storage account is: a connection string, or addresses and an identity.

    https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
    """
    by_identity = [name for name in _BY_IDENTITY if read.optional(name)]
    if not by_identity:
        return _connected(read)
    if read.optional(_STORAGE):
        read.problems.append(f"{_STORAGE} and {by_identity[0]} are both set: one must go")
    account = read.optional(f"{_STORAGE}__accountName")
    if account and not _ACCOUNT.fullmatch(account):
        read.problems.append(f"{_STORAGE}__accountName must be 3 to 24 small letters and digits")
        account = "malformed"  # named once is enough
    return StorageLocation(
        _service_uri(read, "queue", account), _service_uri(read, "table", account), _login(read)
    )


def _service_uri(read: _Reader, service: str, account: str) -> str:
    name = f"{_STORAGE}__{service}ServiceUri"
    default = f"https://{account}.{service}.core.windows.net" if account else ""
    if not read.optional(name, default):
        read.problems.append(f"{name} is missing (or set {_STORAGE}__accountName)")
        return ""
    return read.url(name, default)


def _login(read: _Reader) -> Login:
    kind = read.optional(f"{_STORAGE}__credential").lower()
    client_id = read.optional(f"{_STORAGE}__clientId")
    if kind not in ("", "managedidentity"):
        read.problems.append(f"{_STORAGE}__credential must be managedidentity, or not be set")
        return DeveloperSignIn()  # whatever else it needs is not known
    if not kind and client_id:
        read.problems.append(
            f"{_STORAGE}__credential is missing ({_STORAGE}__clientId is set): managedidentity"
        )
    if not kind and read.runs_locally:
        return DeveloperSignIn()
    reason = f" ({_STORAGE}__credential is managedidentity)" if kind else " (no identity is here)"
    return ManagedIdentity(
        read.required("IDENTITY_ENDPOINT", reason),
        Secret(read.required("IDENTITY_HEADER", reason)),
        client_id,
    )


def _connected(read: _Reader) -> StorageLocation:
    """Read a connection string.

    https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string
    """
    value = read.required(_STORAGE)
    if value.rstrip(";").lower() == _DEVELOPMENT_STORAGE.lower():
        value = _AZURITE
    parts = _parts(value)
    login = _login_of(parts)
    queue_url, table_url = _endpoint(parts, "queue"), _endpoint(parts, "table")
    if value and login is None:
        read.problems.append(f"{_STORAGE} must be a storage account's connection string")
    elif value and not (is_base_url(queue_url) and is_base_url(table_url)):
        read.problems.append(f"{_STORAGE} must say where the account's queues and tables are")
    elif isinstance(login, SharedAccessSignature) and not _covers_both(login):
        read.problems.append(f"{_STORAGE} has a signature that must be for queues and tables")
    return StorageLocation(queue_url, table_url, login or SharedAccessSignature(Secret("")))


def _parts(connection: str) -> Mapping[str, str]:
    """Take a connection string apart, by names in lower case."""
    parts = (part.partition("=") for part in connection.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in parts if value}


def _login_of(parts: Mapping[str, str]) -> SharedKey | SharedAccessSignature | None:
    account, key = parts.get("accountname", ""), parts.get("accountkey", "")
    if account and _is_base64(key):
        return SharedKey(account, Secret(key))
    signature = parts.get("sharedaccesssignature", "").removeprefix("?")
    return SharedAccessSignature(Secret(signature)) if signature and not key else None


def _endpoint(parts: Mapping[str, str], service: str) -> str:
    if given := parts.get(f"{service}endpoint"):
        return given.rstrip("/")
    scheme = parts.get("defaultendpointsprotocol", "https")
    suffix = parts.get("endpointsuffix", "core.windows.net")
    account = parts.get("accountname")
    return f"{scheme}://{account}.{service}.{suffix}" if account else ""


def _covers_both(login: SharedAccessSignature) -> bool:
    """Tell whether a signature is for queues and tables; one of a single service has no `ss`."""
    query = parse_qs(login.token.reveal())
    return "sig" in query and {"q", "t"} <= set(query.get("ss", [""])[0])


def _is_base64(value: str) -> bool:
    try:
        return bool(base64.b64decode(value, validate=True))
    except ValueError:
        return False


def _signing_keys(read: _Reader) -> tuple[Secret, ...]:
    value = read.secret("TriggerSigningKey")
    keys = [key.strip() for key in value.split(",")]
    if value and any(len(key) < MIN_SIGNING_KEY_LENGTH for key in keys):
        read.problems.append(
            f"TriggerSigningKey needs at least {MIN_SIGNING_KEY_LENGTH} characters in each key"
        )
    return tuple(map(Secret, keys))


def _service_urls(read: _Reader) -> ServiceUrls:
    names = read.optional("AllowedServiceUrlHosts").lower().replace(",", " ").split()
    if not all(map(_HOST_NAME.fullmatch, names)):
        read.problems.append(
            "AllowedServiceUrlHosts must be host names, with commas between them; "
            "a leading dot stands for all subdomains"
        )
    return ServiceUrls((*BOT_FRAMEWORK_HOSTS, *names), loopback=read.runs_locally)


def _app_type(read: _Reader) -> AppType:
    value = read.optional("MicrosoftAppType", "MultiTenant")
    for known in APP_TYPES:
        if known.lower() == value.lower():
            return known
    read.problems.append(f"MicrosoftAppType must be one of {', '.join(APP_TYPES)}")
    return "MultiTenant"


def _cloud(read: _Reader) -> Cloud:
    cloud = _CLOUDS.get(read.optional("ChannelService").lower().removesuffix("/"))
    if cloud is None:
        read.problems.append("ChannelService must be empty or https://botframework.azure.us")
    return cloud or PUBLIC_CLOUD


def _identity(read: _Reader) -> BotIdentity:
    app_id, app_type, cloud = read.optional("MicrosoftAppId"), _app_type(read), _cloud(read)
    managed = app_type == "UserAssignedMSI"
    if not read.runs_locally or app_type != "MultiTenant":
        read.required("MicrosoftAppId", "" if app_id else " (only a local run may be anonymous)")
    if app_id and not managed:
        read.required("MicrosoftAppPassword")
    if app_type != "MultiTenant":
        read.required("MicrosoftAppTenantId", f" (MicrosoftAppType is {app_type})")
    tenant = read.optional("MicrosoftAppTenantId")
    login_tenant = cloud.default_tenant if app_type == "MultiTenant" else tenant
    return BotIdentity(
        app_id=app_id,
        password=Secret(read.optional("MicrosoftAppPassword")),
        app_type=app_type,
        tenant_id=tenant,
        authority=read.url("ToChannelFromBotLoginUrl", f"{cloud.login_url}/{login_tenant}"),
        oauth_scope=read.optional("ToChannelFromBotOAuthScope", cloud.oauth_scope),
        channel_token_issuer=read.optional(
            "ToBotFromChannelTokenIssuer", cloud.channel_token_issuer
        ),
        channel_openid_metadata_url=read.url(
            "ToBotFromChannelOpenIdMetadataUrl", cloud.channel_openid_metadata_url
        ),
        emulator_openid_metadata_url=read.url(
            "ToBotFromEmulatorOpenIdMetadataUrl", cloud.emulator_openid_metadata_url
        ),
        identity_endpoint=read.required("IDENTITY_ENDPOINT") if managed else "",
        identity_header=Secret(read.required("IDENTITY_HEADER") if managed else ""),
    )
