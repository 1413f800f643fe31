"""The parts of the local Direct Line that need no server."""

from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_dev.direct_line.conversations import Conversations
from local_dev.direct_line.faults import Faults, Rule
from local_dev.direct_line.tokens import Grant, Tokens
from local_dev.direct_line.wire import ApiError, parse_object

GRANT = Grant("a-conversation", "dl_ann")


@pytest.mark.parametrize("grant", [GRANT, Grant("a-conversation", "")], ids=["user", "nobody"])
def test_a_token_says_what_it_was_issued_for(grant: Grant) -> None:
    tokens = Tokens("secret")
    assert tokens.read(tokens.issue(grant)) == grant


def test_a_token_names_its_user_where_web_chat_looks() -> None:
    token = Tokens("secret").issue(GRANT)
    assert jwt.decode(token, options={"verify_signature": False})["user"] == "dl_ann"


@pytest.mark.parametrize(("age", "expired"), [(0, False), (1799.9, False), (1800, True)])
def test_a_token_lives_for_half_an_hour(age: float, *, expired: bool) -> None:
    now = [1000.0]
    tokens = Tokens("secret", clock=lambda: now[0])
    token = tokens.issue(GRANT)
    now[0] += age
    if expired:
        with pytest.raises(ApiError, match="expired"):
            tokens.read(token)
    else:
        assert tokens.read(token) == GRANT


def test_a_token_of_another_secret_is_none() -> None:
    with pytest.raises(ApiError, match="not valid"):
        Tokens("one").read(Tokens("two").issue(GRANT))


@given(st.text())
def test_no_text_is_taken_for_a_token_or_the_secret(text: str) -> None:
    tokens = Tokens("a secret that is not guessed")
    assert not tokens.is_secret(text)
    with pytest.raises(ApiError):
        tokens.read(text)


@given(st.binary())
def test_a_body_is_an_object_or_an_error(raw: bytes) -> None:
    def outcome() -> type | int:
        try:
            return type(parse_object(raw))
        except ApiError as error:
            return error.status

    assert outcome() in {dict, 400}


def follow(shown: dict[str, int], activities: list[dict[str, Any]]) -> None:
    """Show what a client is told, as Web Chat does."""
    for activity in activities:
        if activity.get("type") == "messageDelete":
            shown.pop(activity["id"], None)
        else:
            shown[activity["id"]] = activity["n"]


@given(st.lists(st.sampled_from(["append", "replace", "remove"])))
def test_a_reader_that_follows_misses_nothing(steps: list[str]) -> None:
    conversation = Conversations().create({})
    ids: list[str] = []
    followed: dict[str, int] = {}
    position = 0
    for number, step in enumerate(steps):
        if step == "append" or not ids:
            ids.append(conversation.append({"n": number})["id"])
        elif step == "replace":
            conversation.replace(ids[-1], {"n": number})
        else:
            removed = ids.pop()
            conversation.remove(removed)
        activities, position = conversation.after(position)
        follow(followed, activities)
    replayed: dict[str, int] = {}
    follow(replayed, conversation.after(0)[0])
    assert followed == replayed
    assert set(replayed) == set(ids)


def test_a_listener_hears_of_every_change() -> None:
    conversations = Conversations()
    conversation = conversations.create({})
    heard: list[int] = []
    conversation.listeners.add(lambda: heard.append(conversation.after(0)[1]))
    conversation.append({})
    conversation.append({})
    conversations.forget(conversation.id)
    assert heard == [1, 2, 2]
    assert conversation.forgotten


def test_a_rule_strikes_its_operation_as_often_as_told() -> None:
    rule = Rule("post_activity", status=500, times=2)
    assert not rule.strikes("upload")
    assert [rule.strikes("post_activity") for _ in range(4)] == [True, True, False, False]
    assert rule.hits == 2


def test_chance_can_be_repeated() -> None:
    def sequence(seed: int) -> list[bool]:
        rule = Rule("post_activity", probability=0.5, seed=seed)
        return [rule.strikes("post_activity") for _ in range(50)]

    assert sequence(1) == sequence(1) != sequence(2)
    assert 10 < sum(sequence(1)) < 40


def test_a_spent_rule_makes_way_for_the_next() -> None:
    faults = Faults()
    faults.rules = [Rule("upload", status=429, times=1), Rule("upload", status=503)]
    picked = [faults.pick("upload") for _ in range(3)]
    assert [rule and rule.status for rule in picked] == [429, 503, 503]
