"""What a bot may be called: its name stands in YAML, JSON, HTML, Bicep, Markdown and on Teams."""

import html
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Self

from local_dev.new_bot.errors import NewBotError

# https://learn.microsoft.com/microsoft-365/extensibility/schema/root-name
LONGEST_NAME: Final = 30  # characters, the most that Teams takes
LONGEST_AUTHOR: Final = 32
SHORTEST_SLUG: Final = 2  # what azd takes

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#+!|~&-])")


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot's name and its author's, checked.

    Attributes:
        name: as people read it.
        author: whose bot it is.
    """

    name: str
    author: str

    @classmethod
    def called(cls, name: str, author: str) -> Self:
        """Check both names.

        Raises:
            NewBotError: one of them cannot be used.
        """
        bot = cls(_checked("NAME", name, LONGEST_NAME), _checked("AUTHOR", author, LONGEST_AUTHOR))
        if set("<>") & set(bot.author):
            raise NewBotError("AUTHOR must have no < or >: git takes neither in a name")
        return bot

    @property
    def slug(self) -> str:
        """The name in small Latin letters, digits and hyphens, as azd wants it."""
        plain = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode()
        slug = re.sub("[^a-z0-9]+", "-", plain.lower()).strip("-")
        return slug if len(slug) >= SHORTEST_SLUG else "my-bot"


def in_json(text: str) -> str:
    """Return a JSON string, which is a YAML string as well."""
    return json.dumps(text, ensure_ascii=False)


def in_html(text: str) -> str:
    """Return the text for a page."""
    return html.escape(text)


def in_bicep(text: str) -> str:
    """Return a Bicep string.

    https://learn.microsoft.com/azure/azure-resource-manager/bicep/data-types#strings
    """
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
    return f"'{escaped}'"


def in_markdown(text: str) -> str:
    """Return the text for a document, in which it means nothing but itself."""
    return _MARKDOWN.sub(r"\\\1", text)


def _checked(field: str, value: str, longest: int) -> str:
    text = unicodedata.normalize("NFC", value.strip())
    if not any(each.isalnum() for each in text):
        raise NewBotError(f"{field} must have a letter or a digit, as in {field}=Pizza")
    if not text.isprintable():
        raise NewBotError(f"{field} must be one line, without control characters")
    if len(text) > longest:
        raise NewBotError(f"{field} has {len(text)} characters; Teams takes {longest} at most")
    return text
