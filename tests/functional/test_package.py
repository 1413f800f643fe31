"""The package that is deployed: built, unpacked into an empty folder, and run from there."""

import asyncio
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import aiohttp
import pytest

from bot_logic.telemetry.log_events import Event
from bot_logic.telemetry.names import DELIVERED, METRICS, QUEUE_AGE, SPANS, TURNS
from local_dev import package
from local_dev.direct_line import Settings as DirectLineSettings
from local_dev.direct_line import running as direct_line_running
from local_dev.ports import free_ports
from local_dev.programs import ROOT, Program, running
from local_dev.readiness import printing
from tests.expected import acknowledgement, proactive
from tests.functional.application_insights import ApplicationInsights, application_insights
from tests.functional.azurite_process import Azurite
from tests.functional.local_direct_line_scene import SECRET, FakeBot, Scene
from tests.infra.tools import app_settings

# What Azure has besides the app: the worker, and here what the stand-in for its host imports.
PLATFORM_MODULES = ("azure_functions_runtime", "azurefunctions", "croniter", "dateutil")
# What Application Insights' exporter tells of itself, and what it calls our `call channel`.
EXPORTERS_METRICS = {"_OTELRESOURCE_", "Item_Success_Count", "Item_Dropped_Count"}
EXPORTERS_CALL = "POST /"


@dataclass(frozen=True)
class Package:
    zip: Path
    folder: Path
    manifest: str


@pytest.fixture(scope="module", name="built")
def built_package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    folder = tmp_path_factory.mktemp("package")
    path, empty = folder / "dist" / "app.zip", folder / "empty"
    manifest = package.build(ROOT, path)
    with ZipFile(path) as archive:
        archive.extractall(empty)
    return Package(path, empty, manifest)


@pytest.fixture(name="storage")
def own_storage(tmp_path: Path) -> Iterator[Azurite]:
    """Azurite with nothing that another test has put on the app's queue."""
    emulator = Azurite(tmp_path / "azurite")
    with emulator.running():
        yield emulator


def worker_python() -> Path:
    """A Python 3.13 in whose environment the real worker is."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("the package is for Linux on x86-64")
    if sys.version_info[:2] == (3, 13):
        return Path(sys.executable)
    if python := os.environ.get("REAL_WORKER_PYTHON"):
        return Path(python)
    pytest.skip("REAL_WORKER_PYTHON names no Python 3.13 with azure-functions-runtime")


def site_packages(python: Path) -> Path:
    if python == Path(sys.executable):
        return Path(sysconfig.get_path("purelib"))
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return Path(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip())


def host_of(folder: Path, around: Path, port: int, settings: dict[str, str]) -> Program:
    """The real worker, and of all that is installed here the package's own dependencies only."""
    around.mkdir()
    python = worker_python()
    for name in PLATFORM_MODULES:
        (around / name).symlink_to(site_packages(python) / name)
    (around / "local_dev").symlink_to(ROOT / "local_dev")
    path = [folder, folder / package.DEPENDENCIES, around]
    environment = settings | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    command = [str(python), "-S", "-P", "-m", "local_dev.functions_host"]
    command += ["--app", str(folder), "--loader", "worker", "--port", str(port)]
    ready = printing("loaded by the real Functions worker")
    return Program("the deployed app", command, ready, environment)


@asynccontextmanager
async def deployed(
    built: Package, storage: Azurite, around: Path, telemetry: Mapping[str, str]
) -> AsyncIterator[Scene]:
    """The app as it is deployed, and the local Direct Line before it."""
    (port,) = free_ports(1)
    bot = DirectLineSettings(f"http://127.0.0.1:{port}/api/messages", SECRET)
    async with aiohttp.ClientSession() as session, direct_line_running(bot) as direct_line:
        settings = {
            "AzureWebJobsStorage": storage.connection_string,
            "DirectLineEndpoint": direct_line.base_url,
            "DirectLineSecret": SECRET,
            "TriggerSigningKey": "a-trigger-signing-key-of-the-tests",
            "MicrosoftAppId": "",
            **telemetry,
        }
        with running(host_of(built.folder, around, port, settings)):
            yield Scene(direct_line, FakeBot(), session)


async def test_unpacked_into_an_empty_folder_the_bot_answers_and_speaks_first(
    built: Package, storage: Azurite, tmp_path: Path
) -> None:
    async with deployed(built, storage, tmp_path / "around", {}) as scene:
        conversation = await scene.start("dl_ann")
        assert (await scene.say(conversation, "hello")).status == 200
        await until_said(scene, conversation, await acknowledgement("hello"))
        await until_said(scene, conversation, await proactive("hello"))


async def test_with_the_settings_of_azd_up_application_insights_is_told_what_we_list_and_no_more(
    built: Package, storage: Azurite, tmp_path: Path
) -> None:
    async with application_insights(tmp_path) as insights:
        settings = insights.resolved(app_settings("default"))
        async with deployed(built, storage, tmp_path / "around", settings) as scene:
            conversation = await scene.start("dl_ann")
            await scene.say(conversation, "hello")
            await until_told(insights, TURNS.name, DELIVERED.name, QUEUE_AGE.name)
            await until_told(insights, "turn", "process bot-queue", EXPORTERS_CALL)
            await until_told(insights, "message.queued", "message.ended")
    (message,) = insights.traces_of("process bot-queue")
    assert message in insights.traces_of("turn")
    assert insights.names("Metric") - EXPORTERS_METRICS <= {metric.name for metric in METRICS}
    spans = insights.names("Request") | insights.names("RemoteDependency")
    assert spans - {EXPORTERS_CALL} <= {span.name for span in SPANS}
    assert insights.names("Message") <= {event.value for event in Event}


async def until_told(insights: ApplicationInsights, *names: str) -> None:
    async with asyncio.timeout(20):
        while True:
            if insights.names() >= {*names}:
                return
            await asyncio.sleep(0.1)


async def until_said(scene: Scene, conversation: dict[str, Any], text: str) -> None:
    async with asyncio.timeout(20):
        while True:
            if text in await scene.texts(conversation):
                return
            await asyncio.sleep(0.1)


def test_the_manifest_names_what_is_inside_with_its_size(built: Package) -> None:
    names = [line.split("KiB", 1)[1].strip() for line in built.manifest.splitlines()[1:-1]]
    assert names[:4] == ["function_app.py", "bot_logic", "host.json", "requirements.txt"]
    assert "azure-functions 2.3.0" in names  # and not the one for an older Python
    sizes = [
        int(line.split("KiB")[0].replace(",", "")) for line in built.manifest.splitlines()[1:-1]
    ]
    unpacked = sum(path.stat().st_size for path in built.folder.rglob("*") if path.is_file())
    assert abs(sum(sizes) - unpacked / 1024) < len(sizes)


def test_nothing_inside_is_of_this_machine(built: Package) -> None:
    here = [str(ROOT).encode(), sys.prefix.encode(), tempfile.gettempdir().encode() + b"/tmp"]
    with ZipFile(built.zip) as archive:
        for name in archive.namelist():
            assert not any(place in archive.read(name) for place in here), name


def test_the_same_checkout_elsewhere_makes_the_same_zip(built: Package, tmp_path: Path) -> None:
    for name in package.APP:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, tmp_path / name)
    package.build(tmp_path, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == built.zip.read_bytes()


def test_core_tools_would_upload_the_same_files_of_the_app(tmp_path: Path) -> None:
    """`.funcignore` leaves out what the package leaves out."""
    if not (ROOT / ".git").exists():
        pytest.skip("git knows which files are part of the project, and how to read .funcignore")
    package.copy_app(ROOT, tmp_path)
    files = {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    }
    assert tracked() - tracked("--ignored", "--exclude-from=.funcignore") == files & tracked()


def tracked(*which: str) -> set[str]:
    listed = ["git", "-C", str(ROOT), "ls-files", "--cached", *which]
    return set(
        subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\n")
    )


@pytest.fixture(name="checkout")
def small_checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    (root / "bot_logic" / "cards").mkdir(parents=True)
    for name in ("function_app.py", "bot_logic/bot.py", "bot_logic/cards/menu.json"):
        (root / name).write_text("{}\n")
    (root / "host.json").write_text(json.dumps({"version": "2.0"}))
    (root / "requirements.txt").write_text("")
    return root


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_stands_beside_the_bot_is_deployed_and_nothing_else(
    checkout: Path, tmp_path: Path
) -> None:
    wanted = names_in(checkout)
    others = ("local.settings.json", ".env", "bot_logic/.env", "bot_logic/.idea/x.xml")
    for name in (*others, "bot_logic/__pycache__/bot.cpython-313.pyc", "tests/x.py"):
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).write_text("secret")
    package.copy_app(checkout, tmp_path / "copy")
    assert names_in(tmp_path / "copy") == wanted


@pytest.mark.parametrize("name", ["host.json", "bot_logic/bot.py", "bot_logic/cards"])
def test_a_link_is_refused_as_it_may_lead_anywhere(
    checkout: Path, tmp_path: Path, name: str
) -> None:
    (checkout / name).rename(tmp_path / "elsewhere")
    (checkout / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(package.PackageError, match=f"{name} is a link"):
        package.copy_app(checkout, tmp_path / "copy")


@pytest.mark.parametrize("name", package.APP)
def test_what_is_missing_is_named(checkout: Path, tmp_path: Path, name: str) -> None:
    (checkout / name).rename(tmp_path / "elsewhere")
    with pytest.raises(package.PackageError, match=f"{name} is missing"):
        package.copy_app(checkout, tmp_path / "copy")


@pytest.mark.parametrize(
    "requirement",
    ["idna==3.20", "idna==3.20 --hash=sha256:" + "0" * 64],
    ids=["without a hash", "with another hash"],
)
def test_only_what_the_lock_has_a_hash_of_is_installed(
    checkout: Path, tmp_path: Path, requirement: str
) -> None:
    (checkout / "requirements.txt").write_text(requirement + "\n")
    with pytest.raises(package.PackageError, match="could not be installed"):
        package.build(checkout, tmp_path / "dist" / "app.zip")
    assert not (tmp_path / "dist").exists()


def test_what_dialogs_need_and_is_published_as_source_only_is_installed(tmp_path: Path) -> None:
    everything = (ROOT / "requirements-dev.txt").read_text()
    locked = re.findall(r"^(?:emoji|grapheme)==(?:.*\\\n)+.*\n", everything, re.MULTILINE)
    assert len(locked) == 2
    (tmp_path / "lock.txt").write_text("".join(locked))
    package.install(tmp_path / "lock.txt", tmp_path / "installed")
    assert (tmp_path / "installed/emoji/__init__.py").exists()
    assert (tmp_path / "installed/grapheme/__init__.py").exists()
