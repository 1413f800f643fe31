"""The programs that look at infra/: found where a user has them, or the test is skipped."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
HERE = Path(__file__).parent
COMBINATIONS = sorted((HERE / "snapshots").glob("*.bicepparam"))
PATIENCE = 180  # seconds; the compiler unpacks itself the first time
NOBODYS = "00000000-0000-0000-0000-00000000000"


def run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with what it says."""
    return subprocess.run(
        [program, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        cwd=ROOT,
    )


def bicep(*arguments: str | Path) -> str:
    """Run Microsoft's compiler; a warning is an error.

    https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-cli
    """
    program = os.environ.get("BICEP") or shutil.which("bicep")
    if not program:
        pytest.skip("BICEP names no program, and there is no bicep on PATH: az bicep install")
    done = run(program, *arguments)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert not done.stderr.strip(), said
    return done.stdout


def snapshot(parameters: Path, mode: str) -> str:
    """Work out what a deployment would make; `validate` holds it against the file kept."""
    return bicep(
        *("snapshot", parameters, "--mode", mode, "--deployment-name", "test"),
        *("--subscription-id", f"{NOBODYS}1", "--tenant-id", f"{NOBODYS}2"),
        *("--location", "westeurope"),
    )


def app_settings(combination: str) -> dict[str, str]:
    """Return the app settings that a combination of parameters makes in Azure."""
    made = json.loads((HERE / f"snapshots/{combination}.snapshot.json").read_text())
    (settings,) = (
        resource["properties"]
        for resource in made["predictedResources"]
        if resource["name"].endswith("/appsettings")
    )
    return dict(settings)


def checker(name: str) -> str:
    """Return where a program of the environment of requirements.txt is."""
    folder = os.environ.get("INFRA_TOOLS")
    if not folder:
        pytest.skip(f"{name} is looked for by make check-infra only, which installs it")
    return str(Path(folder) / name)
