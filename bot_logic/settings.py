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
from bot_logic.addresses import (
    BOT_FRAMEWORK_HOSTS,
    LOOPBACK_HOSTS,
    ServiceUrls,
    base_url,
    is_id,
)
from bot_logic.bot_identity import (
    APP_TYPES,
    GOVERNMENT_CLOUD,
    ONE_TENANT,
    PUBLIC_CLOUD,
    AppType,
    BotIdentity,
    Cloud,
)
from bot_logic.errors import SettingsError
from bot_logic.misspelt import meant_by
from bot_logic.secret import Secret, is_published
from bot_logic.storage.location import (
    DeveloperSignIn,
    Login,
    SharedAccessSignature,
    SharedKey,
    StorageLocation,
)
from bot_logic.telemetry.destination import Destination

DAY: Final = 24 * 3600  # seconds
DEFAULT_MESSAGE_LIFETIME: Final = 24 * 3600  # seconds
DEFAULT_CONNECTIONS_PER_HOST: Final = 100  # four times what host.json lets in flight
DEFAULT_MAX_ATTEMPTS: Final = 20  # with the pauses between them, about half a day
# Teams takes 50 requests a second for each app and tenant; some are left for answers.
# https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
DEFAULT_CHANNEL_RATES: Final = "msteams=45"
DEFAULT_KEEP_RECORDS: Final = 30  # days
DEFAULT_KEEP_NOTIFICATIONS: Final = 90  # days
DEFAULT_KEEP_STATE: Final = 365  # days
LONGEST_HIDDEN: Final = 8 * DAY  # for which a copy of a message may lie on a queue, and a day more
MIN_SIGNING_KEY_LENGTH: Final = 32  # characters; HMAC-SHA256 wants 256 bits, RFC 7518 section 3.2

_OF_LOCAL_SERVERS: Final = "AllowedLocalHosts"  # read by what is not deployed
_HOST_NAME: Final = re.compile(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*")

_RATE: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?")

_STORAGE: Final = "AzureWebJobsStorage"
_BY_IDENTITY: Final = tuple(
    f"{_STORAGE}__{name}"
    for name in ("accountName", "queueServiceUri", "tableServiceUri", "credential", "clientId")
)
# https://learn.microsoft.com/azure/storage/common/storage-account-overview#standard-endpoints
_OF_AZURE: Final = re.compile(r"\.(?P<service>[a-z]+)\.(core|storage)\.[a-z.]+$")
_ACCOUNT: Final = re.compile(r"[a-z0-9]{3,24}")
_DEVELOPMENT_STORAGE: Final = "UseDevelopmentStorage=true"
# Azurite's account and key are public and the same everywhere.
# https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
_EMULATOR: Final = "devstoreaccount1"
_AZURITE: Final = (
    f"DefaultEndpointsProtocol=http;AccountName={_EMULATOR};"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    f"BlobEndpoint=http://127.0.0.1:10000/{_EMULATOR};"
    f"QueueEndpoint=http://127.0.0.1:10001/{_EMULATOR};"
    f"TableEndpoint=http://127.0.0.1:10002/{_EMULATOR};"
)


# Azure sets these in what it runs: App Service and Functions the first three, Flex Consumption the
# fourth, Container Apps the last. Not CONTAINER_NAME, which build machines have, too.
# https://learn.microsoft.com/azure/app-service/reference-app-settings
# https://learn.microsoft.com/azure/container-apps/environment-variables
_MARKS_OF_AZURE: Final = (
    *("WEBSITE_INSTANCE_ID", "WEBSITE_SITE_NAME", "WEBSITE_SKU"),
    "WEBSITE_POD_NAME",
    "CONTAINER_APP_NAME",
)
# What Azure leaves as it is when it cannot resolve it.
# https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
# https://learn.microsoft.com/azure/app-service/app-service-configuration-references
_REFERENCES: Final = ("@microsoft.keyvault(", "@microsoft.appconfiguration(")

_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e]+")  # no blanks: they would end the secret
_WORD: Final = re.compile(r"[A-Za-z0-9._-]+")

# As the exporter takes them; a value may have spaces.
# https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables
_OTLP_HEADER: Final = re.compile(r" *[\w!#$%&'*+.^`|~-]+ *=[ !#-+\--:<-\[\]-~]*", re.ASCII)
_OTLP: Final = "http/protobuf"  # the protocol whose exporter is in requirements.txt

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
        notification_lifetime: seconds after its time in which a notification may be sent.
        notifications_kept: seconds after its end for which a notification can be looked up.
        channel_rates: messages a second that notifications may send, by channel.
        connections_per_host: calls under way at once to one channel, Direct Line or login server.
        records_kept: seconds for which it is remembered what became of a message.
        state_kept: seconds for which the bot's state is kept after its last change.
        identity: who the bot is.
        service_urls: where it may send to.
        telemetry: who is told of spans, metrics and log records.
    """

    storage: StorageLocation
    direct_line_endpoint: str
    direct_line_secret: Secret
    trigger_signing_keys: tuple[Secret, ...]
    message_lifetime: int
    max_attempts: int
    notification_lifetime: int
    notifications_kept: int
    channel_rates: Mapping[str, float]
    connections_per_host: int
    records_kept: int
    state_kept: int
    identity: BotIdentity
    service_urls: ServiceUrls
    telemetry: Destination

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read and check all settings.

        Raises:
            SettingsError: naming every setting that is missing or malformed.
        """
        read = _Reader(environ)
        settings = _read_all(read)
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


def misspelt(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return what is none of the settings, but close to one, each with the one that may be meant.

    Names in capitals are other programs', also where we read them: they know more of the kind.
    """
    known = {_OF_LOCAL_SERVERS}
    for example in ({}, {f"{_STORAGE}__accountName": "account"}):
        read = _Reader(example)
        _read_all(read)
        known |= read.names
    return meant_by(environ, (name for name in known if not name.isupper()))


def runs_locally(environ: Mapping[str, str]) -> bool:
    """Tell whether this is a run on a developer's machine."""
    # Core Tools sets the one and never the others; those come before what somebody has set.
    local = environ.get("AZURE_FUNCTIONS_ENVIRONMENT", "").strip().lower() == "development"
    return local and not any(map(environ.get, _MARKS_OF_AZURE))


def is_reference(value: str) -> bool:
    """Tell whether a setting's value is one that Azure is to look up elsewhere, and has not."""
    return value.strip().lower().startswith(_REFERENCES)


class _Reader:
    """Reads settings by name and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: dict[str, str] = {}
        self.names = set[str]()  # that it was asked for
        self.runs_locally = runs_locally(environ)

    @property
    def problems(self) -> list[str]:
        return list(self._problems.values())

    def refuse(self, name: str, reason: str) -> None:
        """Note what is wrong with a setting; the first that is said of it is the cause."""
        self._problems.setdefault(name, f"{name} {reason}")

    def optional(self, name: str, default: str = "") -> str:
        self.names.add(name)
        value = self._environ.get(name, "").strip()
        if not value.isprintable():
            self.refuse(name, "has a line break or another invisible character inside: remove it")
        elif is_reference(value):
            self.refuse(
                name,
                "is a reference that Azure could not resolve: "
                "check the vault's address and the app's access to it",
            )
        return value or default

    def required(self, name: str, reason: str = "") -> str:
        value = self.optional(name)
        if not value:
            self.refuse(name, f"is missing{reason}")
        return value

    def secret(self, name: str) -> Secret:
        value = self.required(name)
        if is_published(value):
            self.refuse(name, "is the example's, which everyone knows: set a random one")
        return Secret(value)

    def word(self, name: str) -> str:
        """Read what goes into a URL or a header as it is."""
        value = self.optional(name)
        if not value or _WORD.fullmatch(value):
            return value
        self.refuse(name, "must be letters, digits, dots, dashes and underscores only")
        return ""  # or the URL that it goes into would be named as well

    def url(self, name: str, default: str) -> str:
        value = self.optional(name, default).rstrip("/")
        address = base_url(value)
        if address is None:
            self.refuse(name, "must be an http(s) URL")
        elif not self.runs_locally and address.scheme != "https":
            self.refuse(name, "must be an https URL, except in a local run")
        elif not self.runs_locally and address.host in LOOPBACK_HOSTS:
            self.refuse(name, "is an address of this machine, which only a local run may use")
        return value

    def switch(self, name: str) -> bool:
        """Read what OpenTelemetry and the Functions worker take for true."""
        return self.optional(name).lower() in ("true", "1", "yes")

    def count(self, name: str, default: int) -> int:
        value = self.optional(name, str(default))
        if not (value.isascii() and value.isdigit() and 0 < len(value) < 10 and int(value) > 0):  # noqa: PLR2004
            self.refuse(name, "must be a whole number, 1 or more")
            return default
        return int(value)


def _read_all(read: _Reader) -> Settings:
    """Read all settings, whatever is wrong with them."""
    lifetime = read.count("MessageLifetimeSeconds", DEFAULT_MESSAGE_LIFETIME)
    return Settings(
        storage=_reached_from_here(read, _storage(read)),
        direct_line_endpoint=_direct_line(read),
        direct_line_secret=_direct_line_secret(read),
        trigger_signing_keys=_signing_keys(read),
        message_lifetime=lifetime,
        max_attempts=read.count("MaxDeliveryAttempts", DEFAULT_MAX_ATTEMPTS),
        notification_lifetime=read.count("NotificationLifetimeSeconds", DAY),
        notifications_kept=read.count("KeepNotificationsDays", DEFAULT_KEEP_NOTIFICATIONS) * DAY,
        channel_rates=_channel_rates(read),
        connections_per_host=read.count("MaxConnectionsPerHost", DEFAULT_CONNECTIONS_PER_HOST),
        records_kept=_records_kept(read, lifetime),
        state_kept=read.count("KeepStateDays", DEFAULT_KEEP_STATE) * DAY,
        identity=_identity(read),
        service_urls=_service_urls(read),
        telemetry=_telemetry(read),
    )


def _direct_line(read: _Reader) -> str:
    value = read.url("DirectLineEndpoint", _cloud(read).direct_line_url)
    if value.count("/") > 2:  # noqa: PLR2004 - those of https://
        read.refuse("DirectLineEndpoint", "must have no path: the app adds /v3/directline itself")
    return value


def _direct_line_secret(read: _Reader) -> Secret:
    secret = read.secret("DirectLineSecret")
    if not _HEADER_VALUE.fullmatch(secret.reveal()):
        read.refuse("DirectLineSecret", "must be one word, as the Azure portal shows it")
    return secret


def _channel_rates(read: _Reader) -> dict[str, float]:
    """Read how fast notifications are sent, such as "msteams=45, slack=1"; others have no limit."""
    rates = {}
    for part in read.optional("ChannelRates", DEFAULT_CHANNEL_RATES).split(","):
        channel, _, rate = (each.strip() for each in part.partition("="))
        if not _RATE.fullmatch(rate) or not is_id(channel) or not 0 < float(rate) <= 10**6:
            read.refuse("ChannelRates", 'must be channels and messages a second: "msteams=45"')
            break
        rates[channel] = float(rate)
    return rates


def _records_kept(read: _Reader, lifetime: int) -> int:
    """Read how long a message is remembered: for as long as a copy of it can come, at least."""
    kept = read.count("KeepRecordsDays", DEFAULT_KEEP_RECORDS) * DAY
    least = -(-(lifetime + LONGEST_HIDDEN) // DAY)
    if kept < least * DAY:
        read.refuse(
            "KeepRecordsDays", f"must be {least} or more, to outlive every copy of a message"
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
        read.refuse(_STORAGE, f"and {by_identity[0]} are both set: one must go")
    account = read.optional(f"{_STORAGE}__accountName")
    if account and not _ACCOUNT.fullmatch(account):
        read.refuse(f"{_STORAGE}__accountName", "must be 3 to 24 small letters and digits")
        account = "malformed"  # named once is enough
    return StorageLocation(
        _service_uri(read, "queue", account), _service_uri(read, "table", account), _login(read)
    )


def _reached_from_here(read: _Reader, location: StorageLocation) -> StorageLocation:
    """Refuse the emulator and plain http for an app that is no local run."""
    if read.runs_locally:
        return location
    addresses = list(filter(None, map(base_url, (location.queue_url, location.table_url))))
    login = location.login
    if isinstance(login, SharedKey) and login.account == _EMULATOR:
        read.refuse(_STORAGE, "is the storage emulator, which only a local run may use")
    elif any(host in LOOPBACK_HOSTS for _, host in addresses):
        read.refuse(_STORAGE, "is an address of this machine, which only a local run may use")
    elif any(scheme != "https" for scheme, _ in addresses):
        read.refuse(_STORAGE, "must say https, except in a local run")
    return location


def _service_uri(read: _Reader, service: str, account: str) -> str:
    name = f"{_STORAGE}__{service}ServiceUri"
    default = f"https://{account}.{service}.core.windows.net" if account else ""
    if not read.optional(name, default):
        read.refuse(name, f"is missing (or set {_STORAGE}__accountName)")
        return ""
    value = read.url(name, default)
    if not _may_serve(value, service):
        read.refuse(name, f"must be the base address of the account's {service}s")
    return value


def _login(read: _Reader) -> Login:
    kind = read.optional(f"{_STORAGE}__credential").lower()
    client_id = read.word(f"{_STORAGE}__clientId")
    if kind not in ("", "managedidentity"):
        read.refuse(f"{_STORAGE}__credential", "must be managedidentity, or not be set")
        return DeveloperSignIn()  # whatever else it needs is not known
    if not kind and client_id:
        read.refuse(
            f"{_STORAGE}__credential",
            f"is missing ({_STORAGE}__clientId is set): managedidentity",
        )
    if not kind and read.runs_locally:
        return DeveloperSignIn()
    reason = f" ({_STORAGE}__credential is managedidentity)" if kind else " (no identity is here)"
    return ManagedIdentity(*_identity_endpoint(read, reason), client_id)


def _identity_endpoint(read: _Reader, reason: str) -> tuple[str, Secret]:
    """Read where the platform gives out tokens: an address of this machine, and its password."""
    endpoint = read.required("IDENTITY_ENDPOINT", reason)
    if base_url(endpoint) is None:
        read.refuse("IDENTITY_ENDPOINT", "must be an http(s) URL")
    return endpoint, Secret(read.required("IDENTITY_HEADER", reason))


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
    if login is None:
        read.refuse(_STORAGE, "must be a storage account's connection string")
    elif not (_may_serve(queue_url, "queue") and _may_serve(table_url, "table")):
        read.refuse(_STORAGE, "must say where the account's queues and tables are")
    elif isinstance(login, SharedAccessSignature) and not _covers_both(login):
        read.refuse(_STORAGE, "has a signature that must be for queues and tables")
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
    scheme = parts.get("defaultendpointsprotocol", "https").lower()
    suffix = parts.get("endpointsuffix", "core.windows.net").strip("./")
    account = parts.get("accountname")
    return f"{scheme}://{account}.{service}.{suffix}" if account else ""


def _may_serve(url: str, service: str) -> bool:
    """Tell whether this can be where a service is; Azure's own hosts have it in their name."""
    address = base_url(url)
    of_azure = address and _OF_AZURE.search(address.host)
    return address is not None and (
        not of_azure or (of_azure["service"] == service and url.count("/") == 2)  # noqa: PLR2004 - no path
    )


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
    keys = [key.strip() for key in read.secret("TriggerSigningKey").reveal().split(",")]
    if any(len(key) < MIN_SIGNING_KEY_LENGTH for key in keys):
        least = f"at least {MIN_SIGNING_KEY_LENGTH} characters in each key"
        read.refuse("TriggerSigningKey", f"needs {least}")
    return tuple(map(Secret, keys))


def _service_urls(read: _Reader) -> ServiceUrls:
    names = read.optional("AllowedServiceUrlHosts").lower().replace(",", " ").split()
    if not all(map(_HOST_NAME.fullmatch, names)):
        read.refuse(
            "AllowedServiceUrlHosts",
            "must be host names, with commas between them; a leading dot stands for all subdomains",
        )
    return ServiceUrls((*BOT_FRAMEWORK_HOSTS, *names), loopback=read.runs_locally)


def _telemetry(read: _Reader) -> Destination:
    """Read where telemetry goes, by the names that OpenTelemetry and Azure Functions have for it.

    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    https://learn.microsoft.com/azure/azure-functions/opentelemetry-howto?pivots=programming-language-python
    """
    otlp = read.optional("OTEL_EXPORTER_OTLP_ENDPOINT")
    if otlp and base_url(otlp) is None:
        read.refuse("OTEL_EXPORTER_OTLP_ENDPOINT", "must be an http(s) URL")
    protocol = read.optional("OTEL_EXPORTER_OTLP_PROTOCOL", _OTLP)
    if otlp and protocol != _OTLP:
        read.refuse("OTEL_EXPORTER_OTLP_PROTOCOL", f"must be {_OTLP}, or not be set")
    _check_otlp_headers(read)
    if read.switch("OTEL_SDK_DISABLED"):
        return Destination.NOWHERE
    if read.switch("PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY"):
        return Destination.PROVIDERS_AT_HAND
    if otlp:
        return Destination.OTLP
    # The connection string alone is the host's; if we used it, too, each log line would come twice.
    attached = read.switch("PYTHON_ENABLE_OPENTELEMETRY")
    if read.optional("APPLICATIONINSIGHTS_CONNECTION_STRING") and attached:
        return Destination.AZURE_MONITOR
    if read.optional("OTEL_TRACES_EXPORTER") == "console":
        return Destination.CONSOLE
    return Destination.PROVIDERS_AT_HAND if attached else Destination.NOWHERE


def _check_otlp_headers(read: _Reader) -> None:
    """Refuse what the exporter would log as malformed: it has an API key in it."""
    for of in ("", "TRACES_", "METRICS_", "LOGS_"):
        name = f"OTEL_EXPORTER_OTLP_{of}HEADERS"
        if not all(map(_OTLP_HEADER.fullmatch, filter(None, read.optional(name).split(",")))):
            read.refuse(name, "must be NAME=VALUE, with commas between them, values URL-encoded")


def _app_type(read: _Reader, app_id: str) -> AppType | None:
    """Read how the bot is registered; None if it is anonymous, or if that is not known.

    https://learn.microsoft.com/azure/bot-service/bot-service-quickstart-registration
    """
    value = read.optional("MicrosoftAppType")
    for known in APP_TYPES:
        if known.lower() == value.lower():
            return known
    if value:
        read.refuse("MicrosoftAppType", f"must be one of {', '.join(APP_TYPES)}")
    elif app_id or not read.runs_locally:
        read.refuse(
            "MicrosoftAppType",
            "is missing: UserAssignedMSI or SingleTenant, whichever the Azure Bot is "
            "(MultiTenant only if it was created so, before August 2025)",
        )
    return None


def _cloud(read: _Reader) -> Cloud:
    cloud = _CLOUDS.get(read.optional("ChannelService").lower().removesuffix("/"))
    if cloud is None:
        read.refuse("ChannelService", "must be empty or https://botframework.azure.us")
    return cloud or PUBLIC_CLOUD


def _identity(read: _Reader) -> BotIdentity:
    app_id, cloud = read.word("MicrosoftAppId"), _cloud(read)
    app_type = _app_type(read, app_id)
    managed, of_one_tenant = app_type == "UserAssignedMSI", app_type in ONE_TENANT
    if not read.runs_locally or of_one_tenant:
        read.required("MicrosoftAppId", "" if app_id else " (only a local run may be anonymous)")
    if app_id and app_type and not managed:
        read.required("MicrosoftAppPassword")
    if of_one_tenant:
        read.required("MicrosoftAppTenantId", f" (MicrosoftAppType is {app_type})")
    tenant = read.word("MicrosoftAppTenantId")
    login_tenant = tenant if of_one_tenant else cloud.default_tenant
    identity_endpoint, identity_header = "", Secret("")
    if managed:
        identity_endpoint, identity_header = _identity_endpoint(read, "")
    return BotIdentity(
        app_id=app_id,
        password=Secret(read.optional("MicrosoftAppPassword")),
        app_type=app_type or "MultiTenant",  # never asked for: it is anonymous, or refused
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
        identity_endpoint=identity_endpoint,
        identity_header=identity_header,
    )
