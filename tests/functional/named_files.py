"""What a bot's documents name: files, folders and commands, in code blocks and in the lines."""

import re
from collections.abc import Iterator
from pathlib import Path

from local_dev.new_bot.left_behind import NOTE

BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
IN_LINE = re.compile(r"`([^`\n]+)`")
# A path from the top; a name in capitals stands for one of the reader's own.
PATH = re.compile(
    r"(?<![\w/.-])(?:benchmarks|docs|examples|infra|local_dev|teams|tests)/[a-z0-9_./-]*+(?![A-Z])"
)
MODULE = re.compile(r"-m ([a-z_]+(?:\.[a-z_]+)+)")
TARGET = re.compile(r"(?<![\w-])make (?:-C \S+ |--?\S+ )*([a-z][\w-]*)")


def missing_in(document: Path, bot: Path) -> list[str]:
    """What it names that is not there; but a page may say of what it tells that it is elsewhere."""
    text = document.read_text()
    missing = [each for code in commands_of(text) for each in missing_from(code, bot)]
    if not text.endswith(NOTE):
        prose = BLOCK.sub("", text)
        missing += [each for code in IN_LINE.findall(prose) for each in missing_from(code, bot)]
    return missing


def commands_of(text: str) -> Iterator[str]:
    """What a reader types: each block in a language, and what looks like a command in the lines."""
    for language, code in BLOCK.findall(text):
        if language:
            yield code
    in_line = IN_LINE.findall(BLOCK.sub("", text))
    yield from (each for each in in_line if "TESTS=" in each or each.startswith("cp "))


def missing_from(code: str, bot: Path) -> Iterator[str]:
    """The files, modules and targets of make that are named and not there."""
    for path in PATH.findall(code):
        named = bot / path.rstrip("./")
        if not named.exists() and not any(named.parent.glob(f"{named.name}.*")):
            yield path
    for module in MODULE.findall(code):
        place = bot / module.replace(".", "/")
        if module.split(".")[0] in {"bot_logic", "local_dev", "tests"} and not (
            place.is_dir() or place.with_suffix(".py").exists()
        ):
            yield module
    targets = set(re.findall(r"^([a-z][\w-]*):", (bot / "Makefile").read_text(), re.MULTILINE))
    yield from (
        f"make {name}" for name in TARGET.findall(code) if name not in targets | {"new-bot"}
    )
