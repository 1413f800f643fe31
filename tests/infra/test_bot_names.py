"""Any name that a bot may have is, in Azure, that name: `make new-bot` puts it into Bicep."""

import json
from pathlib import Path

from local_dev.new_bot.names import in_bicep
from tests.infra.tools import bicep

NAMES = ['Ada\'s "Pizza"', "a/b\\c\\", "${1+1} $HOME $${x}", "ピザ 🍕", "'''", "it's \\'so\\'"]


def test_an_odd_name_is_itself_to_the_compiler(tmp_path: Path) -> None:
    source = tmp_path / "names.bicep"
    outputs = [f"output n{n} string = {in_bicep(name)}\n" for n, name in enumerate(NAMES)]
    source.write_text("".join(outputs), encoding="utf-8")
    made = json.loads(bicep("build", source, "--stdout"))["outputs"]
    assert [made[f"n{n}"]["value"] for n in range(len(NAMES))] == NAMES
