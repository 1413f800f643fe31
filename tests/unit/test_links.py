"""Links in the documents lead somewhere: to a file of this project, and to a heading in it."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from local_dev.programs import ROOT

DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
CODE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
IN_LINE_CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
HEADING = re.compile(r"^#{1,6} +(.*?)(?: +#+)?$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:")


def links_of(text: str) -> Iterator[str]:
    """The targets of a document's links; what stands in code is none."""
    for found in LINK.finditer(IN_LINE_CODE.sub("``", CODE.sub("", text))):
        yield found[1] or found[2]


def anchors_of(text: str) -> set[str]:
    """The anchors that GitHub makes of headings.

    https://docs.github.com/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links
    """
    seen: Counter[str] = Counter()
    anchors = set()
    for heading in HEADING.findall(CODE.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        anchors.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return anchors


@cache
def anchors_in(path: Path) -> set[str]:
    return anchors_of(path.read_text())


def broken(document: Path, root: Path = ROOT) -> list[str]:
    links = links_of(document.read_text())
    return [link for link in links if not leads_somewhere(document, link, root)]


def leads_somewhere(document: Path, link: str, root: Path = ROOT) -> bool:
    if ELSEWHERE.match(link):
        return True  # the network is not asked
    name, _, anchor = unquote(link).partition("#")
    target = (document.parent / name).resolve() if name else document
    if not (target.exists() and target.is_relative_to(root)):
        return False
    return not anchor or (target.suffix == ".md" and anchor in anchors_in(target))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_link_leads_somewhere(document: Path) -> None:
    assert broken(document) == []


def test_sections_that_programs_name_are_there() -> None:
    programs = [*(ROOT / "local_dev").rglob("*.py"), *(ROOT / "bot_logic").rglob("*.py")]
    text = "\n".join(path.read_text() for path in programs if "node_modules" not in path.parts)
    named = set(re.findall(r"(?<![/\w-])((?:docs/)?[\w-]+\.md)#([\w-]+)", text))
    assert ("README.md", "settings") in named
    assert [each for each in named if each[1] not in anchors_in(ROOT / each[0])] == []


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("README.md", True),
        ("docs/", True),
        ("README.md#settings", True),
        ("#how-it-works", True),
        ("https://example.org/not-asked", True),
        ("NOT-THERE.md", False),
        ("README.md#not-there", False),
        ("#not-there", False),
        ("../outside.md", False),
        ("Makefile#L3", False),
    ],
)
def test_a_link_that_leads_nowhere_is_found(link: str, leads: bool) -> None:  # noqa: FBT001
    assert leads_somewhere(ROOT / "README.md", link) is leads


def test_links_are_found_as_they_are_written() -> None:
    text = (
        '[a](b.md) ![i](p.png "title") [c](<d.md>)\n[ref]: e.md\n`[x](no.md)`\n```\n[y](no)\n```\n'
    )
    assert list(links_of(text)) == ["b.md", "p.png", "d.md", "e.md"]


def test_headings_have_githubs_anchors() -> None:
    text = "# A `b` c: d?\n## Same\n## Same\n### [Linked](x.md) end\n```\n# no heading\n```\n"
    assert anchors_of(text) == {"a-b-c-d", "same", "same-1", "linked-end"}
