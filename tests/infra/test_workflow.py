"""GitHub's own files are what their schemas say they may be."""

import pytest

from tests.infra.tools import ROOT, checker, run


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ("vendor.github-workflows", ".github/workflows/ci.yml"),
        ("vendor.github-workflows", "local_dev/new_bot/files/.github/workflows/ci.yml"),
        ("vendor.github-workflows", "docs/recipes/notify.yml"),
        ("vendor.dependabot", ".github/dependabot.yml"),
    ],
)
def test_githubs_files_are_what_their_schemas_allow(schema: str, name: str) -> None:
    done = run(checker("check-jsonschema"), "--builtin-schema", schema, ROOT / name)
    assert done.returncode == 0, done.stdout
