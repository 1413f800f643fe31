"""Bodies that came packed: none of them takes a server's time or memory."""

import gzip
import json
import zlib
from typing import Any

import pytest

from tests.functional.app_under_test import SECRET, AppUnderTest
from tests.functional.functions_host_process import Host
from tests.functional.messages import activity


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
async def test_a_packed_body_is_unpacked_so_far_and_no_further(
    app: AppUnderTest, pack: Any
) -> None:
    ada = await app.user()
    url = f"{app.direct_line.base_url}/v3/directline/conversations/{ada.conversation_id}/activities"
    encoding = "gzip" if pack is gzip.compress else "deflate"
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Encoding": encoding}
    said = json.dumps({"type": "message", "from": {"id": "ada"}, "text": "hello"}).encode()
    outcomes = []
    for body in (pack(said), pack(b" " * 2**28), b"no such thing"):
        async with app.session.post(url, data=body, headers=headers) as answer:
            outcomes.append((answer.status, (await answer.json()).get("error", {}).get("message")))
    (_, nothing), (_, too_long), (_, malformed) = outcomes
    assert [status for status, _ in outcomes] == [200, 413, 400]
    assert nothing is None
    assert "when it is unpacked" in too_long  # and not: so many characters, once all were unpacked
    assert "cannot be unpacked" in malformed


def test_the_local_functions_host_hands_a_packed_body_on_as_it_came(web: Host) -> None:
    packed = gzip.compress(b" " * 2**28)
    answer = web.request("POST", "/api/items/count", packed, Content_Encoding="gzip")
    assert answer[2] == str(len(packed)).encode()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/x/oauth2/v2.0/token", "application/x-www-form-urlencoded"),
        ("/v3/directline/conversations/{}/upload", "multipart/form-data; boundary=x"),
    ],
)
async def test_a_packed_form_is_refused(app: AppUnderTest, path: str, kind: str) -> None:
    url = app.direct_line.base_url + path.format((await app.user()).conversation_id)
    headers = {
        "Authorization": f"Bearer {SECRET}",
        "Content-Encoding": "gzip",
        "Content-Type": kind,
    }
    packed = gzip.compress(b" " * 2**28)
    async with app.session.post(url, data=packed, headers=headers) as answer:
        assert answer.status == 400


async def test_an_unknown_packing_is_refused(app: AppUnderTest) -> None:
    url = f"{app.direct_line.base_url}/v3/directline/conversations"
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Encoding": "br"}
    async with app.session.post(url, data=b"x", headers=headers) as answer:
        assert answer.status == 415


async def test_a_packed_request_to_the_bot_is_told_why_it_is_refused(app: AppUnderTest) -> None:
    body = gzip.compress(json.dumps(activity(await app.user())).encode())
    answer = await app.post(body)
    assert answer.status == 400
    assert "compressed" in answer.body["error"]["message"]
