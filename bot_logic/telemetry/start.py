"""Sets telemetry up. What a destination does not need is not imported: it delays a cold start."""

# ruff: noqa: PLC0415 - see above

from bot_logic.errors import SettingsError
from bot_logic.telemetry import OFF, Telemetry
from bot_logic.telemetry.destination import Destination


def telemetry_to(destination: Destination) -> Telemetry:
    """Return what tells a destination; to be asked once per process.

    OpenTelemetry's providers are the process's, so that the bot's own spans go there, too.

    Raises:
        SettingsError: OpenTelemetry refuses a setting of its own.
    """
    if destination is Destination.NOWHERE:
        return OFF
    try:
        return _set_up(destination)
    except Exception as error:
        why = f"OpenTelemetry cannot be set up ({type(error).__name__})"
        which = "a setting that begins with OTEL_ or APPLICATIONINSIGHTS_"
        raise SettingsError([f"{why}: is {which} wrong?"]) from error


def _set_up(destination: Destination) -> Telemetry:
    match destination:
        case Destination.CONSOLE:
            from bot_logic.telemetry import trace_lines

            trace_lines.set_up()
        case Destination.OTLP:
            from bot_logic.telemetry import otlp

            otlp.set_up()
        case Destination.AZURE_MONITOR:
            from bot_logic.telemetry import azure_monitor

            azure_monitor.set_up()
    from bot_logic.telemetry.opentelemetry_api import at_hand

    return at_hand()
