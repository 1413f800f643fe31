"""The zip that is deployed: the app, and from the lock what it imports, for Azure's Linux.

python -m local_dev.package
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from local_dev import package_manifest, zip_file
from local_dev.console import say
from local_dev.programs import ROOT

ZIP: Final = ROOT / "dist" / "proactive-bot.zip"
APP: Final = ("function_app.py", "bot_logic", "host.json", "requirements.txt")
# Where the Functions worker looks:
# https://learn.microsoft.com/azure/azure-functions/python-build-options
DEPENDENCIES: Final = ".python_packages/lib/site-packages"
PYTHON: Final = "3.13"  # the Function App's; docs/deploy.md creates it so
PLATFORM: Final = "x86_64-manylinux_2_28"
# All that botbuilder-dialogs needs, but these, can be had as wheels; they are nothing but Python.
SOURCE_ONLY: Final = ("aiounittest", "emoji", "grapheme")
TIMEOUT: Final = 600  # seconds, for each program that is asked
NOT_SHIPPED: Final = (
    f"{DEPENDENCIES}/.lock",  # uv's own
    f"{DEPENDENCIES}/bin/*",  # commands; they name this checkout's Python
    f"{DEPENDENCIES}/*.dist-info/RECORD",  # their checksums, for uninstalling
)


class PackageError(Exception):
    """There is no package, for the reason in the message."""


def build(root: Path = ROOT, path: Path = ZIP) -> str:
    """Write the zip, whole or not at all, and return its manifest.

    Raises:
        PackageError: a file of the app is missing or wrong, or a dependency cannot be had.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_app(root, folder)
        install(folder / "requirements.txt", folder / DEPENDENCIES)
        compiled = compile_all(folder)
        shipped = _shipped(folder)
        zip_file.write(path, ((_name(file, folder), file.read_bytes()) for file in shipped))
        parts = package_manifest.parts(folder, shipped, APP, folder / DEPENDENCIES)
        return "\n".join([package_manifest.heading(path), *parts, compiled])


def copy_app(root: Path, folder: Path) -> None:
    """Copy what the app itself consists of: nothing hidden, and nothing compiled.

    Raises:
        PackageError: some of it is missing, or is a link, which may lead anywhere on this machine.
    """
    for path in _app_files(root):
        copy = folder / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _app_files(root: Path) -> Iterator[Path]:
    for start in (root / name for name in APP):
        if not start.exists():
            raise PackageError(f"{start.name} is missing")
        for path in (start, *sorted(start.rglob("*"))):
            relative = path.relative_to(root)
            if any(part.startswith(".") or part == "__pycache__" for part in relative.parts):
                continue
            if path.is_symlink():
                raise PackageError(f"{relative} is a link; put what it leads to there")
            if path.is_file():
                yield path


def install(lock: Path, folder: Path) -> None:
    """Install what the lock lists for Azure, whichever Python and system this is.

    By uv: pip judges the lock's conditions by the Python that runs it, so that 3.11 cannot install
    for 3.13: https://github.com/pypa/pip/issues/11664

    Raises:
        PackageError: something cannot be had with the lock's hash, as a wheel or as one of the
            sources named above, or not in time.
    """
    command = ["uv", "pip", "install", "--quiet", "--python", sys.executable]
    command += ["--target", str(folder), "--python-platform", PLATFORM, "--python-version", PYTHON]
    command += ["--require-hashes", "--only-binary", ":all:", "--requirement", str(lock)]
    command += [f"--no-binary={name}" for name in SOURCE_ONLY]
    _run(*command, problem="the lock's packages could not be installed")


def compile_all(folder: Path) -> str:
    """Compile all modules, or say why not: in Azure it would be done anew at each cold start.

    The file system there may show any time, so the compiled module is not compared with its source.

    Raises:
        PackageError: a module does not compile.
    """
    if sys.implementation.cache_tag != f"cpython-{PYTHON.replace('.', '')}":
        return f"Not compiled, so it starts later: that takes CPython {PYTHON}."
    mode = ("--invalidation-mode", "unchecked-hash", "-s", str(folder))
    _run("compileall", "-q", *mode, str(folder), problem="a module does not compile")
    return f"Compiled for CPython {PYTHON}."


def _run(*module: str, problem: str) -> None:
    try:
        subprocess.run([sys.executable, "-m", *module], check=True, timeout=TIMEOUT)  # noqa: S603
    except subprocess.CalledProcessError:
        raise PackageError(f"{problem}; {module[0]} says above why") from None
    except subprocess.TimeoutExpired:
        raise PackageError(f"{problem} within {TIMEOUT} s") from None


def _shipped(folder: Path) -> list[Path]:
    left_out = {path for pattern in NOT_SHIPPED for path in folder.glob(pattern)}
    return sorted(path for path in folder.rglob("*") if path.is_file() and path not in left_out)


def _name(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def main() -> int:
    """Build the package and say what is in it; the exit code is 1 if there is none."""
    try:
        say(build())
    except PackageError as error:
        say(str(error), sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
