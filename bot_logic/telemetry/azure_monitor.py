"""Sends spans, metrics and log records to Application Insights, and nothing that we do not list.

By itself the package would also send each call of Azure's and other libraries, with addresses and
the keys in them, the machine's counters and live metrics. Logging in is
APPLICATIONINSIGHTS_AUTHENTICATION_STRING's, which the package reads.
https://learn.microsoft.com/azure/azure-monitor/app/opentelemetry-configuration?tabs=python
"""

from functools import reduce
from typing import Final

from azure.monitor.opentelemetry import configure_azure_monitor
from opentelemetry.resource.detector.azure.app_service import AzureAppServiceResourceDetector
from opentelemetry.resource.detector.azure.functions import AzureFunctionsResourceDetector
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource

from bot_logic.telemetry.names import LOGGER, SERVICE

# Later ones win: the app has the host's name in Azure, unless OTEL_SERVICE_NAME says another.
_DETECTORS: Final = (
    AzureAppServiceResourceDetector,
    AzureFunctionsResourceDetector,
    OTELResourceDetector,
)
_NOT_TRACED: Final = (
    *("azure_sdk", "requests", "urllib", "urllib3"),  # installed here
    *("django", "fastapi", "flask", "httpx", "httpx2", "psycopg2"),  # if you install them
)


def set_up() -> None:
    """Set providers whose exporters send to APPLICATIONINSIGHTS_CONNECTION_STRING."""
    configure_azure_monitor(
        logger_name=LOGGER,
        resource=_resource(),
        instrumentation_options={name: {"enabled": False} for name in _NOT_TRACED},
        enable_live_metrics=False,
        enable_performance_counters=False,
    )


def _resource() -> Resource:
    found = (detector().detect() for detector in _DETECTORS)
    return reduce(Resource.merge, found, Resource({SERVICE_NAME: SERVICE}))
