"""Puts a bot's files together: this project's, but what is about itself, with the bot's names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from local_dev.new_bot.documents import relinked
from local_dev.new_bot.errors import NewBotError
from local_dev.new_bot.left_behind import NOTE, names_left_behind, without_cut
from local_dev.new_bot.names import Bot, in_bicep, in_html, in_json, in_markdown
from local_dev.new_bot.parts import OWN, place_of
from local_dev.new_bot.record import FILE as RECORD
from local_dev.new_bot.record import Record


@dataclass(frozen=True, slots=True)
class File:
    """One file of a repository.

    Attributes:
        content: its bytes.
        executable: whether it is a program.
    """

    content: bytes
    executable: bool = False


Filled = Callable[[Bot], str]

# What is replaced in which file, named by where it stands in this project.
NAMES: Final[Mapping[str, Mapping[str, Filled]]] = {
    "azure.yaml": {"name: proactive-bot\n": lambda bot: f"name: {bot.slug}\n"},
    ".devcontainer/devcontainer.json": {'"Proactive bot"': lambda bot: in_json(bot.name)},
    "infra/modules/bot.bicep": {"'Proactive bot'": lambda bot: in_bicep(bot.name)},
    "infra/modules/workbook.bicep": {"'Proactive bot'": lambda bot: in_bicep(bot.name)},
    "local_dev/operator_page/page/index.html": {
        "· Proactive bot<": lambda bot: f"· {in_html(bot.name)}<"
    },
    "local_dev/web_chat/index.html": {">Proactive bot<": lambda bot: f">{in_html(bot.name)}<"},
    "teams/manifest.json": {
        '"Proactive bot"': lambda bot: in_json(bot.name),
        '"Your organisation"': lambda bot: in_json(bot.author),
    },
    f"{OWN}README.md": {
        "BOT-NAME": lambda bot: in_markdown(bot.name),
        "BOT-AUTHOR": lambda bot: in_markdown(bot.author),
    },
}


def rendered(template: Mapping[str, File], record: Record) -> dict[str, File]:
    """Return the files of a bot's repository.

    Args:
        template: the files of this project.
        record: whose bot it is, and which version this is.

    Raises:
        NewBotError: a file that takes the bot's name has no place for it.
    """
    places = {path: place_of(path) for path in template}
    files = {
        place: File(_content(path, file.content, record.bot, places), file.executable)
        for path, file in template.items()
        if (place := places[path])
    }
    return files | {RECORD: File(record.text().encode())}


def _content(path: str, content: bytes, bot: Bot, places: Mapping[str, str | None]) -> bytes:
    if path not in NAMES and not path.endswith(".md"):
        return content
    text = content.decode()
    for words, filled in NAMES.get(path, {}).items():
        if words not in text:
            raise NewBotError(f"{path} has no {words!r}, where the bot's name belongs")
        text = text.replace(words, filled(bot))
    if path.endswith(".md") and not path.startswith(OWN):
        text = without_cut(text)
        note = NOTE if names_left_behind(text, places) else ""
        text = relinked(text, path, places) + note
    return text.encode()
