"""The notifications API over HTTP's types: what it takes, what it refuses and by which name."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from bot_logic.api import OPENAPI, Api
from bot_logic.conversations import build
from bot_logic.errors import BadRequest, ServiceUnavailable
from bot_logic.notifications import NOTIFICATIONS, request
from bot_logic.notifications.receipts import Receipt
from bot_logic.settings import Settings
from bot_logic.storage.memory import Fault, MemoryStorage
from bot_logic.testing import ManualClock
from bot_logic.wiring import Wiring

NOW = 1_800_000_000.0
DAY = 86400


DOCUMENT = json.loads(OPENAPI.read_text())
KINDS = {"application/json", "text/csv"}


def path_in_the_document(path: str) -> str:
    """Return the path of the document that a request's path is one of."""
    for known in sorted(DOCUMENT["paths"], key=lambda each: "{" in each):
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", known), f"/{path}"):
            return str(known)
    raise AssertionError(f"the document has no {path}")


def against_the_document(method: str, path: str, answer: func.HttpResponse) -> None:
    """Hold an answer against what the document says of it."""
    operation = DOCUMENT["paths"][path_in_the_document(path)][method.lower()]
    said = operation["responses"][str(answer.status_code)]
    body = answer.get_body()
    if not body:
        assert "content" not in said or answer.mimetype == "text/csv"
        return
    schema = said["content"][answer.mimetype]["schema"]
    if answer.mimetype == "application/json":
        whole = {"components": DOCUMENT["components"], **schema}
        Draft202012Validator(whole).validate(json.loads(body))


@dataclass
class Client:
    """Calls the API as the Functions host does."""

    api: Api
    wiring: Wiring
    lanes: list[str]  # that were run at once

    async def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        answer = await self.answer(method, path, body, **headers)
        text = answer.get_body().decode()
        is_json = answer.mimetype == "application/json" and text
        return answer.status_code, json.loads(text) if is_json else text

    async def answer(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> func.HttpResponse:
        path, _, query = path.partition("?")
        parts = path.split("/")
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        asked = func.HttpRequest(
            method,
            f"https://app.test/api/{path}",
            headers={"Content-Type": "application/json", **names},
            params=dict(parse_qsl(query, keep_blank_values=True)),
            route_params={"id": parts[1] if len(parts) > 1 else "", "name": parts[-1]},
            body=b"" if body is None else json.dumps(body).encode(),
        )
        answer: func.HttpResponse = await self._function(method, parts)(asked)
        against_the_document(method, path, answer)
        return answer

    def _function(self, method: str, parts: list[str]) -> Any:
        if parts[0] == "users":
            return self.api.people.forget if method == "DELETE" else self.api.people.show
        if parts[0] == "conversations":
            return self._about_conversations(parts)
        if parts[0] == "dead-letters":
            name = "replay" if parts[-1] == "replay" else "purge" if method == "DELETE" else "show"
            return getattr(self.api.dead_letters, name if parts[1:] else "list_all")
        if parts[-1] in ("preview", "retry", "recall", "recipients"):
            return getattr(self.api.notifications, parts[-1])
        names = {"POST": "post", "DELETE": "cancel", "PATCH": "edit"}
        names["GET"] = "show" if parts[1:] else "list_all"
        return getattr(self.api.notifications, names[method])

    def _about_conversations(self, parts: list[str]) -> Any:
        calls = self.api.conversations
        if parts[-1] == "opt-out":
            return calls.change_opt_out
        names = (calls.list_all, self.api.people.forget_conversation)
        return names[len(parts) - 1] if len(parts) <= len(names) else calls.change_topic


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    clock = ManualClock(NOW)
    storage = MemoryStorage(clock)
    conversations = build(storage, clock)
    for number in range(3):
        await conversations.remember(
            {
                "channelId": "test",
                "serviceUrl": "http://localhost:3000",
                "conversation": {"id": f"c{number}"},
                "user": {"id": f"u{number}"},
            }
        )
    settings = Settings.from_environment(
        {
            "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
            "AzureWebJobsStorage": "UseDevelopmentStorage=true",
            "DirectLineSecret": "nobody",
            "TriggerSigningKey": "a-key-that-signs-triggers-in-memory-only",
        }
    )
    wiring = Wiring(settings, storage=storage, clock=clock)
    lanes: list[str] = []

    async def run(lane_id: str) -> None:
        lanes.append(lane_id)

    notifications = replace(wiring.api.notifications, run_lane=run)
    yield Client(replace(wiring.api, notifications=notifications), wiring, lanes)
    await wiring.close()


async def test_a_notification_is_taken_looked_at_and_cancelled(client: Client) -> None:
    status, taken = await client.call("POST", "notifications", {"to": {"user": "u1"}, "text": "hi"})
    assert status == 202
    assert taken["statusUrl"] == f"/api/notifications/{taken['id']}"
    status, seen = await client.call("GET", f"notifications/{taken['id']}")
    assert (status, seen["state"], seen["counts"]) == (200, "sending", {"open": 1})
    assert (seen["at"], seen["text"]) == ("2027-01-15T08:00:00Z", "hi")
    status, cancelled = await client.call("DELETE", f"notifications/{taken['id']}")
    assert (status, cancelled["state"], cancelled["counts"]) == (200, "cancelled", {"cancelled": 1})
    status, refused = await client.call("DELETE", f"notifications/{taken['id']}")
    assert (status, refused["error"]["code"]) == (409, "WrongState")
    status, listed = await client.call("GET", "notifications")
    assert [each["id"] for each in listed["notifications"]] == [taken["id"]]


async def test_what_is_due_begins_at_once_and_what_is_for_later_does_not(client: Client) -> None:
    order = {"to": {"user": "u1"}, "text": "hi"}
    await client.call("POST", "notifications", order)
    assert len(client.lanes) == 1
    await client.call("POST", "notifications", order | {"at": 60})
    assert len(client.lanes) == 1


async def test_a_recall_and_an_edit_are_notifications_of_their_own(client: Client) -> None:
    order = {"to": {"user": "u1"}, "text": "hi", "at": 60}
    _, taken = await client.call("POST", "notifications", order)
    original = f"notifications/{taken['id']}"
    status, no = await client.call("PATCH", original, {"text": "ho"})
    assert (status, no["error"]["code"]) == (409, "WrongState")
    status, recall = await client.call("POST", f"{original}/recall")
    assert (status, recall["statusUrl"]) == (202, f"/api/notifications/{recall['id']}")
    status, seen = await client.call("GET", f"notifications/{recall['id']}")
    assert (status, seen["verb"], seen["of"]) == (200, "recall", taken["id"])
    _, seen = await client.call("GET", original)
    assert (seen["verb"], seen["state"], seen["changedBy"]) == ("send", "cancelled", recall["id"])
    status, no = await client.call("POST", f"notifications/{recall['id']}/recall")
    assert (status, no["error"]["code"]) == (409, "WrongState")


async def asked_and_confirmed(client: Client) -> str:
    """Ask somebody for a confirmation, who gives it; return the notification's id."""
    order = {"to": {"user": "u1"}, "text": "hi", "acknowledge": True}
    _, taken = await client.call("POST", "notifications", order)
    parts = client.wiring.notifications
    (page,) = [page async for page in parts.store.pages(taken["id"])]
    receipt = Receipt.of(taken["id"], page.key.row, page.page.recipients[0])
    assert await parts.receipts.take(receipt, "c1")
    return str(taken["id"])


async def test_who_has_confirmed_it_is_said(client: Client) -> None:
    path = f"notifications/{await asked_and_confirmed(client)}"
    _, seen = await client.call("GET", path)
    assert seen["acknowledged"] == 1
    _, listed = await client.call("GET", f"{path}/recipients")
    assert [each["acknowledged"] for each in listed["recipients"]] == ["2027-01-15T08:00:00Z"]
    _, table = await client.call("GET", f"{path}/recipients?format=csv")
    assert table.splitlines()[1].endswith(",open,,0,2027-01-15T08:00:00Z")


async def test_confirmations_are_swept_with_their_notification(client: Client) -> None:
    notification = await asked_and_confirmed(client)
    store = client.wiring.notifications.store
    (listed,) = [each async for each in store.created_before(NOW + 1)]
    await store.delete(listed)
    assert await store.count_acknowledged(notification) == 0


async def test_what_has_been_sent_is_edited(client: Client) -> None:
    order = {"to": {"user": "u1"}, "text": "hi"}
    _, taken = await client.call("POST", "notifications", order)
    original = f"notifications/{taken['id']}"
    await client.call("DELETE", original)
    status, edit = await client.call("PATCH", original, {"activity": {"text": "ho"}})
    assert status == 202
    _, seen = await client.call("GET", f"notifications/{edit['id']}")
    assert (seen["verb"], seen["of"], seen["state"]) == ("edit", taken["id"], "done")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": "a", "activity": {}}, "text"),
        ({"text": "a", "to": {"user": "u1"}}, "to"),
        ({"activity": []}, "activity"),
        ({"activity": {"attachments": "none"}}, "activity.attachments"),
    ],
)
async def test_what_is_wrong_with_an_edit_is_named(client: Client, body: Any, field: str) -> None:
    status, answer = await client.call("PATCH", f"notifications/{'0' * 32}", body)
    assert (status, answer["error"].get("field")) == (400, field)


async def test_nothing_that_there_is_not_is_recalled_or_edited(client: Client) -> None:
    for method, path, body in (("POST", "/recall", None), ("PATCH", "", {"text": "hi"})):
        status, _ = await client.call(method, f"notifications/{'0' * 32}{path}", body)
        assert status == 404


async def test_an_idempotency_key_sends_once(client: Client) -> None:
    order = {"to": {"channel": "test"}, "text": "News"}
    first = await client.call("POST", "notifications", order, Idempotency_Key="k")
    again = await client.call("POST", "notifications", order, Idempotency_Key="k")
    assert first == again
    other = order | {"text": "Other news"}
    status, refused = await client.call("POST", "notifications", other, Idempotency_Key="k")
    assert (status, refused["error"]["code"]) == (409, "IdempotencyKeyReused")
    _, listed = await client.call("GET", "notifications")
    assert len(listed["notifications"]) == 1


async def test_a_link_leads_from_each_answer_to_the_rest(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot_logic.api.recipients.ENOUGH", 1)
    everyone = [ONE, *({"user": f"nobody{number}"} for number in range(600))]
    _, taken = await client.call("POST", "notifications", {"to": everyone, "text": "x"})
    path, table = f"notifications/{taken['id']}/recipients?format=csv&code=a-key", ""
    answers = 0
    while path:
        answer = await client.answer("GET", path)
        table, answers = table + answer.get_body().decode(), answers + 1
        link = answer.headers.get("Link", "")
        path = link.removeprefix("</api/").removesuffix('>; rel="next"')
        assert "a-key" not in link
    rows = list(csv.DictReader(io.StringIO(table)))
    assert (len(rows), answers) == (601, 5)  # one for each page, and one that finds no more
    assert len({each["recipient"] for each in rows}) == 601


async def test_recipients_are_listed_and_written_as_csv(client: Client) -> None:
    order = {"to": [{"user": "u1"}, {"user": "=cmd()"}], "text": "News"}
    _, taken = await client.call("POST", "notifications", order)
    path = f"notifications/{taken['id']}/recipients"
    _, everyone = await client.call("GET", path)
    assert sorted(each["state"] for each in everyone["recipients"]) == ["open", "unknown"]
    known = next(each for each in everyone["recipients"] if each["state"] == "open")
    assert (known["channel"], known["conversation"], known["user"]) == ("test", "c1", "u1")
    _, failed = await client.call("GET", f"{path}?state=failed")
    assert [each["recipient"] for each in failed["recipients"]] == ["=cmd()"]
    _, table = await client.call("GET", f"{path}?format=csv&state=failed")
    assert table.splitlines() == [
        "recipient,channel,conversation,user,state,detail,attempts,acknowledged",
        "'=cmd(),,,,unknown,never met,0,",
    ]
    status, refused = await client.call("GET", f"{path}?state=lost")
    assert (status, refused["error"]["field"]) == (400, "state")


async def test_a_preview_sends_nothing(client: Client) -> None:
    order = {"to": {"all": True, "at_most": 9}, "text": "News"}
    status, preview = await client.call("POST", "notifications/preview", order)
    assert (status, preview["recipients"], len(preview["first"])) == (200, 3, 3)
    assert preview["activity"]["text"] == "News"
    assert (await client.call("GET", "notifications"))[1] == {"notifications": []}


async def test_a_conversation_subscribes_to_a_topic(client: Client) -> None:
    assert (await client.call("PUT", "conversations/c1/topics/pizza"))[0] == 204
    order = {"to": {"topic": "pizza"}, "text": "Ready"}
    _, preview = await client.call("POST", "notifications/preview", order)
    assert [each["conversation"] for each in preview["first"]] == ["c1"]
    assert (await client.call("DELETE", "conversations/c1/topics/pizza"))[0] == 204
    _, preview = await client.call("POST", "notifications/preview", order)
    assert preview["recipients"] == 0
    assert (await client.call("PUT", "conversations/nobody/topics/pizza"))[0] == 404


async def test_an_operator_opts_somebody_out_and_in_again(client: Client) -> None:
    order = {"to": {"all": True, "at_most": 9}, "text": "News"}
    assert (await client.call("PUT", "conversations/c1/opt-out"))[0] == 204
    listed = (await client.call("GET", "conversations"))[1]["conversations"]
    (opted_out,) = [each for each in listed if "optedOut" in each]
    assert opted_out["conversation"] == "c1"
    _, preview = await client.call("POST", "notifications/preview", order)
    assert (preview["recipients"], preview["optedOut"], len(preview["first"])) == (3, 1, 2)
    assert (await client.call("DELETE", "conversations/c1/opt-out"))[0] == 204
    _, preview = await client.call("POST", "notifications/preview", order)
    assert (preview["recipients"], preview["optedOut"], preview["blocked"]) == (3, 0, 0)
    assert (await client.call("PUT", "conversations/nobody/opt-out"))[0] == 404


async def test_a_conversation_has_a_hundred_topics_at_most(client: Client) -> None:
    for number in range(100):
        assert (await client.call("PUT", f"conversations/c1/topics/t{number}"))[0] == 204
    status, refused = await client.call("PUT", "conversations/c1/topics/more")
    assert (status, refused["error"]["code"]) == (409, "TooManyTopics")
    assert (await client.call("PUT", "conversations/c1/topics/t7"))[0] == 204


async def test_conversations_are_listed_by_channel_topic_and_person(client: Client) -> None:
    await client.call("PUT", "conversations/c1/topics/pizza")
    _, everyone = await client.call("GET", "conversations")
    assert [each["conversation"] for each in everyone["conversations"]] != []
    assert {each["conversation"] for each in everyone["conversations"]} == {"c0", "c1", "c2"}
    for query, found in (
        ("channel=test", {"c0", "c1", "c2"}),
        ("channel=other", set()),
        ("topic=pizza", {"c1"}),
        ("user=u2", {"c2"}),
        ("user=nobody", set()),
    ):
        _, some = await client.call("GET", f"conversations?{query}")
        assert {each["conversation"] for each in some["conversations"]} == found
    (subscribed,) = (await client.call("GET", "conversations?topic=pizza"))[1]["conversations"]
    assert (subscribed["user"], subscribed["topics"], subscribed["group"]) == (
        "u1",
        ["pizza"],
        False,
    )
    assert (await client.call("GET", "conversations?user=u2&topic=pizza"))[0] == 400


async def test_conversations_follow_page_by_page(client: Client) -> None:
    known = client.wiring.conversations
    for number in range(230):
        conversation = {"id": f"many{number}", "isGroup": number % 3 == 0}
        reference = {"channelId": f"m{number % 2}", "serviceUrl": "http://localhost"}
        await known.remember({**reference, "conversation": conversation})
    after, found, pages = "", list[str](), 0
    while True:
        query = f"?after={after}" if after else ""
        _, page = await client.call("GET", f"conversations{query}")
        found += [each["conversation"] for each in page["conversations"]]
        pages += 1
        if not (after := page.get("after", "")):
            break
    assert (len(found), len(set(found)), pages) == (233, 233, 3)


async def test_the_document_is_valid_and_its_examples_are_taken(client: Client) -> None:
    document = json.loads(client.api.describe().get_body())
    validate(document)
    await client.wiring.conversations.remember(
        {
            "channelId": "msteams",
            "serviceUrl": "http://localhost",
            "conversation": {"id": "a:1xyz"},
            "user": {"id": "29:1abc"},
        }
    )
    content = document["paths"]["/notifications"]["post"]["requestBody"]["content"]
    for example in content["application/json"]["examples"].values():
        schema = {"components": document["components"], "$ref": "#/components/schemas/Order"}
        Draft202012Validator(schema).validate(example["value"])
        assert (await client.call("POST", "notifications", example["value"]))[0] == 202


def test_each_route_is_in_the_document() -> None:
    text = (Path(__file__).parents[2] / "bot_logic" / "routes.py").read_text()
    routes = re.findall(r'@api\.route\(\s*"([^"]+)",\s*methods=\[([^]]+)\]', text)
    served = {
        (f"/{path}", method.strip(' "').lower())
        for path, methods in routes
        for method in methods.split(",")
        if path != "openapi.json"
    }
    described = {
        (path, method)
        for path, operations in DOCUMENT["paths"].items()
        for method in operations
        if method != "parameters"
    }
    assert served == described


async def test_what_is_over_long_ago_is_swept_and_a_far_date_stays(client: Client) -> None:
    order = {"to": {"user": "u1"}, "text": "hi"}
    _, old = await client.call("POST", "notifications", order, Idempotency_Key="k")
    far = order | {"at": 300 * DAY}
    _, later = await client.call("POST", "notifications", far)
    client.api.notifications.clock.advance(100 * DAY)  # type: ignore[attr-defined]
    assert await client.wiring.notifications.sweep.run() == 1
    assert (await client.call("GET", f"notifications/{old['id']}"))[0] == 404
    assert (await client.call("GET", f"notifications/{later['id']}"))[1]["state"] == "scheduled"
    assert (await client.call("POST", "notifications", order, Idempotency_Key="k"))[0] == 202


ONE = {"user": "u1"}


def nested(levels: int) -> Any:
    """Return a list in a list, and so on."""
    return json.loads("[" * levels + "]" * levels)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "x"}, "to"),
        ({"to": ONE}, "text"),
        ({"to": ONE, "text": "x", "activity": {}}, "text"),
        ({"to": ONE, "text": ""}, "text"),
        ({"to": ONE, "text": " \n"}, "text"),
        ({"to": ONE, "activity": {}}, "activity"),
        ({"to": ONE, "activity": {"text": "", "attachments": []}}, "activity"),
        ({"to": ONE, "text": 7}, "text"),
        ({"to": ONE, "text": "x", "wenn": 1}, "wenn"),
        ({"to": {"usr": "u1"}, "text": "x"}, "to.usr"),
        ({"to": {}, "text": "x"}, "to"),
        ({"to": {"user": "u1", "topic": "t"}, "text": "x"}, "to"),
        ({"to": {"user": ""}, "text": "x"}, "to.user"),
        ({"to": {"user": "a\nb"}, "text": "x"}, "to.user"),
        ({"to": {"all": True}, "text": "x"}, "to.at_most"),
        ({"to": {"all": False}, "text": "x"}, "to.all"),
        ({"to": {"all": True, "at_most": 0}, "text": "x"}, "to.at_most"),
        ({"to": {"user": "u1", "groups": True}, "text": "x"}, "to.groups"),
        ({"to": {"topic": "x" * 101}, "text": "x"}, "to.topic"),
        ({"to": [], "text": "x"}, "to"),
        ({"to": [ONE] * 1001, "text": "x"}, "to"),
        ({"to": [ONE, {"topic": "t"}], "text": "x"}, "to[1]"),
        ({"to": ONE, "text": "x", "at": "2030-01-01T09:00:00"}, "at"),
        ({"to": ONE, "text": "x", "at": "tomorrow"}, "at"),
        ({"to": ONE, "text": "x", "at": -1}, "at"),
        ({"to": ONE, "text": "x", "at": True}, "at"),
        ({"to": ONE, "text": "x", "at": "2001-01-01T00:00:00Z"}, "at"),
        ({"to": ONE, "text": "x", "expires": 0}, "expires"),
        ({"to": ONE, "text": "x", "expires": "2001-01-01T00:00:00Z"}, "expires"),
        ({"to": ONE, "text": "x", "at": "9999-12-31T23:59:59Z"}, "at"),
        ({"to": ONE, "text": "x", "at": "9999-12-31T23:59:59-23:59"}, "at"),
        ({"to": ONE, "text": "x", "expires": "9999-12-31T23:59:59-23:59"}, "expires"),
        ({"to": ONE, "activity": {"attachments": "x"}}, "activity.attachments"),
        ({"to": ONE, "activity": {"from": 7}}, "activity.from"),
        ({"to": ONE, "activity": {"timestamp": "soon"}}, "activity.timestamp"),
        ({"to": ONE, "activity": {"channelData": nested(101)}}, "activity.channelData"),
        ({"to": ONE, "activity": {"ours": nested(101)}}, "activity.ours"),
        ({"to": ONE, "text": "x" * 30000}, "text"),
        ({"to": ONE, "text": None, "activity": {}}, "text"),
        ({"to": ONE, "activity": None, "text": "x"}, "activity"),
        ({"to": ONE, "text": "x", "expires": None}, "expires"),
        ({"to": {"channel": "test", "at_most": None}, "text": "x"}, "to.at_most"),
        ({"to": [ONE, {"user": None}], "text": "x"}, "to[1].user"),
    ],
)
async def test_what_is_wrong_is_named(client: Client, body: Any, field: str) -> None:
    status, refused = await client.call("POST", "notifications", body)
    assert (status, refused["error"].get("field")) == (
        413 if "text" in body and len(str(body["text"])) > 1000 else 400,
        field,
    )


async def test_a_null_inside_an_activity_is_the_channels_business(client: Client) -> None:
    order = {"to": ONE, "activity": {"text": "x", "channelData": {"any": [None]}}}
    assert (await client.call("POST", "notifications", order))[0] == 202


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "notifications"),
        ("POST", "notifications"),
        ("POST", "notifications/preview"),
        ("GET", "notifications/ID"),
        ("DELETE", "notifications/ID"),
        ("PATCH", "notifications/ID"),
        ("POST", "notifications/ID/retry"),
        ("POST", "notifications/ID/recall"),
        ("GET", "notifications/ID/recipients"),
        ("GET", "conversations"),
        ("PUT", "conversations/c1/topics/pizza"),
        ("DELETE", "conversations/c1/topics/pizza"),
        ("PUT", "conversations/c1/opt-out"),
        ("DELETE", "conversations/c1/opt-out"),
        ("DELETE", "conversations/c1"),
        ("GET", "users/u1"),
        ("DELETE", "users/u1"),
    ],
)
async def test_an_unknown_parameter_is_refused_by_name(
    client: Client, method: str, path: str
) -> None:
    order = {"to": ONE, "text": "x", "at": 60}
    _, taken = await client.call("POST", "notifications", order)
    path = path.replace("ID", taken["id"])
    status, refused = await client.call(method, f"{path}?code=a-key&limit=5", order)
    assert (status, refused["error"]["field"]) == (400, "limit")


@pytest.mark.parametrize("query", ["format=xml", "format=", "state=", "topic="])
async def test_a_parameter_of_no_meaning_is_refused_by_name(client: Client, query: str) -> None:
    _, taken = await client.call("POST", "notifications", {"to": ONE, "text": "x"})
    name = query.partition("=")[0]
    path = "conversations" if name == "topic" else f"notifications/{taken['id']}/recipients"
    status, refused = await client.call("GET", f"{path}?{query}")
    assert (status, refused["error"]["field"]) == (400, name)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"to": {"user": "u1"}, "to": {"channel": "test"}, "text": "x"}', "to"),
        ('{"to": {"user": "u1", "user": "u2"}, "text": "x"}', "user"),
        ('{"to": {"user": "u1"}, "activity": {"text": "x", "text": "y"}}', "text"),
        ('{"to": {"user": "u1"}, "text": "x", "at": 1e400}', None),
    ],
)
def test_what_one_reader_takes_otherwise_than_another_is_refused(
    body: str, field: str | None
) -> None:
    with pytest.raises(BadRequest) as refused:
        request.parse(body.encode(), NOW, DAY)
    assert refused.value.field == field


@pytest.mark.parametrize(("call", "taken_as"), [("retry", 409), ("recall", 202)])
async def test_a_call_without_a_body_takes_no_fields(
    client: Client, call: str, taken_as: int
) -> None:
    _, taken = await client.call("POST", "notifications", {"to": ONE, "text": "x"})
    path = f"notifications/{taken['id']}/{call}"
    status, refused = await client.call("POST", path, {"to": ONE})
    assert (status, refused["error"]["field"]) == (400, "to")
    assert (await client.call("POST", path, {}))[0] == taken_as


async def test_a_preview_refuses_what_could_not_be_sent(client: Client) -> None:
    order = {"to": ONE, "activity": {"attachments": "x"}}
    status, refused = await client.call("POST", "notifications/preview", order)
    assert (status, refused["error"]["field"]) == (400, "activity.attachments")


async def test_the_last_date_that_is_taken_can_be_listed(client: Client) -> None:
    for at in ("9998-12-31T23:59:59Z", "9998-12-31T23:59:59+00:00"):
        order = {"to": ONE, "text": "x", "at": at}
        assert (await client.call("POST", "notifications", order))[0] == 202
    _, listed = await client.call("GET", "notifications")
    assert {each["at"] for each in listed["notifications"]} == {"9998-12-31T23:59:59Z"}


@pytest.mark.parametrize("after", ["/", "'", "\0", "\ud800", "x" * 300, "é", "a/b/c"])
async def test_an_after_of_no_answer_is_named(client: Client, after: str) -> None:
    _, taken = await client.call("POST", "notifications", {"to": ONE, "text": "x"})
    for path in ("notifications", f"notifications/{taken['id']}/recipients", "conversations"):
        status, refused = await client.call("GET", f"{path}?after={after}")
        assert (status, refused["error"]["field"]) == (400, "after")


async def test_an_after_of_another_filter_is_named(client: Client) -> None:
    await client.call("PUT", "conversations/c1/topics/pizza")
    for number in range(101):
        reference = {"channelId": "many", "serviceUrl": "http://localhost"}
        conversation = {"id": f"many{number}"}
        await client.wiring.conversations.remember({**reference, "conversation": conversation})
    _, page = await client.call("GET", "conversations?channel=many")
    _, rest = await client.call("GET", f"conversations?channel=many&after={page['after']}")
    assert len(page["conversations"] + rest["conversations"]) == 101
    for query in (f"topic=pizza&after={page['after']}", "after=people-x/y"):
        status, refused = await client.call("GET", f"conversations?{query}")
        assert (status, refused["error"]["field"]) == (400, "after")


@pytest.mark.parametrize("name", ["channel", "topic", "user"])
async def test_a_filter_left_empty_does_not_list_everyone(client: Client, name: str) -> None:
    for value in ("", "a\nb"):
        status, refused = await client.call("GET", f"conversations?{name}={value}")
        assert (status, refused["error"]["field"]) == (400, name)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_only_json_is_taken(client: Client, kind: str) -> None:
    body = {"to": ONE, "text": "x"}
    status, _ = await client.call("POST", "notifications", body, Content_Type=kind)
    assert status == 415


@pytest.mark.parametrize("notification", ["0" * 32, "../x", "head", "latest"])
async def test_what_there_is_not_is_404(client: Client, notification: str) -> None:
    for method, path in (
        ("GET", f"notifications/{notification}"),
        ("DELETE", f"notifications/{notification}"),
        ("GET", f"notifications/{notification}/recipients"),
        ("POST", f"notifications/{notification}/retry"),
    ):
        if "/x" not in notification:
            assert (await client.call(method, path))[0] == 404


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["to", "text", "activity", "at", "expires", "user", "all", "x"]),
                inner,
            )
        ),
    )
)
def test_any_json_is_taken_or_refused(document: Any) -> None:
    with suppress(BadRequest):
        taken = request.parse(json.dumps(document).encode(), NOW, DAY)
        assert taken.expires > taken.at


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "truncated"),
        (b"{'to': 1}", "byte 1"),
        (b'{"text": "a secret" "x"}', "byte 20"),
        (b'{"text": "x"', "truncated"),
    ],
)
def test_where_a_body_is_no_json_is_said_and_nothing_of_it(body: bytes, place: str) -> None:
    with pytest.raises(BadRequest, match=f"not JSON in UTF-8: .*{place}") as refused:
        request.parse(body, NOW, DAY)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("opened", ["[", '{"a":'])
def test_any_depth_is_taken_or_refused(opened: str) -> None:
    closed = "]" if opened == "[" else "1}"
    for levels in range(900, 1010):  # where Python 3.11's recursion ends
        value = opened * levels + closed + closed[-1] * (levels - 1)
        with suppress(BadRequest):
            body = f'{{"to": {{"user": "u1"}}, "activity": {{"value": {value}}}}}'
            request.parse(body.encode(), NOW, DAY)


@given(st.binary())
def test_any_bytes_are_taken_or_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        request.parse(body, NOW, DAY)


async def test_the_recipients_of_a_broadcast_are_named_as_their_owner_knows_them(
    client: Client,
) -> None:
    _, taken = await client.call("POST", "notifications", {"to": {"channel": "test"}, "text": "x"})
    path = f"notifications/{taken['id']}/recipients"
    recipients = (await client.call("GET", path))[1]["recipients"]
    assert {each["user"] for each in recipients} == {"u0", "u1", "u2"}
    found = await client.wiring.conversations.find("test", "c1")
    assert found is not None
    await client.wiring.conversations.forget(found.reference)
    recipients = (await client.call("GET", path))[1]["recipients"]
    assert len(recipients) == 3
    assert {each.get("user") for each in recipients} == {"u0", None, "u2"}


async def test_what_a_kill_left_of_an_order_is_swept_too(client: Client) -> None:
    storage: MemoryStorage = client.wiring.storage  # type: ignore[assignment]
    order = {"to": {"user": "u1"}, "text": "hi"}
    storage.faults.add(Fault("table.insert", ServiceUnavailable("killed"), times=1))  # of the head
    assert (await client.call("POST", "notifications", order))[0] == 503
    rows = storage.table(NOTIFICATIONS).rows
    assert [row async for row in rows()] != []
    client.api.notifications.clock.advance(100 * DAY)  # type: ignore[attr-defined]
    assert await client.wiring.notifications.sweep.run() == 1
    assert [row async for row in rows()] == []
    assert await client.wiring.notifications.sweep.run() == 0


async def test_a_person_is_shown_and_forgotten_once(client: Client) -> None:
    await client.call("PUT", "conversations/c1/topics/pizza")
    status, shown = await client.call("GET", "users/u1")
    assert (status, shown["ids"]) == (200, ["u1"])
    assert shown["conversations"][0]["topics"] == ["pizza"]
    assert shown["notifications"] == []
    assert (await client.call("DELETE", "users/u1"))[0] == 204
    for method in ("DELETE", "GET"):
        status, refused = await client.call(method, "users/u1")
        assert (status, refused["error"]["code"]) == (404, "NotFound")
    assert (await client.call("GET", "users/u2"))[0] == 200


async def test_of_a_person_each_notification_is_shown(client: Client) -> None:
    order = {"to": {"user": "u1"}, "text": "hi"}
    _, planned = await client.call("POST", "notifications", order)
    _, scheduled = await client.call("POST", "notifications", order | {"at": 60})
    _, shown = await client.call("GET", "users/u1")
    assert shown["notifications"] == [
        {"id": planned["id"], "verb": "send", "state": "open"},
        {"id": scheduled["id"], "verb": "send"},
    ]


async def test_a_conversation_is_forgotten_once(client: Client) -> None:
    assert (await client.call("DELETE", "conversations/c1"))[0] == 204
    status, refused = await client.call("DELETE", "conversations/c1")
    assert (status, refused["error"]["code"]) == (404, "NotFound")
    _, listed = await client.call("GET", "conversations")
    assert [each["conversation"] for each in listed["conversations"]] == ["c0", "c2"]


@pytest.mark.parametrize("path", ["users", "conversations"])
@pytest.mark.parametrize("wrong", [".", "..", "a\nb", "\u202e", "\ud800", "x" * 1025])
async def test_what_can_be_nobodys_id_is_refused(client: Client, path: str, wrong: str) -> None:
    status, refused = await client.call("DELETE", f"{path}/{wrong}")
    assert (status, refused["error"]["field"]) == (400, "id")


@pytest.mark.parametrize("strange", ["%2F", "%00", "é🍕", "'; drop", '"', "~", "x" * 1024])
async def test_a_strange_id_is_nobodys(client: Client, strange: str) -> None:
    assert (await client.call("DELETE", f"users/{strange}"))[0] == 404
    assert (await client.call("GET", f"users/{strange}"))[0] == 404
    assert (await client.call("DELETE", f"conversations/{strange}"))[0] == 404


async def test_of_a_forgotten_person_a_notification_says_so(client: Client) -> None:
    order = {"to": [{"user": "u1"}, {"user": "u2"}], "text": "hi", "at": 60}
    _, taken = await client.call("POST", "notifications", order)
    await client.call("DELETE", "users/u1")
    _, seen = await client.call("GET", f"notifications/{taken['id']}")
    assert seen["to"] == [{"forgotten": True}, {"user": "u2"}]


async def test_one_that_was_for_the_forgotten_alone_goes_with_them(client: Client) -> None:
    _, taken = await client.call("POST", "notifications", {"to": {"user": "u1"}, "text": "hi"})
    await client.call("DELETE", "users/u1")
    assert (await client.call("GET", f"notifications/{taken['id']}"))[0] == 404


async def test_forgetting_waits_while_something_is_being_sent_to_them(client: Client) -> None:
    order = {"to": [{"user": "u1"}, {"user": "u2"}], "text": "hi"}
    _, taken = await client.call("POST", "notifications", order)
    store, clock = client.wiring.notifications.store, client.wiring.notifications.orders.clock
    async for stored in store.pages(taken["id"]):
        leased = stored.page.claimed(clock.now())
        await store.write_page(stored, leased)
    assert (await client.call("DELETE", "users/u1"))[0] == 503
    clock.advance(61)  # type: ignore[attr-defined]
    assert (await client.call("DELETE", "users/u1"))[0] == 204
