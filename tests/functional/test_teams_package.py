"""The app package for Teams: its manifest against Microsoft's own schema, and its icons."""

import json
import os
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from local_dev.teams_package import ICON_SIZES, NOBODY, SCHEMAS, SOURCE, TeamsPackageError, build

BOT_ID = "0b7a75aa-1f42-4a78-b1bd-9ecd95ec3615"


@pytest.fixture(autouse=True)
def microsofts_schemas() -> None:
    if not any(SCHEMAS.glob("v*")):
        assert not os.environ.get("CI"), "make test fetches the schemas"
        pytest.skip("make test fetches the schemas")


@pytest.fixture(name="folder")
def own_copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOURCE, tmp_path / "teams"))


def changed(folder: Path, **fields: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def built(folder: Path, **more: str) -> dict[str, Any]:
    """The manifest inside the package that is built from this folder."""
    path = folder.parent / "dist" / "app.zip"
    build(BOT_ID, source=folder, path=path, **more)
    with ZipFile(path) as archive:
        assert archive.namelist() == ["manifest.json", "color.png", "outline.png"]
        manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return manifest


def problems(folder: Path) -> list[str]:
    with pytest.raises(TeamsPackageError) as raised:
        build(BOT_ID, source=folder, path=folder.parent / "dist" / "app.zip")
    assert not (folder.parent / "dist").exists()
    return str(raised.value).splitlines()


def test_the_package_is_this_bots_and_for_chats_groups_and_teams(folder: Path) -> None:
    manifest = built(folder)
    (bot,) = manifest["bots"]
    assert (manifest["id"], bot["botId"]) == (BOT_ID, BOT_ID)
    assert bot["scopes"] == ["personal", "team", "groupChat"]
    assert NOBODY not in json.dumps(manifest)


def test_teams_hands_over_only_what_mentions_the_bot(folder: Path) -> None:
    """For no resource-specific permission is asked, which would have it hand over all."""
    assert "authorization" not in built(folder)


@pytest.mark.parametrize("version", ["1.17", "1.19", "1.22", "1.25", "1.29", "1.30"])
def test_the_same_manifest_is_right_in_other_versions(folder: Path, version: str) -> None:
    changed(folder, manifestVersion=version)
    assert built(folder)["manifestVersion"] == version


def test_the_schema_that_editors_look_at_is_that_of_the_manifests_version() -> None:
    manifest = json.loads((SOURCE / "manifest.json").read_text())
    assert f"/v{manifest['manifestVersion']}/" in manifest["$schema"]


def test_a_host_of_pages_is_added_to_the_valid_domains(folder: Path) -> None:
    changed(folder, validDomains=["www.example.com"])
    domains = built(folder, domain="app.azurewebsites.net")["validDomains"]
    assert domains == ["app.azurewebsites.net", "www.example.com"]
    assert built(folder, domain="")["validDomains"] == ["www.example.com"]


def test_capital_letters_of_an_id_make_no_other_app(folder: Path) -> None:
    path = folder.parent / "app.zip"
    build(BOT_ID.upper(), source=folder, path=path)
    with ZipFile(path) as archive:
        assert json.loads(archive.read("manifest.json"))["id"] == BOT_ID


@pytest.mark.parametrize(
    "bot_id",
    [
        "my-bot",
        "28:" + BOT_ID,
        "{" + BOT_ID + "}",
        BOT_ID.replace("-", ""),
        BOT_ID + "\n",
        " " + BOT_ID,
        BOT_ID[:-1] + "\N{ARABIC-INDIC DIGIT ONE}",
        BOT_ID + '", "x": "',
        NOBODY,
    ],
    ids=ascii,
)
def test_what_is_no_bots_id_is_refused_without_being_shown(folder: Path, bot_id: str) -> None:
    with pytest.raises(TeamsPackageError, match="BOT_ID must be the bot's app id") as raised:
        build(bot_id, source=folder, path=folder / "app.zip")
    assert bot_id not in str(raised.value)


def test_without_a_bots_id_the_command_is_said(folder: Path) -> None:
    with pytest.raises(TeamsPackageError, match="make teams-package BOT_ID="):
        build("", source=folder, path=folder / "app.zip")


NO_HOSTS = ("https://app.example.com", "app.example.com:443", "app.example.com/", "*.example.com")
NO_NAMES = ("App.example.com", "app.example.com\n", "a..b", "-a.example", "localhost", "127.0.0.1")


@pytest.mark.parametrize("domain", [*NO_HOSTS, *NO_NAMES, " "], ids=ascii)
def test_what_is_no_hosts_name_is_refused(folder: Path, domain: str) -> None:
    with pytest.raises(TeamsPackageError, match="BOT_DOMAIN must be one host name"):
        build(BOT_ID, domain, source=folder, path=folder / "app.zip")


def test_each_thing_that_the_schema_has_against_it_is_said_with_its_place(folder: Path) -> None:
    changed(folder, name={"short": "x" * 31}, bots=[{"botId": NOBODY, "scopes": ["everywhere"]}])
    said = problems(folder)
    assert [line.split(": ")[1] for line in said] == ["bots.0.scopes.0", "name.short"]
    assert "everywhere" in said[0]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"colour": "red"}, "as a whole: Additional properties are not allowed"),
        ({"manifestVersion": "1.18"}, "manifestVersion: no such version; the newest is "),
        ({"manifestVersion": "../v1.29"}, "manifestVersion: no such version"),
        ({"manifestVersion": ["1.29"]}, "manifestVersion: no such version"),
        ({"id": BOT_ID[:-1] + "d"}, f"id: must be {NOBODY}"),
        ({"icons": {"color": "../color.png", "outline": "outline.png"}}, "icons.color"),
    ],
    ids=str,
)
def test_what_is_wrong_in_the_manifest_is_named(
    folder: Path, fields: dict[str, Any], said: str
) -> None:
    changed(folder, **fields)
    (line,) = problems(folder)
    assert line.startswith("manifest.json: ")
    assert said in line


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\ud800"], ids=ascii)
def test_what_is_no_manifest_is_said(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert problems(folder)[0].startswith("manifest.json: ")


@pytest.mark.parametrize("kind", ICON_SIZES)
@pytest.mark.parametrize("content", [b"", b"GIF89a", None], ids=["empty", "no PNG", "other size"])
def test_an_icon_of_another_kind_or_size_is_refused(
    folder: Path, kind: str, content: bytes | None
) -> None:
    other = (SOURCE / f"{'outline' if kind == 'color' else 'color'}.png").read_bytes()
    (folder / f"{kind}.png").write_bytes(other if content is None else content)
    size = ICON_SIZES[kind]
    assert problems(folder) == [f"{kind}.png: must be a PNG of {size} by {size} pixels"]


def test_an_icon_that_is_missing_is_named(folder: Path) -> None:
    (folder / "color.png").unlink()
    assert problems(folder) == ["color.png: No such file or directory"]


def test_the_outline_is_white_on_nothing_as_teams_wants_it() -> None:
    pixels = rgba((SOURCE / "outline.png").read_bytes())
    assert {pixel[:3] for pixel in pixels} == {b"\xff\xff\xff"}
    assert {0, 255} <= {pixel[3] for pixel in pixels}


def rgba(png: bytes) -> list[bytes]:
    """The pixels of a PNG whose rows stand in it as they are."""
    width, height = struct.unpack(">II", png[16:24])
    start = png.index(b"IDAT")
    (length,) = struct.unpack(">I", png[start - 4 : start])
    rows = zlib.decompress(png[start + 4 : start + 4 + length])
    step = width * 4 + 1
    lines = [rows[number * step : (number + 1) * step] for number in range(height)]
    assert {line[0] for line in lines} == {0}
    return [line[place : place + 4] for line in lines for place in range(1, step, 4)]
