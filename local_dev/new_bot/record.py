"""What a bot's repository remembers: whose it is, and the version of this project it came from."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from local_dev.new_bot.errors import NewBotError
from local_dev.new_bot.names import Bot

FILE: Final = "template.json"


@dataclass(frozen=True, slots=True)
class Record:
    """The content of `template.json`.

    Attributes:
        bot: its name and its author's.
        version: a commit of this project.
    """

    bot: Bot
    version: str

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Read the record of the bot in a folder.

        Raises:
            NewBotError: there is none, or it is malformed.
        """
        try:
            values = json.loads((folder / FILE).read_text(encoding="utf-8"))
            return cls(Bot.called(values["name"], values["author"]), str(values["version"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise NewBotError(
                f"{folder} has no {FILE} with name, author and version: was it made by new-bot?"
            ) from None

    def text(self) -> str:
        """Return the file's text."""
        values = {"name": self.bot.name, "author": self.bot.author, "version": self.version}
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"
