"""The app's settings: read once, checked all together, frozen.

This is the only module that looks at the environment. Every problem is reported by name and at
once; a value is never shown, neither in an error nor in a repr.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bot_logic.errors import SettingsError
from bot_logic.service_urls import BOT_FRAMEWORK_HOSTS, ServiceUrls
from bot_logic.wire import is_base_url

AppType = Literal["MultiTenant", "SingleTenant", "UserAssignedMSI"]
APP_TYPES: Final[tuple[AppType, ...]] = ("MultiTenant", "SingleTenant", "UserAssignedMSI")

DEFAULT_DIRECT_LINE_ENDPOINT: Final = "https://directline.botframework.com"
DEFAULT_MESSAGE_LIFETIME: Final = 24 * 3600  # seconds
DEFAULT_CONNECTIONS_PER_HOST: Final = 100  # four times what host.json lets in flight
DEFAULT_MAX_ATTEMPTS: Final = 20  # with the pauses between them, about half a day
MIN_SIGNING_KEY_LENGTH: Final = 32  # characters; HMAC-SHA256 wants 256 bits, RFC 7518 section 3.2

# How the secrets in local.settings.json.example end.
EXAMPLE_SECRET: Final = "only-for-this-machine"  # noqa: S105
_HOST_NAME: Final = re.compile(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*")

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


class Secret:
    """A string that does not show itself."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The string itself; call this only where it goes onto the wire."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret('**********')"


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where tokens come from and who signs them, in one Azure cloud.

    https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
    """

    channel_token_issuer: str
    channel_openid_metadata_url: str
    emulator_openid_metadata_url: str
    login_url: str
    default_tenant: str
    oauth_scope: str


PUBLIC_CLOUD: Final = Cloud(
    channel_token_issuer="https://api.botframework.com",  # noqa: S106 - an issuer, no secret
    channel_openid_metadata_url="https://login.botframework.com/v1/.well-known/openidconfiguration",
    emulator_openid_metadata_url=(
        "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration"
    ),
    login_url="https://login.microsoftonline.com",
    default_tenant="botframework.com",
    oauth_scope="https://api.botframework.com",
)
GOVERNMENT_CLOUD: Final = Cloud(
    channel_token_issuer="https://api.botframework.us",  # noqa: S106 - an issuer, no secret
    channel_openid_metadata_url=(
        "https://login.botframework.azure.us/v1/.well-known/openidconfiguration"
    ),
    emulator_openid_metadata_url=(
        "https://login.microsoftonline.us/cab8a31a-1906-4287-a0d8-4eef66b95f6e/v2.0"
        "/.well-known/openid-configuration"
    ),
    login_url="https://login.microsoftonline.us",
    default_tenant="MicrosoftServices.onmicrosoft.us",
    oauth_scope="https://api.botframework.us",
)
_CLOUDS: Final = {"": PUBLIC_CLOUD, "https://botframework.azure.us": GOVERNMENT_CLOUD}


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """Who the bot is towards the Bot Framework.

    Attributes:
        app_id: the Microsoft app id; empty means anonymous, which only a local run may be.
        password: the client secret; unused with ``UserAssignedMSI``.
        app_type: as registered with the Azure Bot.
        tenant_id: the tenant the app lives in; empty with ``MultiTenant``.
        authority: the base URL of the OAuth 2.0 token endpoint.
        oauth_scope: what the bot asks tokens for.
        channel_token_issuer: who issues the channels' tokens.
        channel_openid_metadata_url: where the channels' signing keys are published.
        emulator_openid_metadata_url: where the Emulator's signing keys are published.
        identity_endpoint: the managed identity's token endpoint, with ``UserAssignedMSI``.
        identity_header: the secret header that endpoint asks for.
    """

    app_id: str
    password: Secret
    app_type: AppType
    tenant_id: str
    authority: str
    oauth_scope: str
    channel_token_issuer: str
    channel_openid_metadata_url: str
    emulator_openid_metadata_url: str
    identity_endpoint: str
    identity_header: Secret

    @property
    def is_anonymous(self) -> bool:
        """Whether requests are neither signed nor checked."""
        return not self.app_id


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the app can be told from outside.

    Attributes:
        storage_connection: connection string of the account with the queues and the tables.
        direct_line_endpoint: base URL of Direct Line, without a path.
        direct_line_secret: the Direct Line channel's secret of this bot.
        trigger_signing_keys: the first signs triggers, all of them verify.
        message_lifetime: seconds after which an undelivered message is dead-lettered.
        max_attempts: failed deliveries after which a message is dead-lettered.
        connections_per_host: calls under way at once to one channel, Direct Line or login server.
        identity: who the bot is.
        service_urls: where it may send to.
    """

    storage_connection: Secret
    direct_line_endpoint: str
    direct_line_secret: Secret
    trigger_signing_keys: tuple[Secret, ...]
    message_lifetime: int
    max_attempts: int
    connections_per_host: int
    identity: BotIdentity
    service_urls: ServiceUrls

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read and check all settings.

        Raises:
            SettingsError: naming every setting that is missing or malformed.
        """
        read = _Reader(environ)
        settings = cls(
            storage_connection=_storage_connection(read),
            direct_line_endpoint=read.url("DirectLineEndpoint", DEFAULT_DIRECT_LINE_ENDPOINT),
            direct_line_secret=Secret(read.secret("DirectLineSecret")),
            trigger_signing_keys=_signing_keys(read),
            message_lifetime=read.count("MessageLifetimeSeconds", DEFAULT_MESSAGE_LIFETIME),
            max_attempts=read.count("MaxDeliveryAttempts", DEFAULT_MAX_ATTEMPTS),
            connections_per_host=read.count("MaxConnectionsPerHost", DEFAULT_CONNECTIONS_PER_HOST),
            identity=_identity(read),
            service_urls=_service_urls(read),
        )
        if read.problems:
            raise SettingsError(read.problems)
        return settings


def storage_connection(environ: Mapping[str, str]) -> Secret:
    """The one setting that an operator's command line needs.

    Raises:
        SettingsError: it is missing or malformed.
    """
    read = _Reader(environ)
    connection = _storage_connection(read)
    if read.problems:
        raise SettingsError(read.problems)
    return connection


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
        if EXAMPLE_SECRET in value and not self.runs_locally:
            self.problems.append(f"{name} is the example's, which everyone knows")
        return value

    def url(self, name: str, default: str) -> str:
        value = self.optional(name, default).rstrip("/")
        if not is_base_url(value):
            self.problems.append(f"{name} must be an http(s) URL")
        return value

    def count(self, name: str, default: int) -> int:
        value = self.optional(name, str(default))
        if not (value.isascii() and value.isdigit() and 0 < len(value) < 10 and int(value) > 0):  # noqa: PLR2004
            self.problems.append(f"{name} must be a whole number, 1 or more")
            return default
        return int(value)


def _storage_connection(read: _Reader) -> Secret:
    value = read.required("AzureWebJobsStorage")
    if value.rstrip(";").lower() == _DEVELOPMENT_STORAGE.lower():
        return Secret(_AZURITE)
    parts = connection_parts(value)
    has_key = "accountname" in parts and _is_base64(parts.get("accountkey", ""))
    if value and not has_key and "sharedaccesssignature" not in parts:
        read.problems.append("AzureWebJobsStorage must be a storage account's connection string")
    return Secret(value)


def connection_parts(connection: str) -> Mapping[str, str]:
    """What a storage account's connection string consists of, by names in lower case.

    https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string
    """
    parts = (part.partition("=") for part in connection.split(";"))
    return {name.strip().lower(): value for name, _, value in parts if value}


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
    cloud = _CLOUDS.get(read.optional("ChannelService"))
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
