"""The hook that puts secrets into the vault: run against an `az` that records what it is asked."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.tools import HERE, INFRA, checker, run

SHELL = INFRA / "hooks/postprovision.sh"
POWERSHELL = INFRA / "hooks/postprovision.ps1"
SCRIPTS = {end: sorted((INFRA / "hooks").glob(f"*.{end}")) for end in ("sh", "ps1")}
ENVIRONMENT = {
    "AZURE_SUBSCRIPTION_ID": "subscription",
    "AZURE_RESOURCE_GROUP": "group",
    "AZURE_KEY_VAULT_NAME": "vault",
    "FUNCTION_APP_NAME": "app",
    "BOT_NAME": "bot",
    "BOT_APP_ID": "app-id",
    "BOT_APP_TYPE": "UserAssignedMSI",
    "DIRECT_LINE_SITE": "worker",
    "HEALTH_URL": "https://app.example/api/health",
    "CHAT_TEST_URL": "https://portal.example/bot",
    "TEAMS_CHAT_URL": "https://teams.example/bot",
    "TEAMS_PACKAGE_COMMAND": "make teams-package BOT_ID=app-id",
    "FUNCTION_KEY_COMMAND": "az functionapp keys list",
    "ROLE_ATTEMPTS": "3",
    "ROLE_PAUSE": "0",
}
REGISTERED = {"BOT_APP_TYPE": "SingleTenant"}


class Azure:
    """A vault and a Direct Line site, and the hook that is run on them."""

    def __init__(self, folder: Path, hook: tuple[str, ...]) -> None:
        self._folder, self._hook = folder, hook
        self.vault = folder / "vault"
        self.vault.mkdir()
        self._drafts = folder / "tmp"
        self._drafts.mkdir()
        self.has(keys="first-key\nsecond-key\n", closed="0", fails="", calls="")
        az = folder / "az"
        az.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE}/fake_az.py" "$@"\n')
        az.chmod(0o755)

    def has(self, **files: str) -> None:
        for name, text in files.items():
            (self._folder / name).write_text(text)

    def secret(self, name: str) -> str:
        return (self.vault / name).read_text()

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self._folder / "calls").read_text().splitlines()]

    def changed(self) -> list[str]:
        """Return which secrets were put there since this was asked last."""
        put = [call[call.index("--name") + 1] for call in self.calls if "set" in call]
        self.has(calls="")
        return put

    def run_hook(self, **environ: str) -> subprocess.CompletedProcess[str]:
        path = f"{self._folder}{os.pathsep}{os.environ['PATH']}"
        places = {"PATH": path, "FAKE_AZ": str(self._folder), "TMPDIR": str(self._drafts)}
        done = subprocess.run(
            self._hook,
            env=ENVIRONMENT | places | environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert not list(self._drafts.iterdir())  # whatever happened, no secret is left there
        return done

    def succeed(self, **environ: str) -> str:
        done = self.run_hook(**environ)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fail(self, **environ: str) -> str:
        """Return the sentence that the hook ends with."""
        done = self.run_hook(**environ)
        assert done.returncode == 1, done.stdout
        return done.stderr.splitlines()[-1]


def test_each_hook_is_there_for_both_shells() -> None:
    shell, powershell = ([script.stem for script in scripts] for scripts in SCRIPTS.values())
    assert shell == powershell


@pytest.fixture(params=["sh", "pwsh"])
def azure(request: pytest.FixtureRequest, tmp_path: Path) -> Azure:
    if request.param == "sh":
        return Azure(tmp_path, ("/bin/sh", str(SHELL)))
    program = shutil.which("pwsh")
    if not program:
        pytest.skip("there is no PowerShell (pwsh) on PATH")
    return Azure(tmp_path, (program, "-NoProfile", "-File", str(POWERSHELL)))


def test_the_first_run_puts_both_secrets_into_the_vault(azure: Azure) -> None:
    azure.succeed()
    assert azure.secret("DirectLineSecret") == "first-key"
    assert re.fullmatch("[0-9a-f]{64}", azure.secret("TriggerSigningKey"))
    assert len(list(azure.vault.iterdir())) == 2


def test_the_second_run_changes_nothing(azure: Azure) -> None:
    azure.succeed()
    key = azure.secret("TriggerSigningKey")
    assert azure.changed() == ["DirectLineSecret", "TriggerSigningKey"]
    azure.succeed()
    assert azure.changed() == []
    assert azure.secret("TriggerSigningKey") == key


def test_the_app_is_told_to_read_its_secrets_anew_each_time(azure: Azure) -> None:
    azure.succeed()
    (call,) = [call for call in azure.calls if call[0] == "rest"]
    assert call[call.index("--method") + 1] == "post"
    assert call[call.index("--url") + 1].startswith(
        "https://management.azure.com/subscriptions/subscription/resourceGroups/group/providers"
        "/Microsoft.Web/sites/app/config/configreferences/appsettings/refresh?api-version="
    )


def test_no_secret_is_shown_or_on_a_command_line(azure: Azure) -> None:
    said = azure.succeed(**REGISTERED, EXISTING_APP_PASSWORD="hunter2-password")
    for secret in azure.vault.iterdir():
        assert secret.read_text() not in f"{said}{azure.calls}"


def test_it_ends_with_where_to_go_next(azure: Azure) -> None:
    said = azure.succeed()
    for name, value in ENVIRONMENT.items():
        assert not name.endswith(("_URL", "_COMMAND")) or value in said


@pytest.mark.parametrize(
    ("keys", "expected"),
    [("rolled\nsecond-key\n", "rolled"), ("rolled\nfirst-key\n", "first-key")],
    ids=["rolled away", "now the second"],
)
def test_a_direct_line_key_that_was_rolled_is_replaced(
    azure: Azure, keys: str, expected: str
) -> None:
    azure.succeed()
    azure.has(keys=keys)
    azure.succeed()
    assert azure.secret("DirectLineSecret") == expected


def test_a_role_that_is_not_in_force_yet_is_waited_for(azure: Azure) -> None:
    azure.has(closed="2")
    assert azure.succeed().count("does not let us in yet") == 2
    assert azure.secret("DirectLineSecret") == "first-key"


def test_a_role_that_never_comes_is_said(azure: Azure) -> None:
    azure.has(closed="99")
    assert azure.fail() == (
        "postprovision: the key vault vault cannot be read: is az logged in as azd is?"
    )
    assert azure.changed() == []


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (
            "account show",
            "az cannot use the subscription subscription: run az login, as the same person as azd",
        ),
        ("bot directline show", "the Direct Line secret of bot cannot be read"),
        ("keyvault secret set", "DirectLineSecret could not be put into the key vault"),
        ("rest", "app could not be told to read its secrets anew"),
    ],
)
def test_a_step_that_fails_stops_it_with_a_sentence(azure: Azure, step: str, sentence: str) -> None:
    azure.has(fails=step)
    assert azure.fail() == f"postprovision: {sentence}"
    assert azure.calls[-1][: len(step.split())] == step.split()
    azure.has(fails="")
    azure.succeed()
    assert azure.secret("DirectLineSecret") == "first-key"


def test_a_secret_that_cannot_be_read_is_not_overwritten(azure: Azure) -> None:
    azure.succeed()
    azure.has(fails="keyvault secret show", keys="rolled\nrolled\n")
    assert azure.fail() == "postprovision: DirectLineSecret cannot be read from the key vault"
    assert azure.secret("DirectLineSecret") == "first-key"


def test_a_bot_without_the_workers_site_is_said(azure: Azure) -> None:
    azure.has(keys="")
    assert azure.fail() == "postprovision: bot has no Direct Line site worker: run azd provision"


def test_an_app_registration_needs_its_password_once(azure: Azure) -> None:
    assert azure.fail(**REGISTERED) == (
        "postprovision: the app registration app-id needs its password once: put it into the "
        "environment variable EXISTING_APP_PASSWORD and run azd provision again"
    )
    azure.succeed(**REGISTERED, EXISTING_APP_PASSWORD="pass $word 'with' \"signs\"")
    assert azure.secret("MicrosoftAppPassword") == "pass $word 'with' \"signs\""
    azure.changed()
    azure.succeed(**REGISTERED)
    assert azure.changed() == []


def test_both_hooks_ask_az_for_the_same() -> None:
    calls = r"(?:azure|Invoke-Azure|az) ((?:account|bot|keyvault|rest)\b(?: [a-z]+)*)"
    shell = re.findall(calls, SHELL.read_text())
    assert len(shell) == 6
    assert sorted(re.findall(calls, POWERSHELL.read_text())) == sorted(shell)


def test_both_hooks_fail_with_the_same_sentences() -> None:
    variable = r"\$(?:env:)?\w+"
    shell = re.sub(variable, "X", SHELL.read_text()).replace("\\\n", "")
    powershell = re.sub(variable, "X", POWERSHELL.read_text()).replace("`", "")
    joined = re.sub(r"""["'] \+\s*["']""", "", powershell)
    sentences = re.findall(r'fail "([^"]+)"', shell)
    assert len(sentences) == 8
    said = re.findall(r"""Stop-Hook \(?["']([^"']+)["']""", joined)
    assert sorted(said) == sorted(sentences)


@pytest.mark.parametrize("script", SCRIPTS["sh"], ids=lambda script: script.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    done = run(checker("shellcheck"), script)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", SCRIPTS["ps1"], ids=lambda script: script.name)
def test_powershell_can_be_parsed(script: Path) -> None:
    done = run(checker("python"), HERE / "powershell_syntax.py", script)
    assert done.stdout + done.stderr == ""


def test_powershell_that_cannot_be_parsed_is_noticed(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.ps1"
    wrong.write_text(POWERSHELL.read_text().replace("finally {", "finally"))
    assert run(checker("python"), HERE / "powershell_syntax.py", wrong).stdout
