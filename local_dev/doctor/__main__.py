"""Look at what the bot needs, and say what is wrong and what to do about it.

    make doctor                                       this checkout and what it runs on
    make doctor DOCTOR="--settings FILE"              the settings of an app in Azure, from here
    make doctor DOCTOR="--url https://HOST"           an app that runs, by what it says itself
    make doctor DOCTOR=--json                         for programs

FILE is a local.settings.json, or what `az functionapp config appsettings list --output json`
prints; it may be /dev/stdin. The exit status is 1 if there is a problem. No secret is shown.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from bot_logic.clock import SYSTEM_CLOCK, Clock
from bot_logic.errors import SettingsError
from local_dev.console import say
from local_dev.doctor import configured, dependencies, deployed, listening, machine
from local_dev.doctor.findings import Finding, are_well, as_json, problem
from local_dev.run import Stack


async def of_this_checkout(stack: Stack, clock: Clock) -> AsyncIterator[Finding]:
    """Look at this machine, at the settings that `make run` would use, and at what they name."""
    for found in (*machine.findings(), *listening.findings(stack)):
        yield found
    idle = not stack.ports.taken()
    try:
        source = configured.of_this_checkout()
    except SettingsError as error:
        yield _unreadable(error, "mend the line, or delete the file: another is made")
        return
    async for found in of_settings(source, clock, idle=idle):
        yield found


async def of_settings(
    source: configured.Source, clock: Clock, *, idle: bool = False
) -> AsyncIterator[Finding]:
    """Look at settings, and at what they name; `idle` if a local run would have to be started."""
    reading = configured.read(source)
    for found in reading.findings:
        yield found
    for found in await dependencies.findings(reading.settings, reading.storage, clock, idle=idle):
        yield found


def _unreadable(error: SettingsError, remedy: str) -> Finding:
    return problem("settings", str(error), remedy)


async def diagnose(options: argparse.Namespace) -> Sequence[Finding]:
    """Look at what the arguments ask for."""
    found: list[Finding] = []
    if options.url:
        found += await deployed.findings(options.url)
    if options.settings:
        try:
            source = configured.of_a_file(options.settings)
        except SettingsError as error:
            return [*found, _unreadable(error, "name a file as --help describes it")]
        found += [each async for each in of_settings(source, SYSTEM_CLOCK)]
    if not (options.url or options.settings):
        found += [each async for each in of_this_checkout(Stack(), SYSTEM_CLOCK)]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Say what was found; the exit status is 1 if there is a problem."""
    parser = argparse.ArgumentParser(
        prog="python -m local_dev.doctor",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--settings", type=Path, metavar="FILE", help="of an app in Azure")
    parser.add_argument("--url", help="of an app that runs")
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args(arguments)
    found = asyncio.run(diagnose(options))
    for line in (
        [json.dumps(as_json(found), indent=2)] if options.json else map(Finding.line, found)
    ):
        say(line)
    return 0 if are_well(found) else 1


if __name__ == "__main__":
    sys.exit(main())
