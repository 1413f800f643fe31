"""Makes a bot's own repository: `make new-bot DIR=../pizza-bot NAME="Pizza bot" AUTHOR="Ada"`.

python -m local_dev.new_bot DIR NAME [AUTHOR]
"""

import shlex
import sys
from pathlib import Path
from typing import Final

from local_dev.console import say
from local_dev.new_bot.errors import NewBotError
from local_dev.new_bot.names import Bot
from local_dev.new_bot.record import Record
from local_dev.new_bot.rendering import rendered
from local_dev.new_bot.repository import BRANCH, Repository
from local_dev.programs import ROOT

USAGE: Final = 'make new-bot DIR=../pizza-bot NAME="Pizza bot" AUTHOR="Ada"'
MOST: Final = 3  # arguments


def make(folder: Path, name: str, author: str, template: Path = ROOT) -> None:
    """Make the repository, with one commit on `main` and on `template`.

    Raises:
        NewBotError: it cannot be made.
    """
    source = Repository(template)
    bot = Bot.called(name, author or _gits_user(source))
    target = _empty(folder, template)
    version = source.head()
    files = rendered(source.files(), Record(bot, version))
    repository = Repository(target)
    repository.begin()
    repository.commit(files, bot.author, f"{bot.name}, made from a template")
    repository.git("reset", "--hard", "--quiet", BRANCH)


def _gits_user(source: Repository) -> str:
    if not source.knows("config", "user.name"):
        raise NewBotError(f"AUTHOR is missing: {USAGE}")
    return source.git("config", "user.name")


def _empty(folder: Path, template: Path) -> Path:
    """Return the folder, if nothing is in it.

    Raises:
        NewBotError: there is something already, or it is in this project's own folder.
    """
    target = folder.expanduser().resolve()
    if target.is_relative_to(template.resolve()):
        raise NewBotError(f"DIR must be outside of this project's folder: {USAGE}")
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise NewBotError(f"{target} exists, and is no empty folder")
    return target


def main(words: list[str]) -> int:
    """Make it, or say why not; the exit code is 1 then."""
    directory, name, author = [*words, "", "", ""][:MOST]
    if not directory.strip() or not name.strip() or len(words) > MOST:
        say(USAGE, sys.stderr)
        return 1
    try:
        make(Path(directory), name, author)
    except (NewBotError, OSError) as error:
        say(str(error), sys.stderr)
        return 1
    say(f"{name.strip()} is in {directory}. Go on with:\n  cd {shlex.quote(directory)}\n  make run")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
