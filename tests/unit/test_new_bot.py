"""A bot's own repository: what it is called, which files it gets, where its links lead."""

import html
import json
import re
from pathlib import Path

import pytest

from local_dev.new_bot.documents import relinked
from local_dev.new_bot.errors import NewBotError
from local_dev.new_bot.left_behind import names_left_behind, without_cut
from local_dev.new_bot.names import Bot, in_bicep, in_html, in_json, in_markdown
from local_dev.new_bot.parts import place_of
from local_dev.new_bot.record import Record
from local_dev.new_bot.rendering import NAMES, File, rendered
from local_dev.programs import ROOT
from tests.unit.test_links import DOCUMENTS

ODD = [
    'Ada\'s "Pizza"',
    "<b>Pizza</b> & co",
    "a/b\\c",
    "${1+1} $HOME",
    "# *Pizza* [x](y)",
    "ピザ 🍕",
]


@pytest.mark.parametrize(
    ("name", "author", "word"),
    [
        ("", "Ada", "NAME"),
        ("  ", "Ada", "NAME"),
        ("🍕", "Ada", "NAME"),
        ("---", "Ada", "NAME"),
        ("Pizza\nbot", "Ada", "NAME"),
        ("Pizza\0", "Ada", "NAME"),
        ("Pizza \u202etob", "Ada", "NAME"),
        ("P" * 31, "Ada", "NAME has 31 characters"),
        ("Pizza", "", "AUTHOR"),
        ("Pizza", "A" * 33, "AUTHOR has 33 characters"),
        ("Pizza", "Ada <ada@example.com>", "AUTHOR"),
        ("Pizza", "Ada\nBob", "AUTHOR"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_by_its_field(
    name: str, author: str, word: str
) -> None:
    with pytest.raises(NewBotError, match=word):
        Bot.called(name, author)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Pizza bot", "pizza-bot"),
        ("  Café  Zoë! ", "cafe-zoe"),
        ("a/b\\c", "a-b-c"),
        ("ピザ", "my-bot"),
        ("X", "my-bot"),
        ("-42-", "42"),
    ],
)
def test_azds_name_has_small_latin_letters_digits_and_hyphens(name: str, slug: str) -> None:
    assert Bot.called(name, "Ada").slug == slug


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_stays_what_it_is_in_every_language(name: str) -> None:
    assert json.loads(in_json(name)) == name
    assert html.unescape(in_html(name)) == name
    assert "<" not in in_html(name)
    bicep = in_bicep(name)
    assert bicep.replace("\\\\", "").replace("\\'", "").count("'") == 2
    assert "${" not in bicep.replace("\\${", "")
    assert "[x](y)" not in in_markdown(name)
    assert "<b>" not in in_markdown(name)


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_comes_back_from_the_record(name: str, tmp_path: Path) -> None:
    record = Record(Bot.called(name, "Ada"), "abc")
    (tmp_path / "template.json").write_text(record.text(), encoding="utf-8")
    assert Record.of(tmp_path) == record


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "x", "author": 1, "version": "y"}'])
def test_a_record_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "template.json").write_text(text)
    with pytest.raises(NewBotError, match=r"template\.json"):
        Record.of(tmp_path)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("bot_logic/bot.py", "bot_logic/bot.py"),
        ("README.md", "docs/proactive-bot.md"),
        ("local_dev/new_bot/files/README.md", "README.md"),
        ("tests/unit/test_bot.py", "tests/unit/test_bot.py"),
        ("tests/unit/test_envelope.py", None),
        ("tests/simulation/bad_day.py", None),
        ("benchmarks/goals.py", None),
        ("docs/decisions/README.md", None),
        ("CHANGELOG.md", None),
        ("LICENSE", "LICENSE"),
    ],
)
def test_a_bot_gets_what_concerns_it(path: str, place: str | None) -> None:
    assert place_of(path) == place


PLACES = {
    "README.md": "docs/proactive-bot.md",
    "docs/a.md": "docs/a.md",
    "docs/b.md": "docs/b.md",
    "docs/decisions/1.md": None,
    "x/y.py": "x/y.py",
}


@pytest.mark.parametrize(
    ("path", "link", "becomes"),
    [
        ("docs/a.md", "[b](b.md#c)", "[b](b.md#c)"),
        ("docs/a.md", "[decision 1](decisions/1.md)", "decision 1"),
        ("docs/a.md", "![a picture](decisions/1.md)", ""),
        ("docs/a.md", "[r](../README.md#settings)", "[r](proactive-bot.md#settings)"),
        ("README.md", "[a](docs/a.md)", "[a](a.md)"),
        ("README.md", "[y](x/y.py) [x](x/)", "[y](../x/y.py) [x](../x)"),
        (
            "README.md",
            "[s](#settings) [w](https://example.org)",
            "[s](#settings) [w](https://example.org)",
        ),
        ("README.md", "```\n[d](docs/decisions/1.md)\n```", "```\n[d](docs/decisions/1.md)\n```"),
    ],
)
def test_links_follow_what_moved_and_end_where_nothing_is(
    path: str, link: str, becomes: str
) -> None:
    assert relinked(link, path, PLACES) == becomes


@pytest.mark.parametrize(
    ("text", "is_said"),
    [
        ("[decision 1](decisions/1.md) says why", True),
        ("[b](b.md#c) and [r](../README.md)", False),
        ("as `tests/unit/test_x.py` shows, or `test_x.py`: `test_it`", True),
        ("`test_x.py`", True),
        ("in `docs/decisions/` and `docs/`", True),
        ("in `docs/` and `b.md`", False),
        ("![a picture](decisions/1.png)", False),
    ],
)
def test_a_document_that_names_what_stays_behind_says_where_it_is(
    text: str,
    is_said: bool,  # noqa: FBT001
) -> None:
    places = PLACES | {"tests/unit/test_x.py": None}
    assert names_left_behind(text, places) is is_said


def test_what_is_marked_as_this_projects_is_cut() -> None:
    text = "One.\n\n<!-- template -->\nTwo.\n<!-- /template -->\n\nThree.\n"
    assert without_cut(text) == "One.\n\nThree.\n"
    assert without_cut("One.\n\n\nTwo.\n") == "One.\n\n\nTwo.\n"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_each_mark_of_what_is_cut_has_its_end(document: Path) -> None:
    marks = re.findall(r"^<!-- /?template -->$", document.read_text(), re.MULTILINE)
    assert marks == ["<!-- template -->", "<!-- /template -->"] * (len(marks) // 2)


@pytest.mark.parametrize("path", NAMES)
def test_each_file_that_takes_the_bots_name_has_a_place_for_it(path: str) -> None:
    file = {path: File((ROOT / path).read_bytes())}
    record = Record(Bot.called("Pizza bot", "Ada"), "abc")
    place = place_of(path)
    assert place is not None
    text = rendered(file, record)[place].content.decode()
    assert "Proactive bot" not in text
    assert "izza" in text


def test_a_file_without_a_place_for_the_name_is_said() -> None:
    with pytest.raises(NewBotError, match=r"azure\.yaml"):
        rendered({"azure.yaml": File(b"name: x\n")}, Record(Bot.called("Pizza", "Ada"), "abc"))
