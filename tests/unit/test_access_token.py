"""Access tokens are kept, renewed in time and fetched once, however many wait for them."""

import asyncio

import pytest

from bot_logic.access_token import REFRESH_BEFORE, RETRY_PAUSE, AccessToken, KeptToken
from bot_logic.errors import ServiceUnavailable
from bot_logic.secret import Secret
from bot_logic.testing import ManualClock

HOUR = 3600


class Issuer:
    """Hands out token-1, token-2 and so on."""

    def __init__(self, lifetime: float = HOUR) -> None:
        self.times, self.lifetime, self.is_down = 0, lifetime, False

    async def __call__(self) -> AccessToken:
        self.times += 1
        await asyncio.sleep(0)
        if self.is_down:
            raise ServiceUnavailable("no access token: 503")
        return AccessToken(Secret(f"token-{self.times}"), self.lifetime)


class Scene:
    def __init__(self, lifetime: float = HOUR) -> None:
        self.clock, self.issuer = ManualClock(), Issuer(lifetime)
        self.kept = KeptToken(self.issuer, self.clock)

    async def token(self) -> str:
        return (await self.kept.token()).reveal()


async def test_a_token_is_fetched_once_and_kept() -> None:
    scene = Scene()
    assert [await scene.token() for _ in range(3)] == ["token-1"] * 3
    scene.clock.advance(HOUR - REFRESH_BEFORE - 1)
    assert await scene.token() == "token-1"
    assert scene.issuer.times == 1


async def test_many_who_wait_for_a_token_share_one_fetch() -> None:
    scene = Scene()
    assert set(await asyncio.gather(*(scene.token() for _ in range(20)))) == {"token-1"}
    assert scene.issuer.times == 1


async def test_a_token_is_renewed_before_it_expires() -> None:
    scene = Scene()
    await scene.token()
    scene.clock.advance(HOUR - REFRESH_BEFORE)
    assert await scene.token() == "token-2"


async def test_a_token_of_a_short_life_is_used_for_half_of_it() -> None:
    scene = Scene(lifetime=REFRESH_BEFORE)
    await scene.token()
    scene.clock.advance(REFRESH_BEFORE / 2 - 1)
    assert await scene.token() == "token-1"
    scene.clock.advance(1)
    assert await scene.token() == "token-2"


async def test_what_is_renewed_in_vain_is_used_and_asked_for_again_after_a_pause() -> None:
    scene = Scene()
    await scene.token()
    scene.clock.advance(HOUR - REFRESH_BEFORE)
    scene.issuer.is_down = True
    assert [await scene.token() for _ in range(5)] == ["token-1"] * 5
    assert scene.issuer.times == 2
    scene.clock.advance(RETRY_PAUSE)
    scene.issuer.is_down = False
    assert await scene.token() == "token-3"


async def test_what_has_expired_is_not_used_however_lately_it_was_asked_for() -> None:
    scene = Scene()
    await scene.token()
    scene.issuer.is_down = True
    scene.clock.advance(HOUR - 1)
    assert await scene.token() == "token-1"
    scene.clock.advance(1)
    with pytest.raises(ServiceUnavailable):
        await scene.token()


async def test_a_first_token_that_cannot_be_had_is_asked_for_each_time() -> None:
    scene = Scene()
    scene.issuer.is_down = True
    for _ in range(2):
        with pytest.raises(ServiceUnavailable):
            await scene.token()
    scene.issuer.is_down = False
    assert await scene.token() == "token-3"


async def test_a_token_that_was_refused_is_fetched_anew() -> None:
    scene = Scene()
    await scene.token()
    scene.kept.forget()
    assert await scene.token() == "token-2"


async def test_a_token_that_was_refused_is_not_used_again_when_there_is_no_other() -> None:
    scene = Scene()
    await scene.token()
    scene.kept.forget()
    scene.issuer.is_down = True
    with pytest.raises(ServiceUnavailable):
        await scene.token()
