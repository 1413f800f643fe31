"""Who gets in: real tokens of the local Direct Line, and everything else that claims to be one."""

import asyncio
import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_logic.bot_endpoint.sdk.authentication import CLOCK_SKEW
from bot_logic.bot_endpoint.sdk.signing_keys import MAX_AGE, UNKNOWN_PAUSE
from bot_logic.clock import SYSTEM_CLOCK
from bot_logic.testing import ManualClock
from tests.functional.app_under_test import APP_ID, AppUnderTest

STRANGERS_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CHANNEL_ISSUER = "https://api.botframework.com"
EMULATOR_ISSUER = "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"


def activity(app: AppUnderTest, **changes: Any) -> dict[str, Any]:
    return {
        "type": "event",
        "name": "nothing",
        "channelId": "directline",
        "serviceUrl": app.direct_line.base_url,
        "conversation": {"id": "c1"},
        "from": {"id": "u1"},
        "recipient": {"id": "b1"},
    } | changes


def claims(app: AppUnderTest, **changes: Any) -> dict[str, Any]:
    now = int(app.overrides.get("clock", SYSTEM_CLOCK).now())
    valid = {
        "iss": CHANNEL_ISSUER,
        "aud": APP_ID,
        "serviceurl": app.direct_line.base_url,
        "nbf": now,
        "exp": now + 600,
    }
    return {name: value for name, value in (valid | changes).items() if value is not None}


def token(
    app: AppUnderTest,
    key: Any = None,
    algorithm: str = "RS256",
    headers: dict[str, Any] | None = None,
    **changes: Any,
) -> str:
    """A token that the local Direct Line could have signed, but for the changes."""
    own = app.direct_line.bot.signing_key
    if key is None:
        return own.sign(claims(app, **changes), headers)
    key_id = {"kid": own.public()["kid"]}
    return jwt.encode(claims(app, **changes), key, algorithm, key_id | (headers or {}))


def crafted(header: Any, payload: Any) -> str:
    """A token as no library makes it."""
    parts = [json.dumps(part).encode() for part in (header, payload)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (*parts, b"x"))


async def status_for(app: AppUnderTest, bearer: str, **changes: Any) -> tuple[int, str]:
    answer = await app.post(activity(app, **changes), {"Authorization": f"Bearer {bearer}"})
    return (200, "") if answer.status == 200 else answer.error


async def test_a_channels_token_gets_in(registered_app: AppUnderTest) -> None:
    assert await status_for(registered_app, token(registered_app)) == (200, "")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic abc",
        "Bearer a",
        "Bearer a.b.c",
        "Bearer " + "x" * 7000,
        f"Bearer {crafted({'alg': 'RS256'}, {'iss': [CHANNEL_ISSUER]})}",
        f"Bearer {crafted({'alg': 'RS256'}, {'iss': CHANNEL_ISSUER})}",
        f"Bearer {crafted({'alg': 'RS256', 'kid': 7}, {'iss': CHANNEL_ISSUER})}",
        f"Bearer {crafted({'alg': 'RS256', 'kid': []}, {'iss': CHANNEL_ISSUER})}",
        f"Bearer {crafted([], {})}",
        f"Bearer {crafted({'alg': 'RS256'}, [])}",
    ],
    ids=repr,
)
async def test_what_is_no_token_is_401(registered_app: AppUnderTest, header: str) -> None:
    headers = {"Authorization": header} if header else None
    answer = await registered_app.post(activity(registered_app), headers)
    assert answer.error == (401, "Unauthorized")


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"nbf": 4_000_000_000},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": None},
        {"headers": {"kid": "unknown"}},
        {"key": STRANGERS_KEY},
        {"key": "", "algorithm": "none"},
        {"key": "k" * 64, "algorithm": "HS256"},
    ],
    ids=[
        "expired",
        "not yet valid",
        "issuer",
        "no issuer",
        "no expiry",
        "unknown kid",
        "signature",
        "alg none",
        "alg HS256",
    ],
)
async def test_a_token_that_proves_nothing_is_401(
    registered_app: AppUnderTest, changes: dict[str, Any]
) -> None:
    bearer = token(registered_app, **changes)
    assert await status_for(registered_app, bearer) == (401, "Unauthorized")


async def test_the_public_key_used_as_a_shared_secret_is_401(registered_app: AppUnderTest) -> None:
    jwk = registered_app.direct_line.bot.signing_key.public()
    pem = jwt.PyJWK(jwk, "RS256").key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header, payload, _ = token(registered_app).split(".")
    header = jwt.encode({}, "k" * 64, "HS256", {"kid": jwk["kid"]}).split(".")[0]
    signing = jwt.get_algorithm_by_name("HS256")
    signature = signing.sign(f"{header}.{payload}".encode(), pem)
    bearer = f"{header}.{payload}.{jwt.utils.base64url_encode(signature).decode()}"
    assert await status_for(registered_app, bearer) == (401, "Unauthorized")


async def test_a_token_for_another_bot_is_403(registered_app: AppUnderTest) -> None:
    assert await status_for(registered_app, token(registered_app, aud="other")) == (
        403,
        "Forbidden",
    )


@pytest.mark.parametrize("service_url", ["http://localhost:1", None])
async def test_a_token_for_another_service_url_is_403(
    registered_app: AppUnderTest, service_url: str | None
) -> None:
    bearer = token(registered_app, serviceurl=service_url)
    assert await status_for(registered_app, bearer) == (403, "Forbidden")


def spelled(url: str) -> dict[str, str]:
    """The same service URL, as the services write it in tokens."""
    return {
        "as it is": url,
        "last slash": f"{url}/",
        "capitals": url.upper(),
        "both": f"{url.upper()}/",
    }


@pytest.mark.parametrize("in_token", ["as it is", "last slash", "capitals", "both"])
@pytest.mark.parametrize("in_activity", ["as it is", "last slash", "capitals", "both"])
async def test_a_service_url_is_the_same_in_capitals_and_with_a_last_slash(
    registered_app: AppUnderTest, in_token: str, in_activity: str
) -> None:
    urls = spelled(f"{registered_app.direct_line.base_url}/Teams")
    bearer = token(registered_app, serviceurl=urls[in_token])
    assert await status_for(registered_app, bearer, serviceUrl=urls[in_activity]) == (200, "")


@pytest.mark.parametrize("name", ["serviceurl", "serviceUrl", "ServiceUrl"])
async def test_the_claim_is_known_by_both_its_names(
    registered_app: AppUnderTest, name: str
) -> None:
    named: dict[str, Any] = {"serviceurl": None, name: registered_app.direct_line.base_url}
    assert await status_for(registered_app, token(registered_app, **named)) == (200, "")


@pytest.mark.parametrize("addition", ["x", "/x", "//", ":1", "/?", "/#", " ", ".evil.example"])
async def test_a_service_url_that_differs_in_more_is_another(
    registered_app: AppUnderTest, addition: str
) -> None:
    other = f"{registered_app.direct_line.base_url}{addition}"
    bearer = token(registered_app, serviceurl=other)
    assert await status_for(registered_app, bearer) == (403, "Forbidden")


@pytest.mark.parametrize("other", ["https://evil.example", "", None, 7, [], {}], ids=repr)
async def test_a_token_for_two_service_urls_is_for_neither(
    registered_app: AppUnderTest, other: Any
) -> None:
    urls: dict[str, Any] = {
        "serviceurl": registered_app.direct_line.base_url,
        "serviceUrl": other or [other],
    }
    assert await status_for(registered_app, token(registered_app, **urls)) == (403, "Forbidden")


@pytest.mark.parametrize(
    "audience", [APP_ID.upper(), [APP_ID], ["other", APP_ID.upper()]], ids=repr
)
async def test_a_bots_id_is_the_same_in_capitals(
    registered_app: AppUnderTest, audience: Any
) -> None:
    assert await status_for(registered_app, token(registered_app, aud=audience)) == (200, "")


@pytest.mark.parametrize(
    "audience", ["", 7, {}, [], ["other", 7], [[APP_ID]], f"{APP_ID}0"], ids=repr
)
async def test_a_token_for_whatever_else_is_403(
    registered_app: AppUnderTest, audience: Any
) -> None:
    bearer = token(registered_app, aud=audience)
    assert await status_for(registered_app, bearer) == (403, "Forbidden")


async def test_a_channel_is_endorsed_whichever_way_its_id_is_written(
    registered_app: AppUnderTest,
) -> None:
    bearer = token(registered_app)
    assert await status_for(registered_app, bearer, channelId="DirectLine") == (200, "")


async def test_a_key_may_sign_only_for_the_channels_that_endorse_it(
    registered_app: AppUnderTest,
) -> None:
    bearer = token(registered_app)
    assert await status_for(registered_app, bearer, channelId="msteams") == (403, "Forbidden")


async def test_the_first_who_write_to_a_fresh_process_all_get_in(
    registered_app: AppUnderTest,
) -> None:
    registered_app.fail("signing_keys", 0, delay=0.2)
    bearer = token(registered_app)
    answers = await asyncio.gather(*(status_for(registered_app, bearer) for _ in range(24)))
    assert answers == [(200, "")] * 24


@pytest.fixture
async def clock(registered_app: AppUnderTest) -> ManualClock:
    """The time of `registered_app`, which stands still until a test moves it."""
    manual = ManualClock(SYSTEM_CLOCK.now())
    await registered_app.rewire(clock=manual)
    return manual


@pytest.mark.parametrize(
    ("time", "by", "outcome"),
    [
        ("exp", -CLOCK_SKEW + 1, (200, "")),
        ("exp", -CLOCK_SKEW, (401, "Unauthorized")),
        ("nbf", CLOCK_SKEW, (200, "")),
        ("nbf", CLOCK_SKEW + 1, (401, "Unauthorized")),
        ("iat", CLOCK_SKEW, (200, "")),
        ("iat", CLOCK_SKEW + 1, (401, "Unauthorized")),
        ("exp", 0.5, (200, "")),
    ],
)
async def test_a_tokens_times_are_judged_by_the_clock_that_is_handed_in(
    registered_app: AppUnderTest,
    clock: ManualClock,
    time: str,
    by: float,
    outcome: tuple[int, str],
) -> None:
    clock.advance(int(clock.now()) + 1 - clock.now())  # to a whole second
    clock.advance(MAX_AGE)
    times: dict[str, Any] = {time: clock.now() + by}
    bearer = token(registered_app, **times)
    assert await status_for(registered_app, bearer) == outcome


@pytest.mark.parametrize("time", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["soon", True, [], {}, float("nan"), float("inf")], ids=repr)
async def test_a_time_that_is_no_number_is_401(
    registered_app: AppUnderTest, time: str, value: Any
) -> None:
    bearer = token(registered_app, **{time: value})
    assert await status_for(registered_app, bearer) == (401, "Unauthorized")


async def test_a_rotated_signing_key_works_at_its_first_use(registered_app: AppUnderTest) -> None:
    assert (await status_for(registered_app, token(registered_app)))[0] == 200
    registered_app.direct_line.bot.rotate_signing_key()
    assert (await status_for(registered_app, token(registered_app)))[0] == 200


async def test_all_who_come_with_a_new_key_get_in_by_one_fetch(
    registered_app: AppUnderTest,
) -> None:
    assert (await status_for(registered_app, token(registered_app)))[0] == 200
    registered_app.direct_line.bot.rotate_signing_key()
    fetches = registered_app.fail("openid_configuration", 0, delay=0.2)
    bearer = token(registered_app)
    answers = await asyncio.gather(*(status_for(registered_app, bearer) for _ in range(24)))
    assert answers == [(200, "")] * 24
    assert fetches.hits == 1


async def test_a_known_key_does_not_wait_for_what_an_unknown_one_causes(
    registered_app: AppUnderTest,
) -> None:
    assert (await status_for(registered_app, token(registered_app)))[0] == 200
    fetches = registered_app.fail("openid_configuration", 0, delay=3)
    stranger = asyncio.create_task(
        status_for(registered_app, token(registered_app, headers={"kid": "made up"}))
    )
    async with asyncio.timeout(3):
        while True:
            if fetches.hits:
                break
            await asyncio.sleep(0.01)
    assert (await status_for(registered_app, token(registered_app)))[0] == 200
    assert not stranger.done()
    assert await stranger == (401, "Unauthorized")


async def test_unknown_key_ids_do_not_hammer_the_metadata_server(
    registered_app: AppUnderTest, clock: ManualClock
) -> None:
    fetches = registered_app.fail("openid_configuration", 0, delay=0.0)
    assert (await status_for(registered_app, token(registered_app)))[0] == 200
    for number in range(20):
        await status_for(registered_app, token(registered_app, headers={"kid": f"k{number}"}))
    assert fetches.hits == 2  # the first, and one for all of these
    clock.advance(UNKNOWN_PAUSE + 1)
    await status_for(registered_app, token(registered_app, headers={"kid": "another"}))
    assert fetches.hits == 3


async def test_known_keys_survive_a_dead_metadata_server(
    registered_app: AppUnderTest, clock: ManualClock
) -> None:
    assert (await status_for(registered_app, token(registered_app)))[0] == 200
    clock.advance(MAX_AGE + 1)
    dead = registered_app.fail("openid_configuration", 500)
    assert (await status_for(registered_app, token(registered_app)))[0] == 200
    assert dead.hits == 1


async def test_without_any_key_the_answer_is_503_and_not_yes(registered_app: AppUnderTest) -> None:
    registered_app.fail("signing_keys", 500)
    bearer = token(registered_app)
    assert await status_for(registered_app, bearer) == (503, "ServiceUnavailable")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ver": "1.0", "appid": APP_ID}, (200, "")),
        ({"ver": "2.0", "azp": APP_ID}, (200, "")),
        ({"ver": "2.0", "azp": APP_ID.upper(), "aud": APP_ID.upper()}, (200, "")),
        ({"ver": "1.0", "appid": "another app"}, (403, "Forbidden")),
        ({"ver": "2.0", "appid": APP_ID}, (403, "Forbidden")),
        ({"ver": "1.0", "appid": APP_ID, "aud": "another app"}, (403, "Forbidden")),
    ],
    ids=["version 1", "version 2", "capitals", "a skill's", "wrong claim", "wrong audience"],
)
async def test_the_emulators_token_must_be_the_bots_own(
    registered_app: AppUnderTest, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    local_keys = registered_app.environ["ToBotFromChannelOpenIdMetadataUrl"]
    await registered_app.rewire({"ToBotFromEmulatorOpenIdMetadataUrl": local_keys})
    bearer = token(registered_app, iss=EMULATOR_ISSUER, **changes)
    assert await status_for(registered_app, bearer) == expected


async def test_who_is_not_known_cannot_make_the_bot_read_much(
    registered_app: AppUnderTest,
) -> None:
    much = activity(registered_app, membersAdded=5, attachments=[{}] * 10_000)
    answer = await registered_app.post(much)
    assert answer.error == (401, "Unauthorized")


async def test_a_refused_request_sends_nothing(registered_app: AppUnderTest) -> None:
    ada = await registered_app.user()
    message = activity(
        registered_app, type="message", text="hi", conversation={"id": ada.conversation_id}
    )
    assert (await registered_app.post(message)).error == (401, "Unauthorized")
    assert len(await ada.hears(1)) == 1
    assert await registered_app.queued() == []


async def test_who_is_not_known_does_not_learn_which_addresses_are_allowed(
    registered_app: AppUnderTest,
) -> None:
    elsewhere = activity(registered_app, serviceUrl="https://evil.example")
    assert (await registered_app.post(elsewhere)).error == (401, "Unauthorized")


async def test_who_is_known_is_told_that_an_address_is_not_allowed(
    registered_app: AppUnderTest,
) -> None:
    bearer = token(registered_app, serviceurl="https://evil.example")
    headers = {"Authorization": f"Bearer {bearer}"}
    elsewhere = activity(registered_app, serviceUrl="https://evil.example")
    answer = await registered_app.post(elsewhere, headers)
    assert answer.error == (403, "Forbidden")
    assert answer.body["error"]["field"] == "serviceUrl"
