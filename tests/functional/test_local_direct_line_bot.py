"""What the bot sees of the local Direct Line, which to it is the Bot Connector."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jwt
import pytest

from tests.functional.answer import Answer
from tests.functional.local_direct_line_scene import Scene, scene

APP_ID = "0a1b2c3d-0000-4000-8000-000000000001"
PASSWORD = "the-password-of-the-bot"
CREDENTIALS = {
    "grant_type": "client_credentials",
    "client_id": APP_ID,
    "client_secret": PASSWORD,
    "scope": "https://api.botframework.com/.default",
}


@pytest.fixture
async def line() -> AsyncIterator[Scene]:
    async with scene() as it:
        yield it


@pytest.fixture
async def signed() -> AsyncIterator[Scene]:
    async with scene(app_id=APP_ID, app_password=PASSWORD) as it:
        yield it


async def path_of(line: Scene, user: str = "dl_ann") -> str:
    return f"/v3/conversations/{(await line.start(user))['conversationId']}"


async def seen(line: Scene, path: str) -> list[dict[str, Any]]:
    answer = await line.client("GET", path.removeprefix("/v3/") + "/activities")
    return list(answer.body["activities"])


@pytest.mark.parametrize("end", ["activities", "activities/made-up-id", "activities/c%7C0000001"])
async def test_what_the_bot_says_is_shown(line: Scene, end: str) -> None:
    path = await path_of(line)
    said = {"type": "message", "text": "ready", "from": {"id": "somebody"}, "channelData": {"a": 1}}
    answer = await line.call("POST", f"{path}/{end}", said, token="")
    assert answer.status == 200
    [shown] = await seen(line, path)
    assert shown["id"] == answer.body["id"]
    assert shown["timestamp"]
    assert shown["from"] == {"id": "bot", "name": "Bot", "role": "bot"}
    assert (shown["text"], shown["channelData"]) == ("ready", {"a": 1})


async def test_typing_of_the_bot_is_streamed(line: Scene) -> None:
    conversation = await line.start()
    path = f"/v3/conversations/{conversation['conversationId']}/activities"
    async with line.session.ws_connect(conversation["streamUrl"]) as socket:
        await line.call("POST", path, {"type": "typing"}, token="")
        said = await socket.receive_json(timeout=5)
    assert [each["type"] for each in said["activities"]] == ["typing"]


async def test_an_updated_activity_is_shown_instead(line: Scene) -> None:
    conversation = await line.start()
    first = await line.bot_says(conversation, "draft")
    await line.bot_says(conversation, "other")
    path = f"/v3/conversations/{conversation['conversationId']}/activities/{first}"
    answer = await line.call("PUT", path, {"type": "message", "text": "final"}, token="")
    assert (answer.status, answer.body) == (200, {"id": first})
    assert await line.texts(conversation) == ["other", "final"]
    assert await line.texts(conversation, "2") == ["final"]


async def test_a_deleted_activity_is_not_shown_again(line: Scene) -> None:
    conversation = await line.start()
    first = await line.bot_says(conversation, "oops")
    path = f"/v3/conversations/{conversation['conversationId']}/activities/{first}"
    assert (await line.call("DELETE", path, token="")).status == 200
    assert await line.texts(conversation) == [""]  # of the messageDelete
    assert (await line.call("DELETE", path, token="")).error == (404, "ActivityNotFound")


async def test_members_are_the_user_and_the_bot(line: Scene) -> None:
    path = await path_of(line)
    members = (await line.call("GET", f"{path}/members", token="")).body
    assert [member["id"] for member in members] == ["dl_ann", "bot"]
    member = await line.call("GET", f"{path}/members/dl_ann", token="")
    assert (member.body["name"], member.body["role"]) == ("Ann", "user")
    missing = await line.call("GET", f"{path}/members/eve", token="")
    assert missing.error == (404, "MemberNotFound")


async def test_whoever_speaks_is_a_member(line: Scene) -> None:
    conversation = await line.start()
    await line.say(conversation, "hello")
    path = f"/v3/conversations/{conversation['conversationId']}/members/dl_ann"
    assert (await line.call("GET", path, token="")).body["name"] == "Ann"


async def test_the_bot_may_start_a_conversation(line: Scene) -> None:
    body = {"members": [{"id": "dl_ann"}], "activity": {"type": "message", "text": "first"}}
    answer = await line.call("POST", "/v3/conversations", body, token="")
    assert answer.status == 201
    assert answer.body["serviceUrl"] == line.service.base_url
    [shown] = await seen(line, f"/v3/conversations/{answer.body['id']}")
    assert (shown["id"], shown["text"]) == (answer.body["activityId"], "first")


@pytest.mark.parametrize(
    ("method", "end"),
    [
        ("POST", "activities"),
        ("POST", "activities/1"),
        ("PUT", "activities/1"),
        ("DELETE", "activities/1"),
        ("GET", "members"),
        ("GET", "members/1"),
    ],
)
async def test_an_unknown_conversation_is_refused_promptly(
    line: Scene, method: str, end: str
) -> None:
    body = {"type": "message"} if method in {"POST", "PUT"} else None
    async with asyncio.timeout(1):
        answer = await line.call(method, f"/v3/conversations/gone/{end}", body, token="")
    assert answer.error == (404, "ConversationNotFound")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/activities", b"{", "JSON"),
        ("/activities", b"{}", "type"),
        ("/activities", b'{"type": []}', "type"),
        ("", b'{"members": {}}', "members"),
        ("", b'{"members": [{}]}', "members.id"),
        ("", b'{"activity": "hello"}', "activity"),
        ("", b'{"activity": {}, "members": [7]}', "members"),
    ],
    ids=str,
)
async def test_a_malformed_call_of_the_bot_is_refused_by_name(
    line: Scene, path: str, body: bytes, field: str
) -> None:
    base = await path_of(line) if path else "/v3/conversations"
    answer = await line.call("POST", base + path, data=body, token="")
    assert answer.status == 400
    assert field in answer.body["error"]["message"]


async def test_without_an_app_id_nothing_is_signed(line: Scene) -> None:
    await line.say(await line.start(), "hello")
    assert all("Authorization" not in headers for headers in line.bot.headers)


async def verified(line: Scene, request_headers: dict[str, str]) -> dict[str, Any]:
    """Check a request as the bot does, from the OpenID metadata on."""
    metadata = (await line.call("GET", "/v1/.well-known/openidconfiguration", token="")).body
    path = metadata["jwks_uri"].removeprefix(line.service.base_url)
    [key] = (await line.call("GET", path, token="")).body["keys"]
    assert "directline" in key["endorsements"]
    token = request_headers["Authorization"].removeprefix("Bearer ")
    if jwt.get_unverified_header(token)["kid"] != key["kid"]:
        raise LookupError(key["kid"])
    return dict(
        jwt.decode(
            token,
            jwt.PyJWK(key),
            metadata["id_token_signing_alg_values_supported"],
            audience=APP_ID,
            issuer=metadata["issuer"],
            options={"require": ["exp", "nbf"]},
        )
    )


async def test_with_an_app_id_every_request_is_signed(signed: Scene) -> None:
    await signed.say(await signed.start(), "hello")
    await signed.bot.receives("conversationUpdate")
    for headers in signed.bot.headers:
        claims = await verified(signed, headers)
        assert claims["serviceurl"] == signed.service.base_url


async def test_a_rotated_key_replaces_the_one_before(signed: Scene) -> None:
    conversation = await signed.start("dl_ann")
    await signed.bot.receives("conversationUpdate")
    await signed.call("POST", "/local/rotate-signing-key")
    await signed.say(conversation, "hello")
    before, after = signed.bot.headers
    assert await verified(signed, after)
    with pytest.raises(LookupError):
        await verified(signed, before)


async def fetch_token(line: Scene, tenant: str = "botframework.com", **changes: str) -> Answer:
    form = aiohttp.FormData(CREDENTIALS | changes)
    return await line.call("POST", f"/{tenant}/oauth2/v2.0/token", data=form, token="")


@pytest.mark.parametrize("tenant", ["botframework.com", "0a1b2c3d-0000-4000-8000-00000000000f"])
async def test_the_bot_gets_a_token_for_its_password(signed: Scene, tenant: str) -> None:
    answer = await fetch_token(signed, tenant)
    assert (answer.body["token_type"], answer.body["expires_in"]) == ("Bearer", 3600)
    path = await path_of(signed)
    said = {"type": "message", "text": "hello"}
    token = answer.body["access_token"]
    assert (await signed.call("POST", f"{path}/activities", said, token=token)).status == 200


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "somebody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "https://example.com/.default"}, 400, "invalid_scope"),
    ],
    ids=["password", "app id", "grant", "scope"],
)
async def test_nobody_else_gets_a_token(
    signed: Scene, changes: dict[str, str], status: int, error: str
) -> None:
    answer = await fetch_token(signed, **changes)
    assert (answer.status, answer.body["error"]) == (status, error)


async def test_a_malformed_form_gets_no_token(signed: Scene) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    path = "/botframework.com/oauth2/v2.0/token"
    answer = await signed.call("POST", path, data=b"a=\xff", token="", headers=headers)
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")


async def test_no_app_id_is_no_password(line: Scene) -> None:
    assert (await fetch_token(line, client_id="", client_secret="")).status == 401


@pytest.mark.parametrize("token", ["", "made-up"])
async def test_with_an_app_id_the_bot_needs_a_token(signed: Scene, token: str) -> None:
    path = await path_of(signed)
    said = {"type": "message", "text": "hello"}
    for address in (f"{path}/activities", "/v3/conversations"):
        answer = await signed.call("POST", address, said, token=token)
        assert answer.error == (401, "Unauthorized")
