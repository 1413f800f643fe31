"""What the app depends on, asked as the app asks it: storage, Direct Line, the login server."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

from bot_logic.addresses import LOOPBACK_HOSTS, base_url
from bot_logic.bot_endpoint import credentials_of
from bot_logic.clock import Clock
from bot_logic.contract.envelope import QUEUE_NAME
from bot_logic.contract.trigger_token import CLOCK_LEEWAY
from bot_logic.conversations import TABLE_NAME
from bot_logic.errors import ProactiveBotError
from bot_logic.outgoing import Session, open_session
from bot_logic.queue_worker import direct_line
from bot_logic.settings import Settings
from bot_logic.storage.account import StorageAccount
from bot_logic.storage.location import StorageLocation
from local_dev.doctor.findings import Finding, note, ok, problem

PATIENCE: Final = 25.0  # seconds for one check; each call in it has a limit of its own
DATE_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)  # seconds
START: Final = "start it: make run"
STORAGE: Final = (
    "check AzureWebJobsStorage; an identity needs the roles of docs/deploy.md#storage-without-a-key"
)
DIRECT_LINE: Final = (
    "check DirectLineSecret and DirectLineEndpoint against the bot's Direct Line channel in the "
    "Azure portal; locally, the running make run has read local.settings.json when it started"
)
CLOCK: Final = "set this machine's clock by the network: timedatectl set-ntp true"
LOGIN: Final = (
    "check MicrosoftAppId, MicrosoftAppPassword, MicrosoftAppTenantId and MicrosoftAppType"
)
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
LOGIN_BY_NUMBER: Final = {
    "AADSTS7000215": "MicrosoftAppPassword is not a secret of this app (the secret's value is "
    "wanted, not its id): az ad app credential reset --id APP_ID",
    "AADSTS7000222": "the client secret has expired: az ad app credential reset --id APP_ID",
    "AADSTS7000229": "the app has no service principal: az ad sp create --id APP_ID",
    "AADSTS700016": "no app of this id is in the tenant: check MicrosoftAppId, "
    "MicrosoftAppTenantId and MicrosoftAppType",
    "AADSTS90002": "there is no such tenant: check MicrosoftAppTenantId",
}


async def findings(
    settings: Settings | None, storage: StorageLocation | None, clock: Clock, *, idle: bool
) -> Sequence[Finding]:
    """Ask each of them; what a wrong setting keeps from being asked is said.

    Args:
        settings: None if some are wrong.
        storage: None if those of the storage account are wrong.
        clock: this machine's.
        idle: nothing of a local run is up, so that what would be on this machine is no problem.
    """
    asked = [
        *([_storage(storage, clock, idle=idle)] if storage else []),
        *([_others(settings, clock, idle=idle)] if settings else []),
    ]
    found = [each for group in await asyncio.gather(*asked) for each in group]
    if settings is None:
        found.append(note("Direct Line, login", "not asked, as a setting cannot be used here"))
    return found


async def _storage(location: StorageLocation, clock: Clock, *, idle: bool) -> Sequence[Finding]:
    if idle and _is_here(location.queue_url):
        return [note("storage", "Azurite is not running", START)]
    account = StorageAccount(location, clock=clock)
    remedy = START if _is_here(location.queue_url) else STORAGE
    try:
        return await asyncio.gather(
            _asked("queue", account.queue(QUEUE_NAME).check, remedy),
            _asked("tables", account.table(TABLE_NAME).check, remedy),
            _clock(location.queue_url, clock),
        )
    finally:
        await account.close()


async def _others(settings: Settings, clock: Clock, *, idle: bool) -> Sequence[Finding]:
    session = open_session(settings.connections_per_host)
    try:
        return await asyncio.gather(
            _direct_line(settings, session, idle=idle), _login(settings, session, clock)
        )
    finally:
        await session.close()


async def _direct_line(settings: Settings, session: Session, *, idle: bool) -> Finding:
    endpoint = settings.direct_line_endpoint
    if idle and _is_here(endpoint):
        return note("Direct Line", "the local one is not running", START)
    service = direct_line(session, endpoint, settings.direct_line_secret)
    return await _asked("Direct Line", service.check, DIRECT_LINE, "accepts the secret")


async def _login(settings: Settings, session: Session, clock: Clock) -> Finding:
    if settings.identity.is_anonymous:
        return ok("login", "none needed: the bot is anonymous, as a local run may be")
    credentials = credentials_of(settings.identity, session, clock)

    async def log_in() -> None:
        await credentials.token()

    found = await _asked("login", log_in, LOGIN, "a token was fetched")
    known = [remedy for number, remedy in LOGIN_BY_NUMBER.items() if number in found.text.split()]
    return problem(found.subject, found.text, known[0]) if known else found


async def _asked(
    subject: str, check: Callable[[], Awaitable[None]], remedy: str, passed: str = "reachable"
) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE):
            await check()
    except (ProactiveBotError, TimeoutError) as error:
        return problem(subject, str(error) or type(error).__name__, remedy)
    return ok(subject, passed)


async def _clock(url: str, clock: Clock) -> Finding:
    """Hold this machine's clock against that of the storage service, which it has in each answer.

    https://www.rfc-editor.org/rfc/rfc9110#section-6.6.1
    """
    try:
        async with (
            aiohttp.ClientSession(timeout=DATE_TIMEOUT) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            theirs = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (aiohttp.ClientError, TimeoutError, LookupError, ValueError) as error:
        return note("clock", f"not compared: storage tells no time ({type(error).__name__})")
    ahead = round(clock.now() - theirs)
    said = f"{abs(ahead)} s {'behind' if ahead < 0 else 'ahead of'} storage's"
    # More than the two resources forgive each other, were one of them here.
    return problem("clock", said, CLOCK) if abs(ahead) > CLOCK_LEEWAY else ok("clock", said)


def _is_here(url: str) -> bool:
    address = base_url(url)
    return address is not None and address.host in LOOPBACK_HOSTS
