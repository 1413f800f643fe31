"""Git, as far as a bot's repository needs it: no user's hook or setting changes what is committed.

The branch `template` holds what this project gave, version after version, and nothing else; the
author's branch merges it. So git knows what has changed on which side.
"""

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from local_dev.new_bot.errors import NewBotError
from local_dev.new_bot.rendering import File

BRANCH: Final = "template"
MAIN: Final = "main"
NOTHING_SET: Final[Mapping[str, str]] = {}
# A hook of another repository may be what runs this; then these would name that one.
_OF_ANOTHER: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


class Repository:
    """A git repository in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *words: str, environment: Mapping[str, str] = NOTHING_SET) -> str:
        """Run git; return what it prints, without the last line's end.

        Raises:
            NewBotError: it fails, or there is no git; with its own words.
        """
        return self._run(words, environment).decode(errors="replace").strip()

    def knows(self, *words: str) -> bool:
        """Tell whether git answers yes."""
        try:
            self.git(*words)
        except NewBotError:
            return False
        return True

    def head(self) -> str:
        """Return the commit that is checked out."""
        return self.git("rev-parse", "--verify", "HEAD^{commit}")

    def files(self) -> dict[str, File]:
        """Return all that is committed, as it is in that commit."""
        archive = io.BytesIO(self._run(["archive", "--format=tar", "HEAD"], NOTHING_SET))
        found = {}
        with tarfile.open(fileobj=archive) as tar:
            for member in tar:
                if content := tar.extractfile(member) if member.isfile() else None:
                    found[member.name] = File(content.read(), bool(member.mode & 0o100))
        return found

    def begin(self) -> None:
        """Make the repository."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", f"--initial-branch={MAIN}")

    def commit(self, files: Mapping[str, File], author: str, message: str) -> None:
        """Commit these files, and no others, on the branch of this project's versions."""
        tree = self._tree(files)
        parents = []
        if self.knows("rev-parse", "--verify", BRANCH):
            if self.git("rev-parse", f"{BRANCH}^{{tree}}") == tree:
                return
            parents = ["-p", BRANCH]
        whose = ["-c", f"user.name={author}", *self.unless_known({"user.email": ""})]
        commit = self.git(*whose, "commit-tree", tree, *parents, "-m", message)
        self.git("update-ref", f"refs/heads/{BRANCH}", commit)

    def unless_known(self, settings: Mapping[str, str]) -> list[str]:
        """Return git's options that make these settings, but for those that the user has made."""
        missing = {key: each for key, each in settings.items() if not self.knows("config", key)}
        return [word for key, each in missing.items() for word in ("-c", f"{key}={each}")]

    def _tree(self, files: Mapping[str, File]) -> str:
        with tempfile.TemporaryDirectory() as draft:
            root, index = Path(draft, "tree"), Path(draft, "index")
            for path, file in files.items():
                target = root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.content)
                target.chmod(0o755 if file.executable else 0o644)
            there = {"GIT_WORK_TREE": str(root), "GIT_INDEX_FILE": str(index)}
            there["GIT_DIR"] = self.git("rev-parse", "--absolute-git-dir")
            as_it_is = ("-c", "core.autocrlf=false", "-c", "core.fileMode=true")
            self.git(*as_it_is, "add", "--all", "--force", ":/", environment=there)
            return self.git("write-tree", environment=there)

    def _run(self, words: Sequence[str], environment: Mapping[str, str]) -> bytes:
        inherited = {key: each for key, each in os.environ.items() if key not in _OF_ANOTHER}
        try:
            done = subprocess.run(  # noqa: S603 - git, and no shell
                ["git", *words],  # noqa: S607 - the git that is on PATH
                cwd=self.folder,
                env={**inherited, **environment},
                capture_output=True,
                check=True,
            )
        except FileNotFoundError:
            raise NewBotError("git is needed: https://git-scm.com") from None
        except subprocess.CalledProcessError as error:
            said = (error.stderr + error.stdout).decode(errors="replace").strip()
            raise NewBotError(said or f"git {words[0]} failed") from None
        return done.stdout
