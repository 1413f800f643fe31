"""Who may call the local servers: this machine's programs and pages, and those a developer names.

Any site that is open in the developer's browser can send requests to localhost. Its name stands in
`Origin`; or, once it has made its own name resolve to this machine (DNS rebinding), in `Host`. Both
are judged before a request is looked at any further. Programs that are no browser send no `Origin`.
A tunnel may put "localhost" into both; then `X-Forwarded-Host` has the name that was called.
https://fetch.spec.whatwg.org/#origin-header
https://github.com/microsoft/dev-tunnels/issues/507
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDictProxy

SETTING: Final = "AllowedLocalHosts"
FORWARDED: Final = "X-Forwarded-Host"
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_NAME: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_AUTHORITY: Final = re.compile(rf"(?P<name>{_NAME.pattern}|\[[0-9a-f:.]+\])(:[0-9]{{1,5}})?")
_ORIGIN: Final = re.compile(rf"https?://{_AUTHORITY.pattern}")
_SHOWN: Final = 100  # characters of a header in the log
_OTHER_NAME: Final = (
    "This server is called localhost, 127.0.0.1 or [::1]. If you reach it by another name, "
    f"for example through a tunnel, put that name into the setting {SETTING}."
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Callers:
    """The host names under which a local server may be called, and whose pages may call it.

    Attributes:
        names: in lower case, without ports.
    """

    names: frozenset[str] = LOOPBACK

    @classmethod
    def from_setting(cls, value: str) -> Self:
        """Return this machine's names and those of the setting, which has commas between them.

        Raises:
            ValueError: it holds something else than host names.
        """
        names = value.lower().replace(",", " ").split()
        if not all(map(_NAME.fullmatch, names)):
            raise ValueError(f"{SETTING} must be host names, without ports, with commas between")
        return cls(LOOPBACK.union(names))

    def may_address(self, host: str) -> bool:
        """Tell whether a request may name this host, with any port."""
        return self._knows(_AUTHORITY.fullmatch(host.lower()))

    def may_come_from(self, origin: str) -> bool:
        """Tell whether a page of this origin may call."""
        return self._knows(_ORIGIN.fullmatch(origin.lower()))

    def _knows(self, match: re.Match[str] | None) -> bool:
        return match is not None and match["name"].strip("[]") in self.names


ONLY_THIS_MACHINE: Final = Callers()


def refuse_others(allowed: Callers) -> Middleware:
    """Make the outermost middleware of a local server: it answers 403 to whom may not call."""

    @web.middleware
    async def judge(request: web.Request, handler: Handler) -> web.StreamResponse:
        problem = _problem(request.headers, allowed)
        return await handler(request) if problem is None else _refusal(problem)

    return judge


def _problem(headers: CIMultiDictProxy[str], allowed: Callers) -> str | None:
    hosts, origins = headers.getall("Host", []), headers.getall("Origin", [])
    if len(hosts) != 1 or not allowed.may_address(hosts[0]):
        _log("Host", hosts)
        return _OTHER_NAME
    called = [name.strip() for each in headers.getall(FORWARDED, []) for name in each.split(",")]
    if not all(map(allowed.may_address, called)):
        _log(FORWARDED, called)
        return _OTHER_NAME
    if not all(map(allowed.may_come_from, origins)):
        _log("Origin", origins)
        return (
            "Only pages of this machine may call this server. If the page is yours, put its host "
            f"name into the setting {SETTING}."
        )
    return None


def _log(header: str, values: Sequence[str]) -> None:
    shown = ", ".join(values)[:_SHOWN]
    logger.warning("request refused: %s %r is not in %s", header, shown, SETTING)


def _refusal(message: str) -> web.Response:
    return web.json_response({"error": {"code": "Forbidden", "message": message}}, status=403)
