"""Once per process: what is imported, how the app is wired, and whether it may serve.

Importing makes hundreds of thousands of objects, and they stay. Python looks for garbage among them
again and again nevertheless, for a tenth of the time that the imports take; so it does not look
while they are made, nor at them later.
https://docs.python.org/3/library/gc.html#gc.freeze
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def made_to_stay() -> Iterator[None]:
    """Make what is made in this block without looking for garbage, now or ever."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


with made_to_stay():
    import json
    import logging
    import os
    import sys
    from functools import cache
    from typing import Any

    import azure.functions as func

    from bot_logic.errors import SettingsError
    from bot_logic.settings import Settings, misspelt, runs_locally
    from bot_logic.telemetry.start import telemetry_to
    from bot_logic.wiring import Wiring


@cache
def wiring() -> Wiring:
    """Return the app's parts, wired from the environment.

    Raises:
        SettingsError: naming every setting that is missing or malformed.
    """
    logging.getLogger("azure").setLevel(logging.WARNING)  # else every call's headers are logged
    settings = Settings.from_environment(os.environ)
    with made_to_stay():
        telemetry = telemetry_to(settings.telemetry)
    return Wiring(settings, telemetry=telemetry)


def may_serve() -> bool:
    """Tell whether all settings are right; if not, say which are not, one line for each.

    On stderr, since the Functions host drops what is logged while the app is imported.
    """
    if runs_locally(os.environ):  # in Azure `make doctor` looks, and no start takes longer
        for name, meant in misspelt(os.environ).items():
            sys.stderr.write(f"{name} is no setting of this app: is {meant} meant?\n")
    try:
        wiring()
    except SettingsError as error:
        for problem in error.problems:
            sys.stderr.write(f"only health is served: {problem}\n")
        return False
    return True


async def report_health() -> func.HttpResponse:
    """Answer 200 with what is reachable, or 503 with what is not, or the settings to mend."""
    try:
        report = await wiring().health.report()
    except SettingsError as error:
        return _json(503, {"status": "misconfigured", "problems": list(error.problems)})
    status = "ok" if report.healthy else "unhealthy"
    return _json(200 if report.healthy else 503, {"status": status, "checks": dict(report.checks)})


def _json(status: int, body: dict[str, Any]) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/json")
