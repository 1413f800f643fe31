"""The SDK's models from JSON and to JSON: as msrest does it, only faster."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from azure.core.exceptions import DeserializationError
from botbuilder.schema import (
    ActionTypes,
    Activity,
    ActivityTypes,
    Attachment,
    CardAction,
    ChannelAccount,
    ConversationReference,
    HeroCard,
    Mention,
    SuggestedActions,
)
from botbuilder.schema.teams import TaskModuleResponse
from hypothesis import given, settings
from hypothesis import strategies as st
from msrest.serialization import Model

from bot_logic.bot_endpoint.sdk.model_json import (
    MAX_DEPTH,
    MAX_ITEMS,
    Malformed,
    plain,
    read,
    write,
)
from tests.strategies import json_values, mutated

# What msrest raises at JSON that does not fit its models.
UNREADABLE = (
    DeserializationError,
    AttributeError,
    TypeError,
    ValueError,
    OverflowError,
    RecursionError,
)

ACTIVITY: dict[str, Any] = {
    "type": "message",
    "id": "a1",
    "timestamp": "2026-01-02T03:04:05.6789012Z",
    "localTimestamp": "2026-01-02T04:04:05+01:00",
    "localTimezone": "Europe/Berlin",
    "serviceUrl": "https://smba.trafficmanager.net/emea/",
    "channelId": "msteams",
    "from": {"id": "u1", "name": "Ada", "aadObjectId": "0", "role": "user", "extra": 1},
    "conversation": {"id": "c1", "isGroup": False, "tenantId": "t1", "conversationType": "x"},
    "recipient": {"id": "b1", "name": "Bot"},
    "text": "hello",
    "historyDisclosed": True,
    "membersAdded": [{"id": "u2"}],
    "reactionsAdded": [{"type": "like"}],
    "suggestedActions": {"to": ["u1"], "actions": [{"type": "imBack", "title": "x", "value": 5}]},
    "attachments": [{"contentType": "a/b", "content": {"deep": [1, None, {"er": 2.5}]}}],
    "entities": [{"type": "mention", "mentioned": {"id": "u2"}, "text": "@u2"}],
    "channelData": {"team": {"id": "x"}},
    "value": [1, "two", None, {"three": 3.0}],
    "relatesTo": {"channelId": "msteams", "conversation": {"id": "c2"}},
    "listenFor": ["a", "b"],
    "textHighlights": [{"text": "hello", "occurrence": 1}],
    "semanticAction": {"id": "s", "entities": {"e": {"type": "Place"}}, "state": "start"},
    "unknown": {"to": "the schema"},
}


ANYTHING = ("value", "channel_data", "content", "properties", "additional_properties")


def without_nulls(value: Any) -> Any:
    """What msrest has read, without the nulls that it lets stand in lists and maps of models."""
    if isinstance(value, list):
        return [without_nulls(item) for item in value if item is not None]
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, Model):
        for name, inner in vars(value).items():
            if name not in ANYTHING:
                setattr(value, name, without_nulls(inner))
    return value


def without_unknown(value: Any) -> Any:
    """A model without the fields that its class does not know, which msrest would not write."""
    if isinstance(value, list):
        return [without_unknown(item) for item in value]
    if isinstance(value, dict):
        return {name: without_unknown(item) for name, item in value.items()}
    if isinstance(value, Model):
        for name, inner in vars(value).items():
            if name not in ANYTHING:
                setattr(value, name, without_unknown(inner))
        value.additional_properties = {}
    return value


def shape(value: Any) -> Any:
    """All that a model holds, as something that can be compared."""
    if isinstance(value, Model):
        return type(value).__name__, {name: shape(inner) for name, inner in vars(value).items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return value


def text(value: Any) -> str:
    """As text, in which NaN equals NaN."""
    return json.dumps(value, sort_keys=True, default=str)


def test_a_full_activity_is_read_as_msrest_reads_it() -> None:
    assert shape(read(Activity, ACTIVITY)) == shape(Activity.deserialize(ACTIVITY))


def test_a_full_activity_is_written_as_msrest_writes_it() -> None:
    activity = without_unknown(Activity.deserialize(ACTIVITY))
    assert write(activity) == activity.serialize()


def test_a_full_activity_is_written_as_it_was_read() -> None:
    times = {
        "timestamp": "2026-01-02T03:04:05.678901Z",
        "localTimestamp": "2026-01-02T03:04:05.000Z",
    }
    assert write(read(Activity, ACTIVITY)) == ACTIVITY | times


_NAMES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=9).map("x-{}".format)


@given(more=st.dictionaries(_NAMES, json_values, max_size=3))
def test_what_the_models_do_not_know_travels_on(more: dict[str, Any]) -> None:
    account = {"id": "u1"} | more
    document = {
        "from": account,
        "conversation": account,
        "membersAdded": [account],
        "entities": [{"type": "mention", "mentioned": account} | more],
        "attachments": [{"contentType": "a/b", **more}],
        "suggestedActions": {"actions": [{"type": "imBack", **more}], **more},
    } | more
    assert text(write(read(Activity, document))) == text(document)


def test_what_a_bot_changes_is_written_and_not_what_was_read() -> None:
    activity = read(Activity, {"type": "message", "text": "was", "extra": 1})
    activity.text = "is"
    activity.additional_properties["type"] = "an impostor"
    assert write(activity) == {"type": "message", "text": "is", "extra": 1}


@settings(max_examples=1000, deadline=None)
@given(document=mutated(ACTIVITY))
def test_what_is_read_is_what_msrest_reads_and_what_it_refuses_is_refused(
    document: dict[str, Any],
) -> None:
    try:
        activity = read(Activity, document)
    except Malformed as error:
        assert error.field.partition(".")[0] in document  # noqa: PT017 - the other outcome is fine
        return
    try:
        expected = without_nulls(Activity.deserialize(document))
    except UNREADABLE:
        # The one thing it is stricter about: a moment, of which it wants the seconds, too.
        assert activity.timestamp or activity.local_timestamp or activity.expiration
        return
    assert text(shape(activity)) == text(shape(expected))
    known = without_unknown(activity)
    assert text(write(known)) == text(without_unknown(expected).serialize())


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = {"deeper": value}
    return value


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("text", {}, "text"),
        ("from", "u1", "from"),
        ("from", {"name": []}, "from.name"),
        ("historyDisclosed", "maybe", "historyDisclosed"),
        ("timestamp", "yesterday", "timestamp"),
        ("timestamp", 5, "timestamp"),
        ("timestamp", "0001-01-01T00:00:00+14:00", "timestamp"),
        ("membersAdded", {}, "membersAdded"),
        ("membersAdded", [None, 7], "membersAdded"),
        ("listenFor", [None, []], "listenFor"),
        ("attachments", [{}] * (MAX_ITEMS + 1), "attachments"),
        ("suggestedActions", {"actions": [7]}, "suggestedActions.actions"),
        ("textHighlights", [{"occurrence": "often"}], "textHighlights.occurrence"),
        ("textHighlights", [{"occurrence": float("inf")}], "textHighlights.occurrence"),
        ("semanticAction", {"entities": []}, "semanticAction.entities"),
        ("value", nested(MAX_DEPTH), "value"),
        ("conversation", {"properties": nested(900)}, "conversation.properties"),
        ("unknown", nested(900), "unknown"),
        ("from", {"extra": nested(MAX_DEPTH)}, "from.extra"),
    ],
)
def test_what_does_not_fit_is_named(field: str, value: Any, named: str) -> None:
    with pytest.raises(Malformed) as error:
        read(Activity, ACTIVITY | {field: value})
    assert error.value.field == named
    assert str(error.value).startswith(f"{named} must")


@pytest.mark.parametrize(
    ("field", "nulls", "read_as"),
    [
        ("membersAdded", [None], []),
        ("membersAdded", [None, {"id": "u1"}, None], [{"id": "u1"}]),
        ("membersRemoved", [{"id": "u1"}, None], [{"id": "u1"}]),
        ("attachments", [None, {"contentType": "a/b"}], [{"contentType": "a/b"}]),
        ("entities", [None, {"type": "mention"}], [{"type": "mention"}]),
        ("reactionsAdded", [None], []),
        ("listenFor", ["a", None, "b"], ["a", "b"]),
        ("suggestedActions", {"to": [None], "actions": [None]}, {"to": [], "actions": []}),
        ("semanticAction", {"entities": {"e": None}}, {"entities": {}}),
        ("value", [None, {"x": None}], [None, {"x": None}]),
        ("channelData", {"list": [None]}, {"list": [None]}),
    ],
)
def test_a_null_among_others_is_left_out_but_not_where_anything_may_stand(
    field: str, nulls: Any, read_as: Any
) -> None:
    assert write(read(Activity, {field: nulls})) == {field: read_as}


_MOMENTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1))  # noqa: DTZ001 - zones are drawn


@given(
    moment=_MOMENTS,
    fraction=st.sampled_from(["", ".5", ".123", ".1234567", ".123456789"]),
    zone=st.sampled_from(["Z", "+00:00", "-00:00", "+05:30", "-11:45", "+14:00"]),
    between=st.sampled_from("T "),
    name=st.sampled_from(["timestamp", "localTimestamp", "expiration"]),
)
def test_a_time_of_rfc_3339_is_read_in_capitals_and_in_small_letters(
    moment: datetime, fraction: str, zone: str, between: str, name: str
) -> None:
    written = f"{moment.isoformat('T', 'seconds').replace('T', between)}{fraction}{zone}"
    in_capitals, in_small = (read(Activity, {name: t}) for t in (written, written.lower()))
    assert shape(in_small) == shape(in_capitals)
    if between == "T":  # msrest knows no other
        expected = shape(Activity.deserialize({name: written}))
        assert text(shape(in_capitals)) == text(expected)


def test_all_members_of_a_large_team_are_read() -> None:
    members = [{"id": f"29:{number}", "name": "x"} for number in range(5000)]
    assert len(read(Activity, {"membersAdded": members}).members_added) == len(members)


@pytest.mark.parametrize("document", [None, [], "text", 7])
def test_only_an_object_is_a_model(document: Any) -> None:
    with pytest.raises(Malformed, match="it must be a JSON object"):
        read(ConversationReference, document)


CARD = HeroCard(title="Pizza", buttons=[CardAction(type=ActionTypes.im_back, value="yes")])
SENT = [
    Activity(type=ActivityTypes.typing),
    Activity(text="hi", timestamp=datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)),
    Activity(timestamp=datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=2)))),
    Activity(attachments=[Attachment(content_type="card", content=CARD)]),
    Activity(suggested_actions=SuggestedActions(actions=[CardAction(title="x", value={"a": 1})])),
    Activity(entities=[Mention(mentioned=ChannelAccount(id="u1"), text="<at>Ada</at>")]),
    Activity(channel_data={"card": CARD, "list": [None, 1.5, True]}),
    Activity(text=5, history_disclosed=True),
    TaskModuleResponse(),
]


@pytest.mark.parametrize("model", SENT, ids=lambda model: type(model).__name__)
def test_what_a_bot_sends_is_written_as_msrest_writes_it(model: Model) -> None:
    assert text(write(model)) == text(model.serialize())  # type: ignore[no-untyped-call]


def test_a_time_without_a_zone_is_taken_for_utc() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - the point
    assert write(Activity(timestamp=moment)) == {"timestamp": "2026-01-02T03:04:05.000Z"}


def test_what_msrest_cannot_write_is_written_all_the_same() -> None:
    activity = Activity(channel_data={"kind": ActivityTypes.event, "pair": (1, 2)})
    assert write(activity) == {"channelData": {"kind": "event", "pair": [1, 2]}}


def test_what_has_no_json_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no JSON"):
        plain({"inner": [object()]})


@given(value=st.recursive(st.none() | st.booleans() | st.text() | st.integers(), st.lists))
def test_json_stays_what_it_is(value: Any) -> None:
    assert plain(value) == value
