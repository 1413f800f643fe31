"""The bot's token goes to known hosts, and to nobody who only looks like one."""

import pytest

from bot_logic.service_urls import BOT_FRAMEWORK_HOSTS, ServiceUrls

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
        "https://smba.infra.gov.teams.microsoft.us/teams",
        "https://directline.botframework.azure.us",
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


@pytest.mark.parametrize("url", ["http://localhost:3000", "http://127.0.0.1:1", "http://[::1]:80"])
def test_this_machine_is_allowed_in_a_local_run(url: str) -> None:
    assert LOCALLY.allow(url)


@pytest.mark.parametrize("url", ["http://localhost.evil.example", "http://10.0.0.1", "http://0"])
def test_what_only_sounds_like_this_machine_is_not(url: str) -> None:
    assert not LOCALLY.allow(url)
