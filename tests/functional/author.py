"""What the author of a bot does to it who follows a document to the letter."""

import ast
import re
from collections.abc import Sequence
from pathlib import Path

NOT_THERE = "# not in bot.py"
DIFF = re.compile(r"^```diff\n(.*?)^```", re.MULTILINE | re.DOTALL)
COPY = re.compile(r"`(cp [^`]+)`")
RECIPE = re.compile(r"^( *)# recipe\n(.*?)^ *# end\n", re.MULTILINE | re.DOTALL)
METHOD_OF = re.compile(r"^    async def (\w+)\(", re.MULTILINE)
METHOD = r'(    async def {}\(.*?"""[^"]*"""\n)'  # to the end of its docstring


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, old
    file.write_text(text.replace(old, new))


def follow(document: Path, bot: Path) -> None:
    """Copy what it says is to be copied, and change `bot.py` as its diffs show."""
    text = document.read_text()
    for copied in COPY.findall(text):
        _, source, target = copied.split()
        (bot / target / Path(source).name).write_text((bot / source).read_text())
    for diff in DIFF.findall(text):
        for hunk in diff.split("\n\n"):
            lines = hunk.strip("\n").splitlines()
            old = [line[1:] for line in lines if not line.startswith("+")]
            new = [line[1:] for line in lines if not line.startswith("-")]
            change(bot / "bot_logic/bot.py", "\n".join(old) + "\n", "\n".join(new) + "\n")


def take_recipe(recipe: Path, bot: Path) -> None:
    """Put its lines for `bot.py` there: the imports, what is above the class, the marked ones."""
    text, file = recipe.read_text(), bot / "bot_logic/bot.py"
    above, of_class = re.split(r"^(?=class )", text, maxsplit=1, flags=re.MULTILINE)
    above = RECIPE.sub("", above)
    wanted = [each for each in ast.parse(above).body[1:] if NOT_THERE not in _source(above, each)]
    imports = [each for each in wanted if isinstance(each, ast.Import | ast.ImportFrom)]
    others = [each for each in wanted if each not in imports]
    change(file, "import logging\n", "import logging\n" + _sources(above, imports))
    change(file, "class ProactiveBot", _sources(above, others) + "\n\nclass ProactiveBot")
    for found in RECIPE.finditer(of_class):
        _insert(file, found[2], METHOD_OF.findall(of_class[: found.start()])[-1:])


def _insert(file: Path, lines: str, method: list[str]) -> None:
    """Put lines at the start of a method, or methods into the class."""
    text = file.read_text()
    if METHOD_OF.search(lines) or not method:
        changed = text.replace("    async def _enqueue", f"{lines}\n    async def _enqueue")
    else:
        changed = re.sub(
            METHOD.format(method[0]), lambda found: found[0] + lines, text, flags=re.DOTALL
        )
    assert changed != text
    file.write_text(changed)


def _sources(text: str, nodes: Sequence[ast.stmt]) -> str:
    return "".join(_source(text, each) + "\n" for each in nodes)


def _source(text: str, node: ast.stmt) -> str:
    """The whole lines of a statement, with the comment behind it."""
    return "\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno])
