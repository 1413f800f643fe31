"""`make` on a machine that lacks something: the reason is said, and said last."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from local_dev.programs import ROOT

TOOLS = ("sh", "make", "mktemp", "cat", "rm", "mkdir", "touch", "tar", "gzip", "cp")
FILES = (
    "Makefile",
    "development.mk",
    "requirements.txt",
    "requirements-dev.txt",
    "local_dev/package.json",
    "local_dev/package-lock.json",
)
FINE = "exit 0"
OFFLINE = 'echo "ECONNREFUSED" >&2; exit 1'
# Makes an environment whose Python is this script, too; there is nothing to install with it.
PYTHON = """
case "$2" in
  venv) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  pip) {} ;;
  local_dev.settings_file) echo "cannot read it" >&2; exit 1 ;;
esac"""

NPM = """
case "$1" in
  ci) mkdir -p local_dev/node_modules/.bin && touch local_dev/node_modules/.bin/azurite ;;
  pack)
    mkdir -p package/dist && touch package/dist/webchat.js package/dist/adaptivecards.min.js
    tar -czf it.tgz package && echo it.tgz ;;
esac"""


class Machine:
    """A checkout, and a PATH with the tools that every machine has, and what a test adds."""

    def __init__(self, folder: Path) -> None:
        self._checkout, self._path = folder / "checkout", folder / "bin"
        self._path.mkdir()
        for name in TOOLS:
            (self._path / name).symlink_to(str(shutil.which(name)))
        for name in FILES:
            (self._checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self._checkout / name)
        for folder_of_fetched in ("web_chat", "operator_page/page"):
            (self._checkout / "local_dev" / folder_of_fetched).mkdir(parents=True)

    def has(self, name: str, script: str) -> None:
        program = self._path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def touch(self, file: str) -> None:
        """Make a file of the checkout newer than all that was made of it."""
        later = time.time() + 2
        os.utime(self._checkout / file, (later, later))

    def make(self, target: str, **variables: str) -> str:
        """What a make that fails says, without make's own last word."""
        made = subprocess.run(
            [str(self._path / "make"), target],
            cwd=self._checkout,
            env={"PATH": str(self._path), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert made.returncode != 0
        *lines, last = made.stdout.splitlines()
        assert last.startswith("make: ***")
        return "\n".join(lines)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One that lacks nothing."""
    machine = Machine(tmp_path)
    machine.has("python3", PYTHON.format(FINE))
    machine.has("node", FINE)
    machine.has("npm", NPM)
    return machine


@pytest.mark.parametrize("target", ["run", "setup", "test", "bench", "chaos"])
@pytest.mark.parametrize(
    ("program", "script", "reason"),
    [
        ("python3", "exit 1", "Python 3.11 or newer is needed"),
        ("node", "exit 1", "Node.js 20 or newer is needed, with npm"),
        ("node", "exit 127", "Node.js 20 or newer is needed, with npm"),
    ],
    ids=["an old Python", "an old Node", "no Node"],
)
def test_what_is_missing_is_said_before_anything_is_done(
    machine: Machine, target: str, program: str, script: str, reason: str
) -> None:
    machine.has(program, script)
    said = machine.make(target)
    assert said.startswith(reason)
    assert "\n" not in said


def test_on_windows_it_says_where_it_works(machine: Machine) -> None:
    assert machine.make("run", OS="Windows_NT") == "On Windows, run make inside WSL."


@pytest.mark.parametrize(
    ("program", "script", "reasons"),
    [
        ("python3", PYTHON.format(OFFLINE), ("pip could not install the Python packages. ",)),
        ("npm", OFFLINE, ("npm could not fetch Web Chat. ", "npm could not install Azurite. ")),
        (
            "python3",
            '[ "$2" != venv ] || { echo "no ensurepip" >&2; exit 1; }',
            ("python3 -m venv failed. ",),
        ),
    ],
    ids=["pip", "npm", "venv"],
)
def test_what_cannot_be_installed_is_said_last(
    machine: Machine, program: str, script: str, reasons: tuple[str, ...]
) -> None:
    machine.has(program, script)
    before, _, after = machine.make("setup").partition("\n\n")
    assert ("ECONNREFUSED" in before) or ("no ensurepip" in before)
    assert any(line.startswith(reasons) for line in after.splitlines())  # whichever fails first


def test_the_checkouts_own_python_is_asked_once_it_is_there(machine: Machine) -> None:
    machine.make("setup")  # which fails after that
    machine.has("python3", "exit 1")
    assert "Python 3.11" not in machine.make("setup")


def test_the_checkouts_own_python_stays_what_it_is(machine: Machine) -> None:
    machine.make("setup")
    machine.touch("requirements.txt")  # an upgrade, so that packages are installed again
    machine.has("python3", '[ "$2" != venv ] || echo "another environment"; exit 0')
    assert "another environment" not in machine.make("setup")


def test_what_is_there_already_is_not_spoken_of(machine: Machine) -> None:
    machine.make("setup")
    assert "up to date" not in machine.make("setup")


def test_settings_that_cannot_be_read_are_said_last(machine: Machine) -> None:
    assert machine.make("setup").endswith("\n\ncannot read it")
