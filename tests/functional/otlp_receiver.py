"""A real OTLP receiver: the Aspire dashboard, which takes telemetry and can be asked for it."""

import json
import os
import shutil
import tarfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from local_dev.ports import free_ports
from local_dev.programs import Program, running
from local_dev.readiness import listening

NAME = "Aspire.Dashboard"
# Telemetry is sent at once, that nobody has to wait for it.
AT_ONCE = {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_METRIC_EXPORT_INTERVAL": "500"}  # milliseconds


def program(folder: Path) -> Path:
    """Return the receiver's path; skip the test where nobody has it, but not in CI.

    Args:
        folder: where it is unpacked, if it is packed.
    """
    found = os.environ.get("OTLP_RECEIVER") or shutil.which(NAME)
    if not found:
        reason = f"OTLP_RECEIVER names no program, and there is no {NAME} on PATH"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return _unpacked(Path(found), folder) if tarfile.is_tarfile(found) else Path(found)


def _unpacked(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as content:
        content.extractall(folder, filter="data")
    (unpacked,) = folder.rglob(NAME)
    unpacked.chmod(0o755)
    return unpacked


@dataclass(frozen=True)
class Span:
    """A span as it was received."""

    document: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.document["spanId"])

    @property
    def trace(self) -> str:
        return str(self.document["traceId"])

    @property
    def name(self) -> str:
        return str(self.document["name"])

    @property
    def parent(self) -> str:
        return str(self.document.get("parentSpanId", ""))

    @property
    def links(self) -> list[str]:
        return [link["spanId"] for link in self.document.get("links", [])]

    @property
    def attributes(self) -> dict[str, str]:
        return _fields(self.document)


@dataclass(frozen=True)
class Receiver:
    """A running receiver."""

    pages: str
    endpoint: str

    @cached_property
    def settings(self) -> dict[str, str]:
        """The settings with which an app sends its telemetry here."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint, **AT_ONCE}

    def traces(self) -> list[list[Span]]:
        """The spans of each trace."""
        traces: dict[str, list[Span]] = {}
        for group in self._asked("traces")["data"]["resourceSpans"]:
            for scope in group["scopeSpans"]:
                for span in scope["spans"]:
                    traces.setdefault(span["traceId"], []).append(Span(span))
        return list(traces.values())

    def events(self) -> list[tuple[str, str]]:
        """The trace and the name of each log event."""
        return [
            (record.get("traceId", ""), record.get("eventName", ""))
            for group in self._asked("logs")["data"]["resourceLogs"]
            for scope in group["scopeLogs"]
            for record in scope["logRecords"]
        ]

    def has_metrics(self) -> bool:
        """Whether a service has sent metrics."""
        return any(resource["hasMetrics"] for resource in self._asked("resources"))

    def everything(self) -> str:
        """All spans and log records, as text."""
        return json.dumps([self._asked("traces"), self._asked("logs")])

    def _asked(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self.pages}/api/telemetry/{what}", timeout=10) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def receiving(folder: Path) -> Iterator[Receiver]:
    """Run a receiver as long as the block lasts."""
    path = program(folder)
    ports = free_ports(3)
    pages, grpc, http = (f"http://127.0.0.1:{port}" for port in ports)
    environment = {
        "ASPNETCORE_URLS": pages,
        "ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL": grpc,
        "ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL": http,
        "ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS": "true",
        "DOTNET_BUNDLE_EXTRACT_BASE_DIR": str(folder / "bundle"),
        "ASPNETCORE_CONTENTROOT": str(path.parent),
    }
    with running(Program("otlp-receiver", [str(path)], listening(*ports), environment)):
        yield Receiver(pages, http)


def _fields(document: dict[str, Any]) -> dict[str, str]:
    fields = document.get("attributes", [])
    return {field["key"]: next(iter(field["value"].values())) for field in fields}
