"""What azd puts in and what it gets out: parameters, outputs, and the hooks' variables agree."""

import json
import re

import pytest

from tests.infra.tools import HERE, INFRA, ROOT

PARAMETERS = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
VARIABLES = set(re.findall(r"\$\{(\w+)", json.dumps(PARAMETERS)))
SOURCE = (INFRA / "main.bicep").read_text()
OUTPUTS = set(re.findall(r"^output (\w+)", SOURCE, re.MULTILINE))
# azd's own, what only the one who deploys knows, and what tests set.
FROM_ELSEWHERE = {"AZURE_SUBSCRIPTION_ID", "EXISTING_APP_PASSWORD", "ROLE_ATTEMPTS", "ROLE_PAUSE"}
HOOKS = {"postprovision.sh": r"\$\{?([A-Z_]{2,})", "postprovision.ps1": r"\$env:([A-Z_]+)"}


def test_each_parameter_can_be_set_by_azd_env_set() -> None:
    assert PARAMETERS.keys() == set(re.findall(r"^param (\w+)", SOURCE, re.MULTILINE))


def test_no_output_becomes_a_parameter_of_the_next_deployment() -> None:
    """Azd keeps them in one place: the identity's id would become an app registration's."""
    assert set() == VARIABLES & OUTPUTS


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_uses_what_the_deployment_gives(hook: str) -> None:
    used = set(re.findall(HOOKS[hook], (INFRA / "hooks" / hook).read_text()))
    assert used - FROM_ELSEWHERE <= OUTPUTS
    assert used | {"AZURE_RESOURCE_GROUP"} >= OUTPUTS


@pytest.mark.parametrize("variable", sorted(VARIABLES - {"AZURE_ENV_NAME", "AZURE_LOCATION"}))
def test_each_variable_is_in_the_docs(variable: str) -> None:
    assert f"`{variable}`" in (ROOT / "docs/deploy.md").read_text()


def test_the_defaults_said_twice_are_the_same() -> None:
    defaults = dict(re.findall(r"^param (\w+) \w+ = '?([^'\n]*)'?$", SOURCE, re.MULTILINE))
    for name, value in PARAMETERS.items():
        _, _, default = value["value"].strip("${}").partition("=")
        assert default == defaults.get(name, "")


def test_every_combination_that_is_kept_has_its_parameters() -> None:
    stems = {file.name.partition(".")[0] for file in (HERE / "snapshots").iterdir()}
    assert {f"{stem}.{end}" for stem in stems for end in ("bicepparam", "snapshot.json")} == {
        file.name for file in (HERE / "snapshots").iterdir()
    }
