"""Application Insights, played: it takes telemetry over https from who shows an identity.

https://learn.microsoft.com/azure/azure-monitor/app/azure-ad-authentication
"""

import gzip
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.functional.azurite_process import write_certificate
from tests.functional.otlp_receiver import AT_ONCE
from tests.functional.storage_logins import IDENTITY_HEADER, IdentityEndpoint, identity_endpoint

AUDIENCE = "https://monitor.azure.com"
KEY = "00000000-0000-0000-0000-000000000001"


@dataclass
class ApplicationInsights:
    """What was sent here, as it would be stored."""

    url: str
    certificate: Path
    identity: IdentityEndpoint
    received: list[dict[str, Any]] = field(default_factory=list)

    def resolved(self, app_settings: dict[str, str]) -> dict[str, str]:
        """Return those of Azure's app settings that are about telemetry, leading here."""
        about = ("APPLICATIONINSIGHTS_", "OTEL_", "PYTHON_")
        settings = {name: v for name, v in app_settings.items() if name.startswith(about)}
        here = {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey={KEY};"
            f"IngestionEndpoint={self.url}",
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "ClientId=an-id;Authorization=AAD",
        }
        assert here.keys() <= settings.keys()
        platform = {
            "IDENTITY_ENDPOINT": self.identity.url,
            "IDENTITY_HEADER": IDENTITY_HEADER,
            "REQUESTS_CA_BUNDLE": str(self.certificate),
        }
        return settings | here | platform | AT_ONCE | {"OTEL_TRACES_SAMPLER": "always_on"}

    def names(self, kind: str = "") -> set[str]:
        """The names of spans (Request, RemoteDependency), metrics and log events (Message)."""
        return {_name(each["data"]["baseData"]) for each in self._of(kind)}

    def traces_of(self, span: str) -> set[str]:
        """The traces in which there is a span of this name that answers somebody."""
        found = (each for each in self._of("Request") if each["data"]["baseData"]["name"] == span)
        return {each["tags"]["ai.operation.id"] for each in found}

    def _of(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.received if each["data"]["baseType"].startswith(kind)]

    async def track(self, request: web.Request) -> web.Response:
        """Take telemetry from who shows a token of the identity."""
        _, _, token = request.headers.get("Authorization", "").partition("Bearer ")
        if not token or not self.identity.asked:
            return web.Response(status=401)
        body = await request.read()
        items = json.loads(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)
        self.received += items
        counts = {"itemsReceived": len(items), "itemsAccepted": len(items)}
        return web.json_response(counts | {"errors": []})


@asynccontextmanager
async def application_insights(folder: Path) -> AsyncIterator[ApplicationInsights]:
    """Take telemetry as long as the block lasts."""
    certificate, key = folder / "insights.pem", folder / "insights-key.pem"
    write_certificate(certificate, key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    async with identity_endpoint(audience=AUDIENCE) as identity:
        insights = ApplicationInsights("", certificate, identity)
        app = web.Application(client_max_size=10**7)
        app.router.add_post("/{version}/track", insights.track)
        server = TestServer(app, scheme="https")
        await server.start_server(ssl=context)
        insights.url = str(server.make_url("/")).rstrip("/")
        try:
            yield insights
        finally:
            await server.close()


def _name(data: dict[str, Any]) -> str:
    if "metrics" in data:
        return str(data["metrics"][0]["name"])
    return str(data["name"] if "name" in data else data["message"].split()[0])
