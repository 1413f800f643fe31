"""Who the bot is towards the Bot Framework, in which Azure cloud."""

from dataclasses import dataclass
from typing import Final, Literal

from bot_logic.secret import Secret

AppType = Literal["MultiTenant", "SingleTenant", "UserAssignedMSI"]
APP_TYPES: Final[tuple[AppType, ...]] = ("MultiTenant", "SingleTenant", "UserAssignedMSI")
ONE_TENANT: Final[tuple[AppType, ...]] = ("SingleTenant", "UserAssignedMSI")


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where tokens come from and who signs them, and where Direct Line is, in one Azure cloud.

    https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
    https://learn.microsoft.com/azure/bot-service/bot-service-channel-directline-extension-net-bot
    """

    channel_token_issuer: str
    channel_openid_metadata_url: str
    emulator_openid_metadata_url: str
    login_url: str
    default_tenant: str
    oauth_scope: str
    direct_line_url: str


PUBLIC_CLOUD: Final = Cloud(
    channel_token_issuer="https://api.botframework.com",  # noqa: S106 - an issuer, no secret
    channel_openid_metadata_url="https://login.botframework.com/v1/.well-known/openidconfiguration",
    emulator_openid_metadata_url=(
        "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration"
    ),
    login_url="https://login.microsoftonline.com",
    default_tenant="botframework.com",
    oauth_scope="https://api.botframework.com",
    direct_line_url="https://directline.botframework.com",
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
    direct_line_url="https://directline.botframework.azure.us",
)


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
    def teams_id(self) -> str:
        """The bot's own id in Teams; locally, where it is nobody's app, a name like one."""
        return f"28:{self.app_id or 'local-bot'}"

    @property
    def is_anonymous(self) -> bool:
        """Tell whether requests are neither signed nor checked."""
        return not self.app_id
