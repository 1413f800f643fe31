"""An app that runs, here or in Azure: what its own health function says, with remedies."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from bot_logic.addresses import is_base_url
from bot_logic.outgoing import json_or_none
from local_dev.doctor.findings import Finding, are_well, ok, problem

PATIENCE: Final = aiohttp.ClientTimeout(total=60)  # seconds; an app that sleeps has to wake up
TABLE: Final = "docs/deploy.md has a table of what goes wrong in Azure"
REMEDIES: Final[Mapping[str, str]] = {
    "queue": "check AzureWebJobsStorage and the identity's roles: docs/deploy.md",
    "tables": "check AzureWebJobsStorage and the identity's roles: docs/deploy.md",
    "directLine": "check DirectLineSecret and DirectLineEndpoint against the bot's Direct Line "
    "channel in the Azure portal",
    "login": "check MicrosoftAppId, MicrosoftAppType and the secret or the identity behind them",
}
SETTINGS: Final = "az functionapp config appsettings set: docs/deploy.md"


async def findings(url: str) -> Sequence[Finding]:
    """Ask the app at this address, which is that of its host, without a path."""
    if not is_base_url(url):
        return [problem("app", "its address is no http(s) URL", "--url https://HOST")]
    try:
        async with (
            aiohttp.ClientSession(timeout=PATIENCE) as session,
            session.get(f"{url.rstrip('/')}/api/health", allow_redirects=False) as answer,
        ):
            return list(said(answer.status, await json_or_none(answer)))
    except (aiohttp.ClientError, TimeoutError) as error:
        remedy = "is it the app's host name, and does the app run? az functionapp show"
        return [problem("app", f"does not answer: {type(error).__name__}", remedy)]


def said(status: int, body: Any) -> Iterator[Finding]:
    """Yield what an answer of the health function says, or that it is none."""
    report = body if isinstance(body, dict) else {}
    problems, checks = report.get("problems"), report.get("checks")
    if isinstance(problems, list) and problems:
        yield from (problem("setting", str(each), SETTINGS) for each in problems)
        return
    found = [_checked(*each) for each in checks.items()] if isinstance(checks, dict) else []
    yield from found
    if not found or (are_well(found) and status != HTTPStatus.OK):
        text = f"answered {status}, and not as this app does"
        yield problem("app", text, f"was it deployed there? {TABLE}")


def _checked(name: str, outcome: Any) -> Finding:
    if outcome == "reachable":
        return ok(name, "reachable for the app")
    return problem(name, f"{outcome} for the app", REMEDIES.get(name, TABLE))
