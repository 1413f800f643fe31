"""What editors, CI and pre-commit are told fits what the Makefile and the project really have."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_dev.programs import ROOT
from local_dev.run import BANNER, Ports

MAKEFILE = (ROOT / "Makefile").read_text()
OURS = (ROOT / "development.mk").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE + OURS, re.MULTILINE))
CI, HOUSE_CI = ROOT / ".github/workflows/ci.yml", ROOT / ".ci/run"
PRE_COMMIT = ROOT / ".pre-commit-config.yaml"
TOLD = [
    CI,
    HOUSE_CI,
    PRE_COMMIT,
    ROOT / ".github/dependabot.yml",
    ROOT / ".vscode/tasks.json",
    ROOT / ".vscode/launch.json",
    ROOT / ".vscode/settings.json",
    ROOT / ".vscode/extensions.json",
    ROOT / ".devcontainer/devcontainer.json",
]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
# A command: at the start of a line or of a text in quotes, or what a step runs.
COMMAND = re.compile(r'(?:^\s*|[`"]|run: |&& )make (?:-\S+ )?([a-z][a-z-]*)\b', re.MULTILINE)
# A sentence that goes on behind `make` at a line's start is none: commands are in code.
FENCED = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def content(name: str) -> Any:
    return json.loads((ROOT / name).read_text())


def commands_in(path: Path) -> Iterator[str]:
    text = path.read_text()
    if path.suffix == ".md":
        text = "\n".join([*FENCED.findall(text), *re.findall(r"`make [^`]*`", text)])
    yield from COMMAND.findall(text)


@pytest.mark.parametrize("path", [*TOLD, *DOCUMENTS], ids=relative)
def test_what_is_made_can_be_made(path: Path) -> None:
    assert set(commands_in(path)) <= TARGETS


@pytest.mark.parametrize("path", [each for each in TOLD if each.suffix == ".json"], ids=relative)
def test_what_editors_read_is_plain_json(path: Path) -> None:
    assert json.loads(path.read_text())


def test_ci_runs_what_everyone_runs() -> None:
    ours = set(commands_in(CI))
    assert ours == {"check", "check-infra", "test"}
    assert ours == set(commands_in(HOUSE_CI))


def test_ci_runs_on_each_python_that_the_project_supports() -> None:
    listed = re.search(r"python-version: \[(.*)\]", CI.read_text())
    assert listed is not None
    oldest = re.search(r'requires-python = ">=(.*)"', (ROOT / "pyproject.toml").read_text())
    versions = re.findall(r'"([\d.]+)"', listed[1])
    assert oldest is not None
    assert versions[0] == oldest[1]
    assert all(version in HOUSE_CI.read_text() for version in versions)


def test_pre_commit_runs_what_check_runs() -> None:
    check = MAKEFILE.partition("\ncheck:")[2].partition("\n\n")[0]
    checked = set(re.findall(r"\$\(VENV\)/bin/([a-z-]+)", check))
    entries = re.findall(r"entry: \.venv/bin/([a-z-]+)", PRE_COMMIT.read_text())
    assert set(entries) == checked


def test_f5_starts_what_is_there() -> None:
    tasks = {each["label"]: each for each in content(".vscode/tasks.json")["tasks"]}
    launched = content(".vscode/launch.json")["configurations"]
    assert {each["preLaunchTask"] for each in launched} <= set(tasks)
    assert {each["dependsOn"] for each in tasks.values() if "dependsOn" in each} <= set(tasks)
    for module in [each["module"] for each in launched if "module" in each]:
        assert (ROOT / module.replace(".", "/") / "__main__.py").exists()
    ready = tasks["services"]["problemMatcher"]["background"]["endsPattern"]
    assert re.search(ready, BANNER)


def test_the_container_forwards_the_ports_of_make_run() -> None:
    container = content(".devcontainer/devcontainer.json")
    assert container["forwardPorts"] == list(vars(Ports()).values())
    assert {int(port) for port in container["portsAttributes"]} == set(container["forwardPorts"])


def test_editor_and_container_recommend_the_same_extensions() -> None:
    container = content(".devcontainer/devcontainer.json")["customizations"]["vscode"]
    assert container["extensions"] == content(".vscode/extensions.json")["recommendations"]


def test_dependabot_looks_where_there_is_something() -> None:
    text = (ROOT / ".github/dependabot.yml").read_text()
    folders = dict(re.findall(r"ecosystem: (\S+)\n    directory: /(\S*)", text))
    files = {
        "pip": "pyproject.toml",
        "npm": "package-lock.json",
        "github-actions": ".github/workflows",
        "devcontainers": ".devcontainer/devcontainer.json",
    }
    assert set(folders) == set(files)
    assert all((ROOT / folders[name] / file).exists() for name, file in files.items())
