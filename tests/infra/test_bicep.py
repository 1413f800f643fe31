"""infra/ by Microsoft's own compiler: types are right, and what a deployment makes was agreed."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.infra.tools import COMBINATIONS, HERE, INFRA, bicep, snapshot

MAIN = INFRA / "main.bicep"
SOURCES = sorted(INFRA.rglob("*.bicep"))

# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
BUILT_IN = {
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
}
APPS = {name for name in BUILT_IN if name != "Key Vault Secrets Officer"}


def kept(combination: str) -> dict[str, Any]:
    text = (HERE / f"snapshots/{combination}.snapshot.json").read_text()
    snapshot: dict[str, Any] = json.loads(text)
    return snapshot


def resources(combination: str, kind: str) -> list[dict[str, Any]]:
    return [made for made in kept(combination)["predictedResources"] if made["type"] == kind]


def test_the_compiler_finds_nothing_to_say() -> None:
    bicep("lint", MAIN)


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("modules/bot.bicep", "msaAppMSIResourceId", "msaAppMSIResourceID"),
        ("modules/bot.bicep", "isV3Enabled: true", "isV3Enabled: 'true'"),
        ("modules/storage.bicep", "@2025-01-01", "@2025-01-99"),
        ("modules/app.bicep", "httpsOnly", "httpOnly"),
        ("main.bicep", "var tags", "var unused = 1\nvar tags"),
    ],
    ids=["case", "type", "API version", "unknown property", "unused variable"],
)
def test_what_it_only_warns_of_is_an_error_here(
    file: str, right: str, wrong: str, tmp_path: Path
) -> None:
    copy = shutil.copytree(INFRA, tmp_path / "infra")
    text = (copy / file).read_text()
    assert right in text
    (copy / file).write_text(text.replace(right, wrong))
    with pytest.raises(AssertionError, match=r"Warning|Error"):
        bicep("lint", copy / "main.bicep")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_the_source_is_formatted(source: Path) -> None:
    assert bicep("format", source, "--stdout").strip() == source.read_text().strip()


@pytest.mark.parametrize("combination", COMBINATIONS, ids=lambda file: file.stem)
def test_a_deployment_makes_what_was_agreed(combination: Path) -> None:
    """When the change is meant: make infra-snapshots, and look at the difference."""
    snapshot(combination, "validate")


@pytest.mark.parametrize("combination", COMBINATIONS, ids=lambda file: file.stem)
def test_its_outputs_are_those_that_were_agreed(combination: Path, tmp_path: Path) -> None:
    """The compiler's own comparison leaves them out."""
    again = copy_of_all(tmp_path) / combination.name
    snapshot(again, "overwrite")
    made = json.loads(again.with_suffix(".snapshot.json").read_text())
    assert made["outputs"] == kept(combination.stem)["outputs"]


def test_a_difference_from_what_was_agreed_is_an_error(tmp_path: Path) -> None:
    copy = copy_of_all(tmp_path)
    main = tmp_path / "infra/main.bicep"
    sku = "param botSku string = "
    main.write_text(main.read_text().replace(f"{sku}'S1'", f"{sku}'F0'"))
    with pytest.raises(AssertionError, match="F0"):
        snapshot(copy / "default.bicepparam", "validate")


def copy_of_all(folder: Path) -> Path:
    """Copy infra/ and the snapshots, each at its place; return where the snapshots are."""
    shutil.copytree(INFRA, folder / "infra")
    return shutil.copytree(HERE / "snapshots", folder / "tests/infra/snapshots")


def test_no_output_is_a_secret() -> None:
    template = json.loads(bicep("build", MAIN, "--stdout"))
    secretive = re.compile(r"list[A-Z]\w*\(|ConnectionString|SecretUri|InstrumentationKey")
    for text in map(json.dumps, [template["outputs"], *outputs_of_modules(template)]):
        assert not secretive.search(text), text


def outputs_of_modules(template: dict[str, Any]) -> list[dict[str, Any]]:
    deployments = [
        r for r in template["resources"].values() if "template" in r.get("properties", {})
    ]
    assert len(deployments) == len(SOURCES) - 1
    return [made["properties"]["template"].get("outputs", {}) for made in deployments]


def test_each_role_id_is_the_role_that_it_is_called() -> None:
    assert json.loads((INFRA / "roles.json").read_text()) == BUILT_IN


@pytest.mark.parametrize("combination", COMBINATIONS, ids=lambda file: file.stem)
def test_the_app_gets_its_roles_and_no_others(combination: Path) -> None:
    assignments = resources(
        combination.stem.partition(".")[0], "Microsoft.Authorization/roleAssignments"
    )
    assigned = {
        (made["properties"].get("principalType"), made["properties"]["roleDefinitionId"][-36:])
        for made in assignments
    }
    assert assigned == {("ServicePrincipal", BUILT_IN[role]) for role in APPS} | {
        (None, BUILT_IN["Key Vault Secrets Officer"])  # whoever deploys: a person or a pipeline
    }


def test_nobody_logs_in_to_storage_or_telemetry_with_a_key() -> None:
    (account,) = resources("default", "Microsoft.Storage/storageAccounts")
    (component,) = resources("default", "Microsoft.Insights/components")
    (workspace,) = resources("default", "Microsoft.OperationalInsights/workspaces")
    assert account["properties"]["allowSharedKeyAccess"] is False
    assert component["properties"]["DisableLocalAuth"] is True
    assert workspace["properties"]["features"]["disableLocalAuth"] is True


def test_the_worker_has_a_direct_line_site_of_its_own() -> None:
    channels = resources("default", "Microsoft.BotService/botServices/channels")
    sites = {made["properties"]["channelName"]: made["properties"] for made in channels}
    assert sites.keys() == {"WebChatChannel", "MsTeamsChannel", "DirectLineChannel"}
    (site,) = sites["DirectLineChannel"]["properties"]["sites"]
    assert site["siteName"] == kept("default")["outputs"]["DIRECT_LINE_SITE"]


def test_what_azd_down_deletes_can_be_purged() -> None:
    (vault,) = resources("default", "Microsoft.KeyVault/vaults")
    assert "enablePurgeProtection" not in vault["properties"]
