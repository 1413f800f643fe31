"""The local Functions host's two ways to load an app give the same results."""

import os
import sys
import urllib.parse
from typing import Any

import pytest

from local_dev.ports import free_ports
from tests.functional.functions_host_process import Host, eventually


def test_both_loaders_give_the_same_results(
    azurite: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    python = sys.executable
    if sys.version_info < (3, 13):
        python = os.environ.get("REAL_WORKER_PYTHON", "")
        if not python:
            pytest.skip("REAL_WORKER_PYTHON names no Python 3.13 with azure-functions-runtime")
    results = []
    for loader, interpreter in {"worker": python, "converters": sys.executable}.items():
        host = Host(azurite, tmp_path_factory.mktemp(loader), free_ports(1)[0])
        host.create_queue()
        try:
            host.start("--loader", loader, python=interpreter)
            results.append(observe(host))
        finally:
            host.kill()
    assert results[0] == results[1]


def observe(host: Host) -> list[Any]:
    slash = urllib.parse.quote("a/b", safe="")
    requests: list[tuple[str, str, bytes | None]] = [
        ("GET", "/api/echo?q=1", None),
        ("POST", "/api/echo", b"\x00body"),
        ("GET", f"/api/items/{slash}", None),
        ("GET", "/api/fail", None),
        ("DELETE", "/api/echo", None),
    ]
    answers = []
    for method, path, body in requests:
        status, headers, content = host.request(method, path, body, X_Test="1")
        text = content.decode().replace(str(host.port), "PORT")
        answers.append((status, headers.get("content-type"), headers.get("x-answer"), text))
    for message in ("plain", {"a": 1}, {"dequeuecount": 7}):
        host.put(message)
    eventually(lambda: len(host.done()) == 3)
    seen = sorted((record["body"], record["dequeue_count"]) for record in host.started())
    return [answers, seen]
