"""Notifications on the real storage emulator, over the local Direct Line."""

import json
from typing import Any

import pytest

from bot_logic.errors import BadRequest
from bot_logic.notifications.request import parse
from tests.functional.app_under_test import AppUnderTest, ChatUser

LONG = '"é🍕\\' * 40  # of an id, whose letters take many bytes


async def notify(app: AppUnderTest, to: Any, **fields: Any) -> str:
    """Ask for a notification, and send what is due."""
    orders, body = app.wiring.notifications.orders, json.dumps({"to": to, **fields}).encode()
    taken = await orders.take(parse(body, orders.clock.now(), orders.lifetime))
    for lane in taken.lanes:
        await app.wiring.wake_ups.pump.run(lane)
    return taken.id


async def report(app: AppUnderTest, notification: str) -> dict[str, Any]:
    found = await app.wiring.notifications.orders.report(notification)
    assert found is not None
    return {"state": found.state.value, **{name: n for name, n in found.counts.items() if n}}


async def reference_of(app: AppUnderTest, user: ChatUser) -> dict[str, Any]:
    found = await app.wiring.notifications.audiences.conversation(user.conversation_id)
    assert found is not None
    return dict(found.reference)


async def test_each_of_a_list_is_told_once_and_the_unknown_are_said(app: AppUnderTest) -> None:
    ada, bob = await app.user("dl_notified_ada"), await app.user("dl_notified_bob")
    to = [{"user": "dl_notified_ada"}, {"conversation": bob.conversation_id}, {"user": LONG}]
    notification = await notify(app, [*to, to[0]], text="News")
    assert (await ada.hears(2))[1:] == ["News"]
    assert (await bob.hears(2))[1:] == ["News"]
    assert await report(app, notification) == {"state": "done", "sent": 2, "unknown": 1}


async def test_the_largest_order_fits_into_its_rows(app: AppUnderTest) -> None:
    ada = await app.user("dl_notified_ada")
    to = [{"user": "dl_notified_ada"}, *({"user": f"{n}{LONG}"} for n in range(999))]
    text = "é🍕" * 4700
    notification = await notify(app, to, text=text)
    assert (await ada.hears(2))[1:] == [text]
    assert await report(app, notification) == {"state": "done", "sent": 1, "unknown": 999}


async def test_who_unsubscribed_is_not_told(app: AppUnderTest) -> None:
    ada, bob = await app.user("dl_notified_ada"), await app.user("dl_notified_bob")
    topic, conversations = f"pizza {ada.conversation_id}", app.wiring.conversations
    for user in (ada, bob):
        assert await conversations.subscribe(await reference_of(app, user), topic)
    assert await conversations.unsubscribe(await reference_of(app, bob), topic)
    notification = await notify(app, {"topic": topic}, text="Ready")
    assert (await ada.hears(2))[1:] == ["Ready"]
    assert len(await bob.hears(1)) == 1
    assert await report(app, notification) == {"state": "done", "sent": 1}


async def test_stop_outlives_all_writing_of_audiences_anew(app: AppUnderTest) -> None:
    ada, bob = await app.user("dl_notified_ada"), await app.user("dl_notified_bob")
    topic, conversations = f"stop {ada.conversation_id}", app.wiring.conversations
    for user in (ada, bob):
        assert await conversations.subscribe(await reference_of(app, user), topic)
    reference = await reference_of(app, ada)
    await conversations.skips.opt_out(reference)
    await conversations.skips.opt_out(reference)
    await conversations.remember(reference, rewrite=True)
    await conversations.remember(reference | {"conversation": {"id": f"{topic} anew"}})
    notification = await notify(app, {"topic": topic}, text="News")
    assert (await bob.hears(2))[1:] == ["News"]
    assert await report(app, notification) == {"state": "done", "sent": 1, "optedOut": 1}
    await conversations.skips.opt_in(reference)
    notification = await notify(app, {"topic": topic}, text="More")
    assert await report(app, notification) == {"state": "done", "sent": 2}


async def test_who_was_forgotten_before_their_page_was_sent_is_gone(app: AppUnderTest) -> None:
    ada = await app.user("dl_notified_ada")
    orders = app.wiring.notifications.orders
    body = json.dumps({"to": {"user": ada.user_id}, "text": "News"}).encode()
    taken = await orders.take(parse(body, orders.clock.now(), orders.lifetime))
    await app.wiring.conversations.forget(await reference_of(app, ada))
    for lane in taken.lanes:
        await app.wiring.wake_ups.pump.run(lane)
    assert await report(app, taken.id) == {"state": "done", "gone": 1}
    with pytest.raises(BadRequest, match="nobody is known"):
        await notify(app, {"user": ada.user_id}, text="News")


async def test_a_broadcast_of_several_pages_reaches_all_of_a_topic(app: AppUnderTest) -> None:
    ada = await app.user("dl_notified_ada")
    reference = await reference_of(app, ada)
    topic = f"many {ada.conversation_id}"
    audiences = app.wiring.notifications.audiences
    for number in range(300):
        await audiences.subscribe(topic, {**reference, "conversation": {"id": f"nowhere-{number}"}})
    await audiences.subscribe(topic, reference)
    notification = await notify(app, {"topic": topic}, text="News")
    assert (await ada.hears(2))[1:] == ["News"]
    assert await report(app, notification) == {"state": "done", "sent": 1, "gone": 300}
