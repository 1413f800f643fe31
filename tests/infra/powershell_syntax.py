"""Print the lines of a PowerShell script that cannot be parsed; for `.venv-infra`'s Python."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tree_sitter_powershell
from tree_sitter import Language, Parser


def wrong(node: Any) -> Iterator[int]:
    if node.is_error or node.is_missing:
        yield node.start_point[0] + 1
    for child in node.children:
        yield from wrong(child)


if __name__ == "__main__":
    parser = Parser(Language(tree_sitter_powershell.language()))
    for line in sorted(set(wrong(parser.parse(Path(sys.argv[1]).read_bytes()).root_node))):
        print(f"line {line} cannot be parsed")  # noqa: T201 - a program
