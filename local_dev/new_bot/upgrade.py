"""Takes this version over into a bot that was made from an earlier one: `make upgrade FROM=...`.

The bot's own Makefile fetches this project and runs this from there: the later version knows best
which files a bot gets.
"""

import sys
from pathlib import Path

from local_dev.console import say
from local_dev.new_bot.errors import NewBotError
from local_dev.new_bot.record import Record
from local_dev.new_bot.rendering import rendered
from local_dev.new_bot.repository import BRANCH, Repository
from local_dev.programs import ROOT


def upgrade(folder: Path, template: Path = ROOT) -> str:
    """Commit this version's files on the branch `template`, merge it, and return what was done.

    Raises:
        NewBotError: the repository is not ready, or the merge has conflicts.
    """
    source, bot = Repository(template), Repository(folder)
    before, version = Record.of(folder), source.head()
    if before.version == version:
        return "Nothing is newer there."
    _check_ready(bot)
    if not source.knows("merge-base", "--is-ancestor", before.version, version):
        raise NewBotError(
            f"what FROM has does not follow from {before.version[:12]}, the version that you have: "
            "it is older, or something else"
        )
    files = rendered(source.files(), Record(before.bot, version))
    bot.commit(files, before.bot.author, f"The template at {version[:12]}")
    _merge(bot, before.bot.author, version)
    return f"Took over {version[:12]} in place of {before.version[:12]}. Go on with: make test"


def _check_ready(bot: Repository) -> None:
    if bot.git("status", "--porcelain", "--untracked-files=no"):
        raise NewBotError("commit your changes first, so that you can go back: git status")
    if not bot.knows("rev-parse", "--verify", f"refs/heads/{BRANCH}"):
        raise NewBotError(
            f"there is no branch {BRANCH}; get it with: git fetch origin {BRANCH}:{BRANCH}"
        )
    if bot.git("branch", "--show-current") == BRANCH:
        raise NewBotError(f"{BRANCH} is checked out; go to your own branch: git switch main")


def _merge(bot: Repository, author: str, version: str) -> None:
    whose = bot.unless_known({"user.name": author, "user.email": ""})
    message = f"Take over the template at {version[:12]}"
    try:
        bot.git(*whose, "merge", "--quiet", "--no-ff", "-m", message, BRANCH)
    except NewBotError as error:
        raise NewBotError(
            f"{error}\nMend the files that git names, `git add` them and `git merge --continue`; "
            "or go back with `git merge --abort`."
        ) from None


def main(words: list[str]) -> int:
    """Upgrade the bot in the folder that is named; the exit code is 1 if that fails."""
    try:
        say(upgrade(Path(words[0])))
    except NewBotError as error:
        say(str(error), sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
