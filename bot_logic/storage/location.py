"""Where a storage account is and how the app proves who it is there; data only."""

from dataclasses import dataclass

from bot_logic.access_token import ManagedIdentity
from bot_logic.secret import Secret


@dataclass(frozen=True, slots=True)
class SharedKey:
    """The account's own key, in base64: the right to do everything."""

    account: str
    key: Secret


@dataclass(frozen=True, slots=True)
class SharedAccessSignature:
    """A token for some rights until some day, without its leading question mark."""

    token: Secret


@dataclass(frozen=True, slots=True)
class DeveloperSignIn:
    """Whoever is signed in on this machine, with `az login` for example."""


Login = SharedKey | SharedAccessSignature | ManagedIdentity | DeveloperSignIn


@dataclass(frozen=True, slots=True)
class StorageLocation:
    """A storage account: the base URLs of its queues and of its tables, and how to log in."""

    queue_url: str
    table_url: str
    login: Login
