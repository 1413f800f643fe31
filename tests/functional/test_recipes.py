"""The recipes for functions.py, loaded by the worker that runs them in Azure."""

import hmac
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from local_dev.ports import free_ports
from local_dev.programs import ROOT, Program, Running
from local_dev.readiness import printing
from tests.functional.app_under_test import SECRET, SIGNING_KEY
from tests.functional.azurite_process import Azurite

WEBHOOK_SECRET = "a-webhook-secret-of-the-tests"


@contextmanager
def the_app_with(recipe: str, folder: Path, azurite: Azurite) -> Iterator[tuple[Running, int]]:
    """The app with a recipe in place of functions.py, on a port."""
    for name in ("function_app.py", "host.json"):
        shutil.copy(ROOT / name, folder / name)
    ours = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "bot_logic", folder / "bot_logic", ignore=ours)
    shutil.copy(ROOT / "docs/recipes" / recipe, folder / "bot_logic/functions.py")
    (folder / "local_dev").symlink_to(ROOT / "local_dev")
    port = free_ports(1)[0]
    settings = {
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        "AzureWebJobsStorage": azurite.connection_string,
        "DirectLineSecret": SECRET,
        "TriggerSigningKey": SIGNING_KEY,
        "WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    there = [
        "sh",
        "-c",
        'cd "$0" && exec "$@"',
        str(folder),
    ]  # else it imports the app that is here
    words = [*there, sys.executable, "-m", "local_dev.functions_host", "--port", str(port)]
    host = Running(Program("host", words, printing("loaded by"), settings))
    try:
        host.until(printing("loaded by"))
        yield host, port
    finally:
        host.stop()


def post(port: int, body: bytes, secret: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    signature = "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()
    connection.request("POST", "/api/hooks/build", body, {"X-Hub-Signature-256": signature})
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_webhook_is_served_and_asks_for_a_signature(azurite: Azurite, tmp_path: Path) -> None:
    body = b'{"workflow_run": {"conclusion": "failure", "html_url": "https://example.org"}}'
    with the_app_with("build_broke.py", tmp_path, azurite) as (_, port):
        assert post(port, body, WEBHOOK_SECRET) == 202
        assert post(port, body, "another") == 401


def test_the_digest_has_its_timer(azurite: Azurite, tmp_path: Path) -> None:
    with the_app_with("digest.py", tmp_path, azurite) as (host, _):
        assert "digest: timerTrigger 0 0 16 * * 1-5" in host.printed
