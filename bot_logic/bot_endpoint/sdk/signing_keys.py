"""The public keys with which channels sign their requests, fetched and kept.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication#connector-to-bot
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import jwt

from bot_logic.clock import Clock
from bot_logic.errors import ServiceUnavailable
from bot_logic.outgoing import read_json
from bot_logic.single_flight import SingleFlight
from bot_logic.telemetry.log_events import Event, EventLog

CALL_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)  # seconds
MAX_AGE: Final = 24 * 3600  # seconds; the documentation asks for a refresh once a day
RETRY_PAUSE: Final = 60  # seconds after a refresh that failed while the keys at hand still serve
FIRST_PAUSE: Final = 1  # seconds between fetches while there is no key at all, and nobody gets in
# Seconds between fetches that unknown key ids cause. Anyone can make such ids up: so often the key
# server is asked at most, by each process, and so long a new key may be refused when that happens.
UNKNOWN_PAUSE: Final = 5

log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key, and the channels it may sign for, in lower case; none named means all."""

    key: jwt.PyJWK
    endorsements: frozenset[str]


class SigningKeys:
    """The keys published behind one OpenID metadata URL."""

    def __init__(self, session: aiohttp.ClientSession, metadata_url: str, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._metadata_url = metadata_url
        self._keys: Mapping[str, SigningKey] = {}
        self._asked_at = float("-inf")  # as the clock's `elapsed`
        self._fetched_at = float("-inf")
        self._unknown_at = float("-inf")
        self._refresh_once = SingleFlight(self._refresh)  # however many turns wait for it

    async def find(self, key_id: str) -> SigningKey | None:
        """Return the key of this id, or None if it is not published.

        A key id that is not known causes a fetch at once, or joins one that is under way; but not
        more often than every `UNKNOWN_PAUSE` seconds.

        Raises:
            ServiceUnavailable: the keys were never fetched and cannot be now.
        """
        if self._must_fetch(key_id):
            await self._refresh_once()
        if not self._keys:
            raise ServiceUnavailable("the channels' signing keys could not be fetched")
        return self._keys.get(key_id)

    def _must_fetch(self, key_id: str) -> bool:
        now, known = self._clock.elapsed(), key_id in self._keys
        if self._refresh_once.under_way:
            return not known
        if not self._keys:
            return now - self._asked_at > FIRST_PAUSE
        if known:
            return now - self._fetched_at > MAX_AGE and now - self._asked_at > RETRY_PAUSE
        if now - self._unknown_at < UNKNOWN_PAUSE:
            return False
        self._unknown_at = now
        return True

    async def _refresh(self) -> None:
        try:
            metadata = await self._get(self._metadata_url)
            published = await self._get(metadata["jwks_uri"])
            self._keys = _usable(published["keys"])
            self._fetched_at = self._clock.elapsed()
        except (aiohttp.ClientError, TimeoutError, ValueError, LookupError, TypeError) as error:
            log.warning(Event.SIGNING_KEYS_KEPT, error=type(error).__name__)
        finally:
            self._asked_at = self._clock.elapsed()

    async def _get(self, url: str) -> Any:
        async with self._session.get(url, timeout=CALL_TIMEOUT, allow_redirects=False) as response:
            response.raise_for_status()
            return await read_json(response)


def _usable(published: Iterable[Mapping[str, Any]]) -> Mapping[str, SigningKey]:
    """Read the keys that can be used here.

    Raises:
        ValueError: there are none; such an answer must not wipe those that are known.
    """
    keys = dict(filter(None, map(_signing_key, published)))
    if not keys:
        raise ValueError("no usable keys")
    return keys


def _signing_key(published: Mapping[str, Any]) -> tuple[str, SigningKey] | None:
    """Read one published key with its id; None for one of a kind that is not used here."""
    try:
        key = jwt.PyJWK(dict(published), algorithm="RS256")
        channels = frozenset(map(str.lower, published.get("endorsements") or ()))
        return published["kid"], SigningKey(key, channels)
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        return None
