"""The notifications API against its own OpenAPI document: schemathesis calls the running app."""

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot_logic.api import OPENAPI
from local_dev.ports import free_ports
from local_dev.programs import ROOT, Program, running
from local_dev.readiness import printing
from tests.functional.azurite_process import Azurite

CONFIGURATION = ROOT / "tests" / "functional" / "schemathesis.toml"
SECONDS = 300  # it takes ten on a core of its own
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
PATHS = json.loads(OPENAPI.read_text())["paths"]


@pytest.fixture(scope="module", name="port")
def port_of_the_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The whole app in the stand-in for the Functions host, on an Azurite of its own."""
    (port,) = free_ports(1)
    emulator = Azurite(tmp_path_factory.mktemp("azurite"))
    with emulator.running():
        settings = {
            "AzureWebJobsStorage": emulator.connection_string,
            "DirectLineEndpoint": "http://127.0.0.1:1",  # nobody is known, so nobody is sent to
            "DirectLineSecret": "a-direct-line-secret-of-the-tests",
            "TriggerSigningKey": "a-trigger-signing-key-of-the-tests",
        }
        command = [sys.executable, "-m", "local_dev.functions_host", "--port", str(port)]
        with running(Program("the app", command, printing("loaded by"), settings)):
            yield port


def test_the_app_does_what_its_document_says_and_refuses_all_else(
    port: int, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)]
    command += ["run", str(OPENAPI), "--url", f"http://127.0.0.1:{port}/api"]
    called = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert called.returncode == 0, called.stdout + called.stderr


@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_the_document_does_not_have_is_not_found(port: int, path: str) -> None:
    described = {method.upper() for method in PATHS[path]}
    for method in METHODS - described:
        with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
            connection.request(method, "/api" + re.sub(r"{\w+}", "0" * 32, path))
            assert connection.getresponse().status in (404, 405), method
