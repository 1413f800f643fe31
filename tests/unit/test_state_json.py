"""A bot's state as JSON: what dialogs keep comes back, and nothing else becomes an object."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from botbuilder.dialogs import DialogInstance, DialogState
from botbuilder.dialogs.choices import Choice, FoundChoice, ListStyle
from botbuilder.dialogs.prompts import DateTimeResolution, PromptOptions
from botbuilder.dialogs.prompts.oauth_prompt import CallerInfo
from botbuilder.schema import Activity, ActivityTypes, CardAction, TokenResponse
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.bot_endpoint.sdk.state_json import decode, encode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text() | st.sampled_from(["$sdk", "value", "e_tag"]), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def stored_and_read(value: Any) -> Any:
    return decode(json.loads(json.dumps(encode(value))))


def seen(value: Any) -> Any:
    """An object and all in it, as something to compare."""
    if isinstance(value, dict):
        return {name: seen(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [seen(inner) for inner in value]
    if type(value).__module__.startswith("botbuilder"):
        return type(value), getattr(value, "value", None) if isinstance(value, ListStyle) else seen(
            vars(value)
        )
    return type(value), value


@given(JSON)
def test_json_comes_back_as_it_was_whatever_its_keys_are(value: Any) -> None:
    assert seen(stored_and_read(value)) == seen(value)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_comes_back_to_the_last_digit(value: Decimal) -> None:
    assert stored_and_read({"n": [value]})["n"][0].as_tuple() == value.as_tuple()


@given(st.sampled_from(["DialogState", "schema.Activity", "map", "os.system", 7]), JSON)
def test_what_a_user_sent_never_becomes_an_object(kind: Any, value: Any) -> None:
    sent = {"$sdk": kind, "value": value}
    assert stored_and_read({"said": [sent]}) == {"said": [sent]}


def test_all_that_dialogs_keep_comes_back() -> None:
    options = PromptOptions(
        prompt=Activity(type="message", text="Which?", channel_data={"$sdk": "map", "value": 1}),
        retry_prompt=Activity(type="message", text="Which, please?"),
        choices=[
            Choice("Größe L", CardAction(type="imBack", title="L", value={"n": 1}), ["large"]),
            Choice("M"),
        ],
        style=ListStyle.hero_card,
        validations={"min": 1},
        number_of_attempts=2,
    )
    inner = DialogState([DialogInstance("prompt", {"options": options, "state": {}})])
    state = DialogState(
        [
            DialogInstance("order", {"dialogs": inner}),
            DialogInstance(
                "steps",
                {
                    "stepIndex": 1,
                    "values": {
                        "size": FoundChoice("L", 0, 1.0, "large"),
                        "when": [DateTimeResolution("18:00", timex="T18")],
                        "since": datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
                        "naive": datetime(2026, 1, 2),  # noqa: DTZ001 - as the SDK makes them
                        "token": TokenResponse(token="t", connection_name="c"),
                        "caller": CallerInfo("https://caller.example", "scope"),
                    },
                },
            ),
        ]
    )
    assert seen(stored_and_read(state)) == seen(state)


def test_a_word_of_the_sdks_is_kept_as_the_text_it_is() -> None:
    assert type(stored_and_read(ActivityTypes.message)) is str
    assert stored_and_read([ActivityTypes.message, (1, 2)]) == ["message", [1, 2]]


@dataclass
class Order:
    pizza: str


class Choices(PromptOptions):  # type: ignore[misc]
    pass


def with_a_field_of_its_own() -> Choice:
    choice = Choice("L")
    choice.price = 7
    return choice


def in_itself() -> list[Any]:
    around: list[Any] = []
    around.append(around)
    return around


@pytest.mark.parametrize(
    "value",
    [
        object(),
        Order("Funghi"),
        Choices(),
        with_a_field_of_its_own(),
        {1: "a"},
        {"x": float("nan")},
        Decimal("nan"),
        Decimal("-inf"),
        b"bytes",
        {1, 2},
        in_itself(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_would_not_come_back_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


def test_a_decimal_that_is_none_is_refused_by_reading() -> None:
    with pytest.raises(TypeError, match="Decimal"):
        decode({"$sdk": "Decimal", "value": "twelve"})


@pytest.mark.parametrize(
    "kind",
    ["os.system", "schema.system", "schema.Model", "schema.__builtins__", "DialogSet", 7, None, []],
)
def test_a_kind_that_is_not_known_is_refused_by_reading_not_looked_up(kind: Any) -> None:
    with pytest.raises(TypeError, match="kind"):
        decode({"$sdk": kind, "value": {}})
