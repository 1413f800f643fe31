"""What can be an id or an address; the bot's token goes to known hosts only."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.addresses import BOT_FRAMEWORK_HOSTS, ServiceUrls, is_base_url, is_id

IN_AZURE = ServiceUrls(BOT_FRAMEWORK_HOSTS, loopback=False)
LOCALLY = ServiceUrls(BOT_FRAMEWORK_HOSTS, loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://directline.botframework.com/",
        "https://europe.webchat.botframework.com",
        "https://smba.trafficmanager.net/emea/",
        "https://SMBA.trafficmanager.net/emea/",
        "https://smba.trafficmanager.net./emea/",
        "https://smba.onyx.prod.teams.trafficmanager.net",
        "https://smba.infra.gcc.teams.microsoft.com/gcc",
        "https://smba.infra.gov.teams.microsoft.us/teams",
        "https://smba.infra.dod.teams.microsoft.us/dod/",
        "https://directline.botframework.azure.us",
        "https://directline.botframework.azure.cn",
        "https://frontend.botapi.msg.infra.teams.microsoftonline.cn",
        "https://directline.botframework.com:443/",
    ],
)
def test_the_bot_frameworks_own_addresses_are_allowed(url: str) -> None:
    assert IN_AZURE.allow(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://directline.botframework.com/",
        "https://evil.example/",
        "https://botframework.com.evil.example/",
        "https://evilbotframework.com/",
        "https://evil.trafficmanager.net/",
        "https://smba.trafficmanager.net.evil.example/",
        "https://directline.botframework.com@evil.example/",
        "https://evil.example/directline.botframework.com",
        "https://evil.example#.botframework.com",
        "https://evil.example?.botframework.com",
        "https://evil.example\\.botframework.com",
        "https://169.254.169.254/metadata",
        "http://localhost:3000",
        "https://localhost:3000",
        "https://[::1]",
        "",
    ],
)
def test_no_other_address_is_allowed_in_azure(url: str) -> None:
    assert not IN_AZURE.allow(url)


def _hosts() -> list[str]:
    return [f"api{host}" if host.startswith(".") else host for host in BOT_FRAMEWORK_HOSTS]


_LABELS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)


@given(host=st.sampled_from(_hosts()), label=_LABELS, port=st.integers(1, 65535))
def test_no_look_alike_of_a_known_host_is_allowed(host: str, label: str, port: int) -> None:
    look_alikes = [
        f"https://{host}.{label}.example",
        f"https://{host}{label}",
        f"https://{host}-{label}.net",
        f"https://{label}.example/{host}",
        f"https://{host}@{label}.example",
        f"https://{label}.example:{port}/https://{host}",
        f"https://{host.replace('.', '-')}.{label}.example",
        f"https://{host.rpartition('.')[0]}.{label}x",
        f"http://{host}",
        f"ftp://{host}",
    ]
    allowed = [url for url in look_alikes if IN_AZURE.allow(url)]
    assert not allowed


@given(host=st.sampled_from(_hosts()), path=st.sampled_from(["", "/", "/emea", "/a/b/"]))
def test_a_known_host_is_allowed_in_any_letters_and_with_any_path(host: str, path: str) -> None:
    for spelled in (host, host.upper(), host.title(), f"{host}.", f"{host}:443"):
        assert IN_AZURE.allow(f"https://{spelled}{path}")


@pytest.mark.parametrize(
    "host", [host for host in _hosts() if host.startswith(("smba", "frontend"))]
)
def test_of_teams_hosts_no_subdomain_is_allowed(host: str) -> None:
    assert not IN_AZURE.allow(f"https://evil.{host}")
    assert not IN_AZURE.allow(f"https://evil{host}")
    assert not IN_AZURE.allow(f"https://{host.partition('.')[2]}")


@pytest.mark.parametrize("url", ["http://localhost:3000", "http://127.0.0.1:1", "http://[::1]:80"])
def test_this_machine_is_allowed_in_a_local_run(url: str) -> None:
    assert LOCALLY.allow(url)


@pytest.mark.parametrize("url", ["http://localhost.evil.example", "http://10.0.0.1", "http://0"])
def test_what_only_sounds_like_this_machine_is_not(url: str) -> None:
    assert not LOCALLY.allow(url)


@pytest.mark.parametrize(
    "value", ["c1", "19:abc@thread.tacv2;messageid=1", "a:1/b_c-d|0001", "Ж 1", "x" * 1024]
)
def test_channels_ids_are_ids(value: str) -> None:
    assert is_id(value)


@pytest.mark.parametrize("value", ["", ".", "..", "a\nb", "\x00", "\ud800", "x" * 1025, 7, None])
def test_what_cannot_go_into_an_address_or_a_log_is_no_id(value: Any) -> None:
    assert not is_id(value)


@pytest.mark.parametrize(
    "value",
    [
        "https://smba.trafficmanager.net/emea/",
        "http://localhost:3000",
        "http://[::1]:3000",
        "https://directline.botframework.com",
    ],
)
def test_service_urls_are_base_urls(value: str) -> None:
    assert is_base_url(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "localhost:3000",
        "ftp://host",
        "http://",
        "http://[",
        "http://host:99999",
        "http://host:port",
        "http://host:0",
        "http://user@host",
        "http://user:password@host",
        "http://host?to=elsewhere",
        "http://host#fragment",
        "http://host/ with space",
        "http://ho\nst",
        "http://\ud800",
        7,
        None,
    ],
)
def test_what_no_path_can_be_appended_to_is_no_base_url(value: Any) -> None:
    assert not is_base_url(value)


@pytest.mark.parametrize(
    "url",
    [
        "https://smba.trafficmanager.net/x?",
        "https://smba.trafficmanager.net/x#",
        "https://smba.trafficmanager.net#",
        "https://a..botframework.com",
        "https://.botframework.com",
        "https://-a.botframework.com",
        f"https://{'a' * 64}.botframework.com",
        "https://a.botframework.com..",
    ],
)
def test_what_only_looks_like_an_address_is_none(url: str) -> None:
    assert not is_base_url(url)


@pytest.mark.parametrize(
    "url", ["https://a.botframework.com.", f"https://{'a' * 63}.botframework.com", "http://[::1]:1"]
)
def test_what_is_an_address_is_one(url: str) -> None:
    assert is_base_url(url)
