"""Ids and addresses: what can be one, and which service URLs the bot may send to.

A conversation reference names its own service URL, and whoever writes one would like the bot to
call on them with its token. So the token goes to known hosts only: over https to the Bot
Framework's, in all clouds, and to those an operator adds; over http to this machine, and only in a
local run.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import chain
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

MAX_ID: Final = 1024  # characters; the longest conversation ids of known channels are a fifth of it
MAX_URL: Final = 2048  # characters

# The hosts of service URLs, by cloud; a name that begins with a dot stands for all its subdomains.
# All are allowed in every cloud: which of them a bot hears from, its tokens' issuer decides.
# The Bot Framework's: https://learn.microsoft.com/azure/bot-service/bot-service-resources-faq-security
# and https://github.com/microsoft/teams.ts/blob/main/packages/api/src/auth/cloud-environment.ts
# Teams': https://microsoft.github.io/teams-sdk/python/essentials/app-configuration/service-url-validation
HOSTS_BY_CLOUD: Final[Mapping[str, tuple[str, ...]]] = {
    "public": (
        ".botframework.com",
        "smba.trafficmanager.net",
        "smba.onyx.prod.teams.trafficmanager.net",
        "smba.infra.gcc.teams.microsoft.com",
    ),
    "Government": (
        ".botframework.us",
        ".botframework.azure.us",
        "smba.infra.gov.teams.microsoft.us",
        "smba.infra.dod.teams.microsoft.us",
    ),
    "China": (
        ".botframework.azure.cn",
        "frontend.botapi.msg.infra.teams.microsoftonline.cn",
    ),
}
BOT_FRAMEWORK_HOSTS: Final = tuple(chain.from_iterable(HOSTS_BY_CLOUD.values()))
LOOPBACK_HOSTS: Final = ("localhost", "127.0.0.1", "::1")

_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# A name of labels of up to 63 characters (RFC 1035 section 2.3.4), or an IPv6 address.
_LABEL: Final = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?|[0-9a-f:.]*:[0-9a-f:.]*")


def is_id(value: Any) -> bool:
    """Tell whether this can be an id: it goes into URLs and into log lines."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_ID
        and value.isprintable()  # no line breaks, no halves of characters
        and value not in (".", "..")
    )


def is_guid(value: Any) -> bool:
    """Tell whether this is a GUID, as Entra names people and tenants, in letters of any size."""
    return isinstance(value, str) and _GUID.fullmatch(value) is not None


def printable_id(value: str | None) -> str:
    """Return an id as it is, or else a digest of it: what goes into a log line cannot forge one."""
    if value is not None and is_id(value):
        return value
    return sha256((value or "").encode("utf-8", "surrogatepass")).hexdigest()[:32]


class BaseUrl(NamedTuple):
    """The scheme and the host of an address to which paths can be appended; in lower case."""

    scheme: str
    host: str


def base_url(value: Any) -> BaseUrl | None:
    """Take an address apart; None unless it is http(s), has a host, no credentials, no query."""
    return _base_url(value) if isinstance(value, str) and len(value) <= MAX_URL else None


def is_base_url(value: Any) -> bool:
    """Tell whether paths can be appended to this."""
    return base_url(value) is not None


@lru_cache(maxsize=256)  # each turn asks thrice, about one of a handful of service URLs
def _base_url(value: str) -> BaseUrl | None:
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        has_host = bool(_HOST.fullmatch(host)) and parts.port != 0
    except ValueError:  # of .port, too, if it is no port number
        return None
    plain = not (parts.username or parts.password or "?" in value or "#" in value)
    sound = value.isprintable() and " " not in value and parts.scheme in ("http", "https")
    return BaseUrl(parts.scheme, host.rstrip(".")) if sound and has_host and plain else None


@dataclass(frozen=True, slots=True)
class ServiceUrls:
    """The service URLs that may be sent to.

    Attributes:
        hosts: host names in lower case; one with a leading dot stands for its subdomains.
        loopback: whether http to this machine is fine, too.
    """

    hosts: tuple[str, ...]
    loopback: bool

    def allow(self, url: str) -> bool:
        """Tell whether the bot may send to this address."""
        address = base_url(url)
        if address is None:
            return False
        scheme, host = address
        if self.loopback and host in LOOPBACK_HOSTS:
            return True
        return scheme == "https" and any(
            host == known or (known.startswith(".") and host.endswith(known))
            for known in self.hosts
        )
