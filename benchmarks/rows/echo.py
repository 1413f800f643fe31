"""Echo turns: through the SDK's adapter, through ours, and through none."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from benchmarks.channel import Channel
from benchmarks.login import APP_ID, APP_PASSWORD, METADATA_PATH, Login
from benchmarks.outcome import Outcome, compared
from benchmarks.plan import Plan
from benchmarks.programs import Program, running
from benchmarks.raw_http import serving
from benchmarks.settings import SETTINGS
from benchmarks.turns import Conversing, Talk, talk_in_turns
from benchmarks.users import text_of

PROGRAMS = {
    "peer": "benchmarks.peers.sdk_echo",
    "ours": "benchmarks.ours.echo",
    "floor": "benchmarks.peers.floor_echo",
}


async def measure_open(keys: Collection[str], plan: Plan) -> list[Outcome]:
    """The rows "echo" and "floor", both from the same rounds: nobody is authenticated."""
    wanted = {"echo": ("peer", "ours"), "floor": ("ours", "floor")}
    named = {who for key in keys for who in wanted[key]}
    talks = await _measure(named, Channel(), plan)
    return [
        compared(
            key,
            talks["ours"].series,
            talks[other].series,
            {who: talks[who].seen() for who in wanted[key]},
        )
        for key, other in (("echo", "peer"), ("floor", "floor"))
        if key in keys
    ]


async def measure_authenticated(_keys: Collection[str], plan: Plan) -> list[Outcome]:
    """The row "echo_auth": each request carries a token that is checked, in both directions."""
    talks = await _measure({"peer", "ours"}, Channel(Login()), plan)
    seen = {who: talk.seen() for who, talk in talks.items()}
    return [compared("echo_auth", talks["ours"].series, talks["peer"].series, seen)]


async def _measure(named: Collection[str], channel: Channel, plan: Plan) -> Mapping[str, Talk]:
    async with _conversing(channel) as (about, settings), AsyncExitStack() as stack:
        talks = [
            Talk(who, await stack.enter_async_context(running(_program(module, settings))), about)
            for who, module in PROGRAMS.items()
            if who in named
        ]
        return await talk_in_turns(talks, plan)


@asynccontextmanager
async def _conversing(channel: Channel) -> AsyncIterator[tuple[Conversing, Mapping[str, str]]]:
    """The channel at its address, and the settings of the bots that it talks to."""
    async with serving(channel) as url:
        if channel.login is None:
            yield Conversing(channel, url, _echo), SETTINGS
            return
        channel.login.base_url = url
        token = channel.login.channel_token(url)
        yield Conversing(channel, url, _echo, token), {**SETTINGS, **_registered(url)}


def _registered(login_url: str) -> Mapping[str, str]:
    return {
        "MicrosoftAppId": APP_ID,
        "MicrosoftAppPassword": APP_PASSWORD,
        "ToChannelFromBotLoginUrl": f"{login_url}/botframework.com",
        "ToBotFromChannelOpenIdMetadataUrl": f"{login_url}{METADATA_PATH}",
    }


def _program(module: str, settings: Mapping[str, str]) -> Program:
    return Program(module, environment=settings)


def _echo(number: int) -> str:
    return f"Echo: {text_of(number)}"
