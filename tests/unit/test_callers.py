"""Under which names a local server may be called, and by whose pages."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from local_dev.callers import LOOPBACK, ONLY_THIS_MACHINE, Callers

AUTHORITY_CHARACTERS = st.text("localhst127.0:[]@/\\%#? \t\r\n-_evil", max_size=30)
AROUND_LOOPBACK = st.builds(
    "{}{}{}".format, AUTHORITY_CHARACTERS, st.sampled_from(sorted(LOOPBACK)), AUTHORITY_CHARACTERS
)


def own(authority: str) -> bool:
    """Whether this is one of this machine's names, with a port or without, said in other words."""
    name = re.sub(r":[0-9]{1,5}\Z", "", authority.lower())
    return name in {"localhost", "127.0.0.1", "[::1]"} and "\n" not in authority


@given(AROUND_LOOPBACK | AUTHORITY_CHARACTERS | st.text())
@example("localhost:3000")
@example("LOCALHOST")
@example("[::1]:7071")
@example("localhost\n")
@example("localhost:3000@evil.example")
@example("localhost.evil.example")
@example("::1")
def test_a_host_is_this_machine_or_refused(host: str) -> None:
    assert ONLY_THIS_MACHINE.may_address(host) is own(host)


@given(st.sampled_from(["http://", "https://", "HTTP://", "file://", "", "ws://"]), AROUND_LOOPBACK)
def test_a_page_is_this_machines_or_refused(scheme: str, authority: str) -> None:
    is_web = scheme.lower() in {"http://", "https://"}
    assert ONLY_THIS_MACHINE.may_come_from(scheme + authority) is (is_web and own(authority))


@pytest.mark.parametrize("origin", ["", "null", "localhost", "file://", "http://", "*"])
def test_what_names_no_site_is_no_page_of_this_machine(origin: str) -> None:
    assert not ONLY_THIS_MACHINE.may_come_from(origin)


@pytest.mark.parametrize(
    "value", ["bot.example", " Bot.Example , other.example", "other bot.example"]
)
def test_a_setting_adds_names_and_takes_none_away(value: str) -> None:
    callers = Callers.from_setting(value)
    assert callers.may_address("BOT.example:8080")
    assert callers.may_come_from("https://bot.example")
    assert callers.may_address("localhost:3000")
    assert not callers.may_address("sub.bot.example")


@pytest.mark.parametrize(
    "value", ["*", ".example", "https://bot.example", "bot.example:80", "a..b"]
)
def test_a_setting_that_is_more_than_names_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="AllowedLocalHosts must be host names"):
        Callers.from_setting(value)
