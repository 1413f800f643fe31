"""Echo turns: through the SDK's adapter, through ours, and through none."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from benchmarks.channel import Channel
from benchmarks.login import APP_ID, APP_PASSWORD, METADATA_PATH, Login
from benchmarks.outcome import Outcome, compared
from benchmarks.plan import Plan
from benchmarks.programs import Program, running
from benchmarks.raw_http import serving
from benchmarks.settings import SETTINGS
from benchmarks.turns import UNIT, Conversing, Talk, talk_in_turns
from benchmarks.users import text_of

PEER = "benchmarks.peers.sdk_echo"
OURS = "benchmarks.ours.echo"
FLOOR = "benchmarks.peers.floor"


async def measure_open(plan: Plan) -> list[Outcome]:
    """Measure "echo" and "floor" in the same rounds: nobody is authenticated."""
    rates = await _measure((PEER, OURS, FLOOR), Channel(), plan)
    return [
        compared("echo", UNIT, rates[OURS], rates[PEER]),
        compared("floor", UNIT, rates[OURS], rates[FLOOR]),
    ]


async def measure_authenticated(plan: Plan) -> list[Outcome]:
    """Measure "echo_auth": each request carries a token that is checked, in both directions."""
    rates = await _measure((PEER, OURS), Channel(Login()), plan)
    return [compared("echo_auth", UNIT, rates[OURS], rates[PEER])]


async def _measure(
    modules: Sequence[str], channel: Channel, plan: Plan
) -> Mapping[str, Sequence[float]]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(channel))
        settings, token = SETTINGS, ""
        if channel.login is not None:
            channel.login.base_url = url
            settings, token = SETTINGS | _registered(url), channel.login.channel_token(url)
        about = Conversing(channel, url, lambda number: f"Echo: {text_of(number)}", token)
        talks = [
            Talk(module, await stack.enter_async_context(running(program)), about)
            for module in modules
            for program in [Program(module, environment=settings)]
        ]
        return await talk_in_turns(talks, plan)


def _registered(login_url: str) -> dict[str, str]:
    return {
        "MicrosoftAppId": APP_ID,
        "MicrosoftAppPassword": APP_PASSWORD,
        "ToChannelFromBotLoginUrl": f"{login_url}/botframework.com",
        "ToBotFromChannelOpenIdMetadataUrl": f"{login_url}{METADATA_PATH}",
    }
