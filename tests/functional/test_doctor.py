"""`make doctor`: each fault is provoked on real parts, and found with what to do about it."""

import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.clock import SYSTEM_CLOCK, Clock
from bot_logic.testing import ManualClock
from local_dev import azurite
from local_dev.doctor import configured, deployed, listening, machine
from local_dev.doctor.__main__ import main, of_settings
from local_dev.doctor.configured import Source
from local_dev.doctor.findings import Finding, State, are_well, problem
from local_dev.doctor.port_owners import by_lsof, by_proc
from local_dev.ports import free_ports
from local_dev.programs import ROOT, Program, running
from local_dev.readiness import listening as listens
from local_dev.run import Ports, Stack
from tests.functional.app_under_test import APP_ID, APP_PASSWORD, NOWHERE, SECRET, AppUnderTest
from tests.functional.azurite_process import Azurite

WRONG_KEY = "d3Jvbmc="
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just("reachable"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
JSON = ANY | st.fixed_dictionaries({}, optional={"checks": ANY, "problems": ANY})
SECRETS = (SECRET, APP_PASSWORD, azurite.KEY, WRONG_KEY, "of-another-bot")


async def found(
    values: dict[str, str], clock: Clock = SYSTEM_CLOCK, *, idle: bool = False
) -> dict[str, Finding]:
    """What the doctor says of these settings, by subject, and never a secret of theirs."""
    source = Source(values, "the remedy", deployed=False)
    findings = [each async for each in of_settings(source, clock, idle=idle)]
    assert not [each for each in findings for secret in SECRETS if secret in each.line()]
    return {each.subject: each for each in findings}


def problems(findings: dict[str, Finding]) -> dict[str, str]:
    wrong = {name: each for name, each in findings.items() if each.state is State.PROBLEM}
    assert all(each.remedy for each in wrong.values())
    return {name: each.text for name, each in wrong.items()}


async def test_an_app_in_order_has_no_problem(app: AppUnderTest) -> None:
    findings = await found(app.environ)
    assert problems(findings) == {}
    subjects = {"queue", "tables", "clock", "Direct Line", "login", "TriggerSigningKey"}
    assert subjects | {"settings"} == set(findings)
    assert all(each.state is State.OK for each in findings.values())


async def test_a_registered_bot_fetches_a_token(registered_app: AppUnderTest) -> None:
    findings = await found(registered_app.environ)
    assert problems(findings) == {}
    assert findings["login"].text == "a token was fetched"


async def test_storage_that_was_stopped_is_found(app: AppUnderTest, tmp_path: Path) -> None:
    emulator = Azurite(tmp_path)
    settings = app.environ | {"AzureWebJobsStorage": emulator.connection_string}
    with emulator.running():
        assert problems(await found(settings)) == {}
    findings = await found(settings)
    assert set(problems(findings)) == {"queue", "tables"}
    assert findings["queue"].remedy == "start it: make run"
    assert findings["clock"].state is State.NOTE


async def test_before_make_run_what_it_would_start_is_no_problem(app: AppUnderTest) -> None:
    nowhere = {"AzureWebJobsStorage": NOWHERE, "DirectLineEndpoint": "http://localhost:1"}
    findings = await found(app.environ | nowhere, idle=True)
    assert problems(findings) == {}
    assert {findings[name].remedy for name in ("storage", "Direct Line")} == {"start it: make run"}


# azure-data-tables itself, as it reads a refusal: _error.py, `if root`.
@pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning")
async def test_a_storage_key_that_was_rotated_is_found(app: AppUnderTest) -> None:
    connection = app.environ["AzureWebJobsStorage"].replace(azurite.KEY, WRONG_KEY)
    wrong = problems(await found(app.environ | {"AzureWebJobsStorage": connection}))
    assert set(wrong) == {"queue", "tables"}
    assert "was the key rotated?" in wrong["queue"]
    assert "or the key is wrong" in wrong["tables"]  # Azurite's tables have another word for it


async def test_the_secret_of_another_bot_is_found(app: AppUnderTest) -> None:
    wrong = problems(await found(app.environ | {"DirectLineSecret": "of-another-bot"}))
    assert list(wrong) == ["Direct Line"]
    assert wrong["Direct Line"].startswith("Direct Line answered 40")


async def test_the_password_of_another_app_is_found(registered_app: AppUnderTest) -> None:
    settings = registered_app.environ | {"MicrosoftAppPassword": "of-another-bot"}
    wrong = problems(await found(settings))
    assert list(wrong) == ["login"]
    assert wrong["login"].startswith("no access token: 40")


async def test_what_entra_says_by_number_has_its_own_remedy(registered_app: AppUnderTest) -> None:
    async def refuse(_: web.Request) -> web.Response:
        body = {"error": "invalid_client", "error_codes": [7000229]}
        return web.json_response(body, status=401)

    login = web.Application()
    login.router.add_post("/tenant/oauth2/v2.0/token", refuse)
    async with TestServer(login) as server:
        url = {"ToChannelFromBotLoginUrl": str(server.make_url("/tenant"))}
        findings = await found(registered_app.environ | url)
    assert findings["login"].remedy.endswith("az ad sp create --id APP_ID")


@pytest.mark.parametrize(
    ("seconds", "said"), [(120, "120 s ahead of storage's"), (-7200, "7200 s behind storage's")]
)
async def test_a_clock_that_is_wrong_is_found(app: AppUnderTest, seconds: int, said: str) -> None:
    clock = ManualClock(SYSTEM_CLOCK.now() + seconds)
    wrong = problems(await found(app.environ, clock))
    assert list(wrong) == ["clock"]
    number, _, rest = said.partition(" ")
    found_number, _, found_rest = wrong["clock"].partition(" ")
    assert found_rest == rest
    assert abs(int(found_number) - int(number)) <= 5


@pytest.mark.parametrize(
    ("key", "reason"),
    [("k" * 40, "can be guessed"), ("ab" * 20, "can be guessed"), (SECRET, "Direct Line secret")],
)
async def test_a_signing_key_that_others_can_know_is_found(
    app: AppUnderTest, key: str, reason: str
) -> None:
    wrong = problems(await found(app.environ | {"TriggerSigningKey": key}))
    assert list(wrong) == ["TriggerSigningKey"]
    assert reason in wrong["TriggerSigningKey"]
    assert key not in wrong["TriggerSigningKey"]


async def test_each_setting_that_is_wrong_is_a_line_and_storage_is_asked_all_the_same(
    app: AppUnderTest,
) -> None:
    source = Source(
        app.environ | {"DirectLineSecret": "", "MessageLifetimeSeconds": "soon"},
        "the remedy",
        deployed=False,
    )
    findings = [each async for each in of_settings(source, SYSTEM_CLOCK)]
    assert {each.text: each.remedy for each in findings if each.state is State.PROBLEM} == {
        "DirectLineSecret is missing": "the remedy",
        "MessageLifetimeSeconds must be a whole number, 1 or more": "the remedy",
    }
    assert {"queue", "tables"} < {each.subject for each in findings}


@pytest.fixture
def as_az_prints_them(tmp_path: Path) -> Any:
    def write(values: dict[str, str | None]) -> Path:
        settings = [{"name": n, "slotSetting": False, "value": v} for n, v in values.items()]
        path = tmp_path / "settings.json"
        path.write_text(json.dumps(settings))
        return path

    return write


async def test_what_only_the_app_in_azure_can_use_is_no_problem(as_az_prints_them: Any) -> None:
    path = as_az_prints_them(
        {
            "AzureWebJobsStorage__accountName": "acc",
            "AzureWebJobsStorage__credential": "managedidentity",
            "DirectLineSecret": "@Microsoft.KeyVault(SecretUri=https://hunter2.vault.azure.net/x)",
            "TriggerSigningKey": "@Microsoft.KeyVault(SecretUri=https://hunter2.vault.azure.net/y)",
            "MicrosoftAppId": "app-id",
            "MicrosoftAppType": "UserAssignedMSI",
            "MicrosoftAppTenantId": "tenant",
            "WITHOUT_A_VALUE": None,
        }
    )
    findings = configured.read(configured.of_a_file(path)).findings
    assert are_well(findings)
    asked = {each.subject: each.remedy for each in findings}
    assert set(asked) == {
        *("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "DirectLineSecret", "TriggerSigningKey")
    }
    assert all("--url" in remedy for remedy in asked.values())
    assert not any("hunter2" in each.line() for each in findings)


@pytest.mark.parametrize("content", ["[1]", '[{"value": "x"}]', '"text"', "{", ""])
def test_a_file_that_holds_no_settings_is_a_finding(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(content)
    assert main(["--settings", str(path)]) == 1
    assert "settings" in capsys.readouterr().out


def test_programs_get_an_exit_status_and_json(azurite: Azurite, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    settings = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development", "DirectLineSecret": SECRET}
    settings |= {"AzureWebJobsStorage": azurite.connection_string, "TriggerSigningKey": "k" * 32}
    path.write_text(json.dumps({"IsEncrypted": False, "Values": settings}))
    command = [sys.executable, "-m", "local_dev.doctor", "--json", "--settings", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert said["ok"] is False
    by_subject = {each["subject"]: each for each in said["findings"]}
    assert by_subject["queue"]["state"] == "ok"
    assert by_subject["TriggerSigningKey"]["state"] == "problem"
    assert done.stderr == ""


@pytest.fixture
async def deployed_app() -> AsyncIterator[dict[str, Any]]:
    """What the app's health function answers, at `url`."""
    answers: dict[str, Any] = {"status": 200, "body": {}}

    async def health(_: web.Request) -> web.Response:
        return web.json_response(answers["body"], status=answers["status"])

    server = web.Application()
    server.router.add_get("/api/health", health)
    async with TestServer(server) as listening_server:
        answers["url"] = str(listening_server.make_url(""))
        yield answers


@pytest.mark.parametrize(
    ("status", "body", "wrong"),
    [
        (200, {"status": "ok", "checks": {"queue": "reachable", "login": "reachable"}}, []),
        (503, {"checks": {"queue": "reachable", "login": "unreachable: X"}}, ["login"]),
        (503, {"problems": ["DirectLineSecret is missing"]}, ["setting"]),
        (404, {"message": "not here"}, ["app"]),
        (200, [], ["app"]),
        (500, {"checks": {"queue": "reachable"}}, ["app"]),
        (503, {"checks": {"queue": "reachable"}}, ["app"]),
        (200, {"checks": {}}, ["app"]),
        (503, {"checks": {"queue": {"not": "a text"}}}, ["queue"]),
    ],
)
async def test_an_app_that_runs_is_asked_itself(
    deployed_app: dict[str, Any], status: int, body: Any, wrong: list[str]
) -> None:
    deployed_app |= {"status": status, "body": body}
    findings = await deployed.findings(deployed_app["url"])
    assert [each.subject for each in findings if each.state is State.PROBLEM] == wrong


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "not a url", "https://x/?y"])
def test_an_app_that_is_not_there_is_a_problem(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--url", url]) == 1
    assert capsys.readouterr().out.startswith("problem  app: ")


@given(status=st.integers(100, 599), body=JSON)
def test_whatever_answers_is_a_line_each_and_well_only_if_it_says_so(
    status: int, body: Any
) -> None:
    findings = list(deployed.said(status, body))
    assert findings
    assert all(each.line().isprintable() for each in findings)
    if are_well(findings):
        assert status == 200
        assert set(body["checks"].values()) == {"reachable"}


def test_a_text_from_elsewhere_stays_on_its_line() -> None:
    assert problem("app", "one\nok  all: well\x1b[0m", "x").line().isprintable()


@pytest.fixture
def stranger() -> Iterator[tuple[int, int]]:
    """A program that listens on a port, and its process."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with running(Program("stranger", command, listens(port))) as started:
        yield port, started.pid


def test_a_port_that_another_program_has_is_found_with_that_program(
    stranger: tuple[int, int], tmp_path: Path
) -> None:
    port, pid = stranger
    others = free_ports(4)
    findings = list(listening.findings(Stack(Ports(port, *others), tmp_path)))
    assert [each.state for each in findings] == [State.PROBLEM, *[State.OK] * 4]
    assert f"(process {pid})" in findings[0].text
    assert "python" in findings[0].text
    assert f"local_dev.run --chat-port {port + 1}" in findings[0].remedy


def test_a_port_that_make_run_itself_has_is_no_problem(tmp_path: Path) -> None:
    stack = Stack(Ports(*free_ports(5)), tmp_path)
    with running(stack.programs()[0]):
        findings = list(listening.findings(stack))
    assert are_well(findings)
    own = [each for each in findings if "in use by this checkout's make run" in each.text]
    assert len(own) == 3
    other = listening.findings(replace(stack, data=tmp_path / "elsewhere"))
    assert are_well(list(other))  # it has ended


@pytest.mark.parametrize("find", [by_proc, by_lsof], ids=["proc", "lsof"])
def test_who_listens_is_found_on_each_system(stranger: tuple[int, int], find: Any) -> None:
    if (find is by_lsof and not shutil.which("lsof")) or not Path("/proc/net/tcp").exists():
        pytest.skip("this system tells it in another way")
    port, pid = stranger
    assert find(port) == pid
    assert find(free_ports(1)[0]) is None


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def says(folder: Path, program: str, script: str) -> None:
    (folder / program).write_text(f"#!/bin/sh\n{script}\n")
    (folder / program).chmod(0o755)


def versions(python: tuple[int, int] = (3, 13)) -> dict[str, tuple[State, str]]:
    return {each.subject: (each.state, each.text) for each in machine.findings(python)}


def test_a_machine_without_node_and_core_tools_lacks_the_one_and_not_the_other(
    path: Path,
) -> None:
    assert path.exists()
    it = versions()
    assert it["Node.js"][0] is State.PROBLEM
    assert it["Core Tools"] == (State.NOTE, "func is not on PATH; make run has a stand-in")


@pytest.mark.parametrize(
    ("node", "func", "states"),
    [
        ("echo v22.1.0", "echo 4.0.7317", (State.OK, State.OK)),
        ("echo v18.20.0", "echo 3.0.1", (State.PROBLEM, State.PROBLEM)),
        ("exit 3", "echo Telemetry", (State.PROBLEM, State.PROBLEM)),
        ("true", "exit 1", (State.PROBLEM, State.PROBLEM)),
    ],
)
def test_versions_are_read_from_the_programs_themselves(
    path: Path, node: str, func: str, states: tuple[State, State]
) -> None:
    says(path, "node", node)
    says(path, "npm", "true")
    says(path, "func", func)
    it = versions()
    assert (it["Node.js"][0], it["Core Tools"][0]) == states


@pytest.mark.parametrize(
    ("python", "state"),
    [((3, 10), State.PROBLEM), ((3, 11), State.OK), ((3, 13), State.OK), ((3, 14), State.NOTE)],
)
def test_a_python_is_too_old_right_or_untested(python: tuple[int, int], state: State) -> None:
    assert versions(python)["Python"][0] is state


def test_a_checkout_that_was_not_set_up_is_told_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AzureWebJobsStorage", "DirectLineSecret", "TriggerSigningKey"):
        monkeypatch.delenv(name, raising=False)
    (finding,) = configured.read(configured.of_this_checkout(tmp_path)).findings
    assert finding.text == "there is no local.settings.json yet"
    assert finding.remedy == "run `make setup`"


async def test_a_bot_that_is_registered_is_named_by_no_secret(
    registered_app: AppUnderTest,
) -> None:
    source = Source(registered_app.environ | {"MicrosoftAppId": APP_ID}, "", deployed=False)
    assert APP_PASSWORD not in repr(configured.read(source))
