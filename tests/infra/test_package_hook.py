"""What azd deploys is the package: the hook builds it, and lays it out as azd wants it."""

import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from local_dev import package
from tests.infra.tools import INFRA, ROOT

HOOK = "infra/hooks/prepackage.sh"
COMPILED = ".python_packages/lib/site-packages/__pycache__/module.cpython-313.pyc"


class Checkout:
    """A folder with the hook, and a `make` that copies a package there, or fails."""

    def __init__(self, folder: Path) -> None:
        self.root, self._path = folder / "check out", folder / "bin"
        shutil.copytree(INFRA / "hooks", self.root / "infra/hooks")
        (self.root / "dist/app").mkdir(parents=True)
        self._path.mkdir()

    def make(self, script: str) -> None:
        program = self._path / "make"
        program.write_text(f"#!/bin/sh\necho make $*\n{script}\n")
        program.chmod(0o755)

    def run_hook(self) -> subprocess.CompletedProcess[str]:
        """Run it from where azd may: the script's own folder."""
        return subprocess.run(
            ["/bin/sh", "./prepackage.sh"],
            cwd=self.root / "infra/hooks",
            env={"PATH": f"{self._path}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = tmp_path / "made.zip"
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("host.json", "{}")
        file.writestr(COMPILED, b"compiled")
    checkout = Checkout(tmp_path)
    checkout.make(f'cp "{made}" dist/proactive-bot.zip')
    return checkout


def test_the_package_is_laid_out_whole_and_nothing_else(checkout: Checkout) -> None:
    app = checkout.root / "dist/app"
    (app / "of-the-last-time.py").touch()
    done = checkout.run_hook()
    assert done.returncode == 0, done.stderr
    assert "make --no-print-directory package" in done.stdout
    there = {path.relative_to(app).as_posix() for path in app.rglob("*") if path.is_file()}
    assert there == {"host.json", COMPILED, ".funcignore"}


def test_azd_is_told_to_leave_nothing_out(checkout: Checkout) -> None:
    """Where there is no such file, azd leaves `__pycache__` out.

    https://github.com/Azure/azure-dev/blob/main/cli/azd/pkg/project/project_utils.go
    """
    checkout.run_hook()
    assert (checkout.root / "dist/app/.funcignore").read_text() == ""


def test_without_a_package_it_stops_with_a_sentence(checkout: Checkout) -> None:
    checkout.make("exit 2")
    done = checkout.run_hook()
    assert done.returncode == 1
    assert done.stderr == "prepackage: make package says above why there is no package\n"


def test_azd_takes_what_the_hook_lays_out_and_builds_nothing() -> None:
    service = (ROOT / "azure.yaml").read_text().partition("services:")[2].partition("\nhooks:")[0]
    assert re.search(r"dist: (\S+)", service)[1] == "dist/app"  # type: ignore[index]
    assert "remoteBuild: false" in service
    assert f"run: {HOOK}" in service


def test_azure_runs_the_python_that_the_package_is_for() -> None:
    app = (INFRA / "modules/app.bicep").read_text()
    assert f"runtime: {{ name: 'python', version: '{package.PYTHON}' }}" in app
    assert f"--runtime-version {package.PYTHON}" in (ROOT / "docs/deploy.md").read_text()
