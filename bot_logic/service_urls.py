"""Which addresses the bot may send to, and with them its access token.

A conversation reference names its own service URL, and whoever writes one would like the bot to
call on them with its token. So it goes to known hosts only: over https to the Bot Framework's, in
all clouds, and to those an operator adds; over http to this machine, and only in a local run.
"""

from dataclasses import dataclass
from typing import Final

from bot_logic.wire import base_url

# A name that begins with a dot stands for all its subdomains.
# https://learn.microsoft.com/azure/bot-service/bot-service-resources-faq-security
# https://learn.microsoft.com/microsoftteams/platform/concepts/app-fundamentals-overview
BOT_FRAMEWORK_HOSTS: Final = (
    ".botframework.com",
    "smba.trafficmanager.net",  # Teams
    ".botframework.us",
    ".botframework.azure.us",
    "smba.infra.gcc.teams.microsoft.com",
    "smba.infra.gov.teams.microsoft.us",
    "smba.infra.dod.teams.microsoft.us",
    ".botframework.azure.cn",
)
LOOPBACK_HOSTS: Final = ("localhost", "127.0.0.1", "::1")


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
        """Whether the bot may send to this address."""
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
