"""azure.yaml is what azd's own schema says it may be.

azure.yaml.schema.json is schemas/v1.0/azure.yaml.json of github.com/Azure/azure-dev at commit
ae35809f496491989273d0edefdeb70f245f399b, unchanged (MIT License, Copyright Microsoft Corporation).
"""

import re
from pathlib import Path

from tests.infra.tools import HERE, ROOT, checker, run

SCHEMA = HERE / "azure.yaml.schema.json"


def test_azd_can_read_it() -> None:
    done = run(checker("check-jsonschema"), "--schemafile", SCHEMA, ROOT / "azure.yaml")
    assert done.returncode == 0, done.stdout


def test_the_schema_knows_a_wrong_name(tmp_path: Path) -> None:
    wrong = tmp_path / "azure.yaml"
    wrong.write_text((ROOT / "azure.yaml").read_text().replace("postprovision:", "afterprovision:"))
    done = run(checker("check-jsonschema"), "--schemafile", SCHEMA, wrong)
    assert done.returncode == 1
    assert "afterprovision" in done.stdout


def test_it_names_the_hooks_that_there_are_and_the_service_that_is_tagged() -> None:
    text = (ROOT / "azure.yaml").read_text()
    named = re.findall(r"run: (.+)", text)
    assert sorted(named) == sorted(
        f"infra/hooks/{file.name}" for file in (ROOT / "infra/hooks").iterdir()
    )
    (service,) = re.findall(r"services:\n  (\w+):", text)
    assert f"'azd-service-name': '{service}'" in (ROOT / "infra/modules/app.bicep").read_text()
