"""local.settings.json as people have it, and whom it is read by."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.admin import dead_letters
from bot_logic.errors import SettingsError
from bot_logic.local_settings import NAME, json_file, values_of
from local_dev import settings_file
from local_dev.functions_host.configuration import Configuration, StartError

AS_PEOPLE_HAVE_IT = """// made by hand
{
  "IsEncrypted": false, /* or Core Tools
                           decrypt it */
  "Values": {
    "Url": "https://example.org/*not a comment*/", // a comment, "quoted", }
    "List": "a,]", "Quote": "say \\"//hi\\",}",
    "Retries": 3, "Rate": 0.5, "On": true, "Nothing": null,
  },
}
"""
VALUES = {
    "Url": "https://example.org/*not a comment*/",
    "List": "a,]",
    "Quote": 'say "//hi",}',
    "Retries": "3",
    "Rate": "0.5",
    "On": "true",
}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"]
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
GAPS = st.sampled_from(["", " ", "\r\n", '// a } , ] " comment\n', '/* "*, } \n // */', "/**/"])


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / NAME
    path.write_bytes(text.encode(encoding))
    return path


def refusal_of(path: Path) -> str:
    with pytest.raises(SettingsError) as error:
        values_of(path)
    return str(error.value)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_it_is_read_as_core_tools_read_it(tmp_path: Path, encoding: str) -> None:
    assert values_of(written(tmp_path, AS_PEOPLE_HAVE_IT, encoding)) == VALUES


@given(data=st.data(), document=DOCUMENTS)
def test_comments_and_last_commas_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, document: Any
) -> None:
    def dressed(value: Any) -> str:
        before, after = data.draw(GAPS), data.draw(GAPS)
        if isinstance(value, list):
            body = f"[{entries(map(dressed, value))}]"
        elif isinstance(value, dict):
            pairs = (f"{dressed(name)}:{dressed(each)}" for name, each in value.items())
            body = f"{{{entries(pairs)}}}"
        else:
            body = json.dumps(value, ensure_ascii=data.draw(st.booleans()))
        return f"{before}{body}{after}"

    def entries(written_ones: Any) -> str:
        found = list(written_ones)
        last = data.draw(st.sampled_from(["", ",", ", \n", ",//\n"])) if found else ""
        return ",".join(found) + last

    path = tmp_path_factory.getbasetemp() / "dressed.json"
    path.write_bytes(dressed(document).encode("utf-8", "surrogatepass"))
    assert json_file(path) == document


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{\n  "Values": {\n    "A": "b"\n    "C": "d"\n  }\n}', "line 4, column 5: Expecting ','"),
        ('{ // note\n  /* more\n */ "Values": hunter2 }', "line 3, column 15: Expecting value"),
        ('{"a": /* never closed', "line 1, column 7"),
        ("", "line 1, column 1"),
        ("[" * 100_000, "recursion"),
        ('{"IsEncrypted": false, "Values": {"A": "hunter2\n"}}', "Invalid control character"),
        ('{"a": 1,,}', "line 1, column "),
    ],
    ids=["comma", "value", "comment", "empty", "deep", "line break", "two commas"],
)
def test_what_is_wrong_is_said_with_file_and_place(tmp_path: Path, text: str, where: str) -> None:
    path = written(tmp_path, text)
    assert refusal_of(path).startswith(f"cannot read {path}: ")
    assert where in refusal_of(path)
    assert "hunter2" not in refusal_of(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], f"{NAME} must hold an object"),
        ({"Values": {}}, f"{NAME}: IsEncrypted must be false, or its values count as encrypted"),
        ({"IsEncrypted": True}, f"{NAME}: IsEncrypted must be false"),
        ({"IsEncrypted": False, "Values": []}, f"{NAME}: Values must be an object"),
        ({"IsEncrypted": False, "Values": {"A": ["x"]}}, f"{NAME}: Values.A must be a string"),
        ({"IsEncrypted": False, "Values": {"A": {}}}, f"{NAME}: Values.A must be a string"),
    ],
)
def test_what_is_no_setting_is_named(tmp_path: Path, content: Any, reason: str) -> None:
    assert refusal_of(written(tmp_path, json.dumps(content))).startswith(reason)


def test_what_is_no_text_or_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b'{"Values": "M\xfcller"}')
    assert refusal_of(tmp_path / NAME).endswith(f"{NAME}: it is not UTF-8")
    assert refusal_of(tmp_path) == f"cannot read {tmp_path}: Is a directory"


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AzureWebJobsStorage", *VALUES):
        monkeypatch.setenv(name, "")  # so that it is put back afterwards
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("nothing_set")
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_make_run_and_the_local_host_read_it_alike(tmp_path: Path, encoding: str) -> None:
    written(tmp_path, AS_PEOPLE_HAVE_IT, encoding)
    (tmp_path / "host.json").write_text('// as Core Tools take it\n{"version": "2.0",}')
    assert settings_file.read(tmp_path, {}) == VALUES
    Configuration(tmp_path)
    assert {name: os.environ[name] for name in VALUES} == VALUES


@pytest.mark.usefixtures("nothing_set")
def test_the_operators_command_reads_it_and_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    nowhere = "AccountName=acc;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/acc"
    values = f'{{"IsEncrypted": false, "Values": {{"AzureWebJobsStorage": "{nowhere}",}}}} // end'
    written(tmp_path, values)
    assert dead_letters.main([]) == 1
    assert "is `make run` running?" in capsys.readouterr().err
    written(tmp_path, "{")
    assert dead_letters.main([]) == 1
    assert capsys.readouterr().err.startswith(f"cannot read {NAME}: line 1, column 2: ")


def test_the_local_host_names_it(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text("{}")
    path = written(tmp_path, '{"IsEncrypted": false\n"Values": {}}')
    with pytest.raises(StartError, match=r"local\.settings\.json: line 2, column 1: "):
        Configuration(tmp_path)
    with pytest.raises(SettingsError, match="line 2, column 1"):
        settings_file.read(path.parent)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_published_secrets_are_replaced_and_the_rest_stays(tmp_path: Path, encoding: str) -> None:
    text = (
        '{\r\n // mine\r\n "IsEncrypted": false,\r\n'
        ' "Values": {"A": "only-for-this-machine", "B": "ü",},\r\n}'
    )
    path = written(tmp_path, text, encoding)
    assert settings_file.renew(tmp_path)
    fresh = values_of(path)["A"]
    assert "only-for-this-machine" not in fresh
    renewed = path.read_bytes().decode(encoding)
    assert renewed == text.replace("only-for-this-machine", fresh)


@pytest.mark.parametrize(
    "settings", [{}, {"DirectLineSecret": " "}, {"DirectLineSecret": "replace-me"}]
)
def test_a_secret_that_is_missing_is_a_line_of_the_file(settings: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=f"^{NAME} has no DirectLineSecret .* among its Values"):
        settings_file.direct_line_secret(settings)
