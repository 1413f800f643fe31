"""Who can be told something: found by user, conversation and topic, and gone when it is over."""

import json
from itertools import pairwise
from typing import Any

import pytest

from bot_logic.admin.audiences import complete
from bot_logic.conversations import TABLE_NAME as CONVERSATIONS
from bot_logic.conversations import Conversations, build
from bot_logic.conversations.audiences import (
    CHANNELS,
    TABLE_NAME,
    Audiences,
    Lane,
    digits_for,
    digits_in,
    groups,
    people,
    topic,
)
from bot_logic.storage.memory import MemoryStorage
from bot_logic.storage.protocols import digest_key
from bot_logic.testing import ManualClock

OLD = '["msteams", "c9"]'


class World:
    def __init__(self) -> None:
        self.storage = storage = MemoryStorage(ManualClock())
        self.conversations: Conversations = build(storage, ManualClock())
        self.audiences = Audiences(storage.table(TABLE_NAME))

    async def ids(self, partition: str) -> list[str]:
        members = self.audiences.members(partition)
        return [each.reference["conversation"]["id"] async for each in members]

    async def of_user(self, user_id: str) -> str | None:
        found = await self.audiences.user(user_id)
        return None if found is None else found.reference["conversation"]["id"]


@pytest.fixture
def world() -> World:
    return World()


def personal(conversation: str = "c1", user: str = "ada", tenant: str = "t1") -> dict[str, Any]:
    return {
        "channelId": "msteams",
        "serviceUrl": "https://smba.trafficmanager.net/emea/",
        "conversation": {"id": conversation, "tenantId": tenant},
        "user": {"id": user, "aadObjectId": f"entra-{user}"},
        "bot": {"id": "bot"},
    }


def group(conversation: str = "g1") -> dict[str, Any]:
    return {
        "channelId": "msteams",
        "serviceUrl": "https://smba.trafficmanager.net/emea/",
        "conversation": {"id": conversation, "isGroup": True, "conversationType": "groupChat"},
        "bot": {"id": "bot"},
    }


async def test_a_person_is_found_by_both_ids_and_by_channel(world: World) -> None:
    await world.conversations.remember(personal())
    assert await world.of_user("ada") == await world.of_user("entra-ada") == "c1"
    assert await world.ids(people("msteams")) == ["c1"]
    assert await world.audiences.channels() == ["msteams"]
    assert await world.of_user("c1") is None


async def test_a_person_has_one_row_a_channel_with_the_newest_conversation(world: World) -> None:
    await world.conversations.remember(personal("c1"))
    await world.conversations.remember(personal("c2"))
    assert await world.ids(people("msteams")) == ["c2"]
    assert await world.of_user("ada") == "c2"


async def test_an_older_conversation_that_ends_takes_nothing_along(world: World) -> None:
    await world.conversations.remember(personal("c1"))
    await world.conversations.remember(personal("c2"))
    await world.conversations.forget(personal("c1"))
    assert await world.of_user("ada") == "c2"
    await world.conversations.forget(personal("c2"))
    assert await world.of_user("ada") is None
    assert await world.ids(people("msteams")) == []


async def test_a_group_is_no_person(world: World) -> None:
    await world.conversations.remember(group())
    assert await world.ids(people("msteams")) == []
    assert await world.ids(groups("msteams")) == ["g1"]
    assert (await world.audiences.conversation("g1")) is not None


async def test_those_of_one_tenant_lie_together(world: World) -> None:
    for number in range(12):
        tenant = f"t{number % 3}"
        await world.conversations.remember(personal(f"c{number}-{tenant}", f"u{number}", tenant))
    tenants = [each[-2:] for each in await world.ids(people("msteams"))]
    changes = sum(one != other for one, other in pairwise(tenants))
    assert changes == 2


async def test_a_topic_has_who_subscribed_until_they_unsubscribe_or_are_gone(world: World) -> None:
    await world.conversations.remember(personal("c1"))
    await world.conversations.remember(personal("c2", "grace"))
    assert await world.conversations.subscribe(personal("c1"), "pizza")
    assert await world.conversations.subscribe(personal("c2", "grace"), "pizza")
    assert sorted(await world.ids(topic("pizza"))) == ["c1", "c2"]
    await world.conversations.unsubscribe(personal("c1"), "pizza")
    assert await world.ids(topic("pizza")) == ["c2"]
    await world.conversations.forget(personal("c2", "grace"))
    assert await world.ids(topic("pizza")) == []
    assert not await world.conversations.subscribe(personal("c2", "grace"), "pizza")


async def test_a_service_that_moved_is_known_everywhere_and_topics_stay(world: World) -> None:
    await world.conversations.remember(personal())
    await world.conversations.subscribe(personal(), "pizza")
    moved = personal() | {"serviceUrl": "https://smba.trafficmanager.net/amer/"}
    await world.conversations.remember(moved)
    for partition in (people("msteams"), topic("pizza")):
        (member,) = [each async for each in world.audiences.members(partition)]
        assert member.reference["serviceUrl"] == moved["serviceUrl"]


async def test_a_conversation_of_an_older_version_is_put_among_the_audiences_once(
    world: World,
) -> None:
    row = {"key": OLD, "reference": json.dumps(personal("c9", "old"))}
    await world.storage.table(CONVERSATIONS).put(digest_key(OLD), row)
    await world.conversations.remember(personal("c1"))
    assert await world.ids(people("msteams")) == ["c1"]
    assert await complete(world.storage, ManualClock()) == 1
    assert sorted(await world.ids(people("msteams"))) == ["c1", "c9"]
    assert await complete(world.storage, ManualClock()) == 0


def claiming(channel: str, user: str, **more: str) -> dict[str, Any]:
    """A visitor's conversation, in which the visitor says who they are."""
    return {
        "channelId": channel,
        "serviceUrl": "https://directline.botframework.com",
        "conversation": {"id": f"visitor-as-{user}"},
        "user": {"id": user, **more},
    }


@pytest.mark.parametrize("channel", ["directline", "webchat", "DirectLine", "emulator"])
@pytest.mark.parametrize("known", [True, False])
async def test_a_visitor_who_says_they_are_somebody_else_gets_nothing_of_theirs(
    world: World, channel: str, *, known: bool
) -> None:
    if known:
        await world.conversations.remember(personal("c1", "29:ada"))
    for visitor in (
        claiming(channel, "29:ada"),
        claiming(channel, "entra-29:ada"),
        claiming(channel, "mallory", aadObjectId="entra-29:ada"),
    ):
        await world.conversations.remember(visitor)
    expected = "c1" if known else None
    assert await world.of_user("29:ada") == await world.of_user("entra-29:ada") == expected
    assert await world.ids(people("msteams")) == (["c1"] if known else [])


async def test_an_id_that_direct_line_binds_is_found_unless_a_channel_vouches_for_another(
    world: World,
) -> None:
    await world.conversations.remember(claiming("directline", "dl_ada"))
    assert await world.of_user("dl_ada") == "visitor-as-dl_ada"
    await world.conversations.remember(personal("c1", "dl_ada"))
    await world.conversations.remember(claiming("directline", "dl_ada") | {"locale": "de"})
    assert await world.of_user("dl_ada") == "c1"


async def test_a_visitor_makes_no_lanes(world: World) -> None:
    for number in range(5):
        visitor = claiming("directline", f"dl_{number}")
        visitor["conversation"]["tenantId"] = f"t{number}"
        await world.conversations.remember(visitor)
    members = [each async for each in world.audiences.members(people("directline"))]
    assert len({Lane.of(each.reference) for each in members}) == 1


@pytest.mark.parametrize(
    "reference",
    [
        personal(),
        personal() | {"user": {"id": "ada", "aadObjectId": "entra"}},
        personal() | {"user": {}},
        group(),
        claiming("directline", "dl_ada"),
        claiming("webchat", "eve"),
    ],
    ids=["personal", "of Entra", "of nobody", "group", "bound to a token", "claimed"],
)
async def test_each_place_is_known_by_the_digits_of_an_id(
    world: World, reference: dict[str, Any]
) -> None:
    await world.conversations.remember(reference)
    await world.conversations.subscribe(reference, "news")
    user, channel = reference.get("user", {}), reference["channelId"]
    known = digits_for(set(user.values()), {reference["conversation"]["id"]}, {channel})
    places = [
        f"{row.key.partition}/{row.key.row}"
        async for row in world.storage.table(TABLE_NAME).rows()
        if row.key.partition != CHANNELS
    ]
    assert len(places) > 2
    assert all(digits_in(place) & known for place in places)
