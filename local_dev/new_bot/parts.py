"""Which files of this project a bot of one's own gets, and which become others."""

from typing import Final

# What is about this project, not about a bot: how it is measured, tested, decided and released.
LEFT_OUT: Final = (
    ".ci/",
    ".github/",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "benchmarks/",
    "development.mk",
    "docs/benchmarks/",
    "docs/decisions/",
    "docs/images/profile.png",
    "docs/images/turns.png",
    "docs/performance.md",
    "local_dev/new_bot/",
    "tests/",
)
# The bot's own test, and a chat with it in a browser, on the real worker.
TESTS: Final = (
    "tests/conftest.py",
    "tests/expected.py",
    "tests/unit/test_bot.py",
    "tests/end_to_end/conftest.py",
    "tests/end_to_end/test_hello.py",
    "tests/resilience/local_direct_line.py",
)
OWN: Final = "local_dev/new_bot/files/"  # what stands below it goes to the top of the bot
MOVED: Final = {"README.md": "docs/proactive-bot.md"}  # the bot has a README of its own


def place_of(path: str) -> str | None:
    """Return where a file of this project goes in a bot's repository, or None if nowhere."""
    if path.startswith(OWN):
        return path.removeprefix(OWN)
    if path.startswith(LEFT_OUT) and path not in TESTS:
        return None
    return MOVED.get(path, path)
