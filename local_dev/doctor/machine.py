"""What is installed on this machine: Python, Node.js, Azurite, Web Chat, Core Tools."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from local_dev import azurite
from local_dev.doctor.findings import Finding, note, ok, problem

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)  # that the tests run on, and Azure has
OLDEST_NODE: Final = 20
CORE_TOOLS: Final = 4
VERSION_TIMEOUT: Final = 20.0  # seconds for a program to say its version; `func` takes some
WEB_CHAT: Final = Path(azurite.__file__).parent / "web_chat/webchat.js"
SET_UP: Final = "run `make setup`"

_MAJOR: Final = re.compile(r"v?(\d{1,6})\.\d")


def findings(python: tuple[int, int] = sys.version_info[:2]) -> Iterator[Finding]:
    """Look at each program that `make run` needs, or uses where it is there."""
    yield _python(python)
    yield _node()
    yield _azurite()
    yield _web_chat()
    yield _core_tools()


def _python(version: tuple[int, int]) -> Finding:
    said = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        remedy = "install Python 3.11 to 3.13 and name it: make setup PYTHON=/path/to/python3"
        return problem("Python", f"{said} is too old", remedy)
    if version > NEWEST_PYTHON:
        remedy = "use 3.13 where something fails"
        return note("Python", f"{said} is newer than what the tests run on", remedy)
    return ok("Python", said)


def _node() -> Finding:
    remedy = f"install Node.js {OLDEST_NODE} or newer, with npm: https://nodejs.org"
    version = _version_of("node")
    if version is None:
        return problem("Node.js", "is not on PATH, or does not say its version", remedy)
    if _major(version) < OLDEST_NODE:
        return problem("Node.js", f"{version} is too old", remedy)
    if shutil.which("npm") is None:
        return problem("Node.js", f"{version}, but npm is not on PATH", remedy)
    return ok("Node.js", version)


def _azurite() -> Finding:
    package = azurite.PROGRAM.parents[1] / "azurite/package.json"
    if not (azurite.PROGRAM.exists() and package.exists()):
        return problem("Azurite", "is not installed", SET_UP)
    found = json.loads(package.read_text())["version"]
    wanted = json.loads((WEB_CHAT.parents[1] / "package.json").read_text())["dependencies"]
    if found != wanted["azurite"]:
        return problem("Azurite", f"{found} is installed, not {wanted['azurite']}", SET_UP)
    return ok("Azurite", found)


def _web_chat() -> Finding:
    if WEB_CHAT.exists():
        return ok("Web Chat", "is there")
    return problem("Web Chat", "is not there, so the chat page stays empty", SET_UP)


def _core_tools() -> Finding:
    if shutil.which("func") is None:
        remedy = "to use it: npm install -g azure-functions-core-tools@4"
        return note("Core Tools", "func is not on PATH; make run has a stand-in", remedy)
    version = _version_of("func")
    if version is None or _major(version) != CORE_TOOLS:
        remedy = "npm install -g azure-functions-core-tools@4"
        return problem("Core Tools", f"func says {version or 'no version'}, not 4", remedy)
    return ok("Core Tools", version)


def _version_of(program: str) -> str | None:
    """Return what a program calls its version; None if it is not there or does not say."""
    path = shutil.which(program)
    if path is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - what PATH has
            [path, "--version"], capture_output=True, timeout=VERSION_TIMEOUT, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    words = done.stdout.decode(errors="replace").split()
    return words[0][:40] if words and _MAJOR.match(words[0]) else None


def _major(version: str) -> int:
    found = _MAJOR.match(version)
    return int(found[1]) if found else 0
