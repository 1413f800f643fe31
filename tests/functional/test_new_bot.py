"""`make new-bot` and `make upgrade`, on a copy of this project that gets a later version."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_dev.ports import free_ports
from local_dev.programs import ROOT, Program, Running
from local_dev.readiness import printing
from tests.functional import author
from tests.functional.app_under_test import SECRET, SIGNING_KEY
from tests.functional.azurite_process import Azurite
from tests.functional.named_files import missing_in
from tests.unit.test_links import broken

NOBODY = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}  # git knows no user
NAME = 'Ada\'s "Pizza" & bot'

ADDED = """
from bot_logic.testing import BotUnderTest

async def test_all_of_it_works_in_one_bot() -> None:
    async with BotUnderTest() as bot:
        assert await bot.hears("report") == ["I am on it."]
        assert await bot.hears("remind me in 0 minutes to stand up") == ["I will."]
        await bot.hears("menu")
        assert bot.channel.sent[-1].activity.attachments
        assert "Which pizza" in (await bot.hears("Order"))[0]
        assert "no more broadcasts" in (await bot.hears("stop"))[0]
        assert "One Funghi." in (await bot.hears("funghi"))[0]
        assert "is ordered" in (await bot.hears("yes"))[0]
        assert "You said menus" in (await bot.hears("menus"))[-1]
        said = await bot.runs_queue()
        assert said[:2] == ["Part 1 of 3 is done.", "Time to stand up"]
        assert "🍕 Your Funghi is ready." in said
        assert "One pizza for you." in str(await bot.presses("lunch"))
        assert "is ordered" in str(await bot.presses("order", {"pizza": "Funghi"}))
"""


def run(folder: Path, *command: str) -> str:
    """What a command prints that succeeds."""
    done = tried(folder, *command)
    assert done.returncode == 0, done.stderr
    return done.stdout


def tried(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {key: each for key, each in os.environ.items() if not key.startswith("GIT_")}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment | NOBODY | {"NAME": "a-host-under-wsl"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def commit(folder: Path, message: str) -> str:
    run(folder, "git", "add", "--all")
    whose = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    run(folder, "git", *whose, "commit", "--quiet", "-m", message)
    return run(folder, "git", "rev-parse", "HEAD").strip()


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """This project as it lies here, committed."""
    if not (ROOT / ".git").exists():
        pytest.skip("git knows which files are part of the project")
    copy = tmp_path / "template"
    listed = run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    run(copy, "git", "init", "--quiet")
    commit(copy, "A version")
    return copy


def new_bot(template: Path, **given: str) -> subprocess.CompletedProcess[str]:
    words = [f"{name}={value}" for name, value in given.items()]
    return tried(template, "make", "--silent", "new-bot", f"PYTHON={sys.executable}", *words)


@pytest.fixture
def bot(template: Path) -> Path:
    """A bot made from it."""
    made = new_bot(template, DIR="../pizza", NAME=NAME, AUTHOR="Ada")
    assert made.returncode == 0, made.stderr
    return template.parent / "pizza"


def upgrade(bot: Path) -> subprocess.CompletedProcess[str]:
    source = f"FROM={bot.parent / 'template'}"
    return tried(bot, "make", "--silent", "upgrade", f"PYTHON={sys.executable}", source)


def test_a_bot_has_one_commit_of_its_author_and_none_of_our_history(bot: Path) -> None:
    log = run(bot, "git", "log", "--all", "--format=%an|%s|%D").splitlines()
    assert log == [f"Ada|{NAME}, made from a template|HEAD -> main, template"]
    assert run(bot, "git", "status", "--short") == ""
    assert (bot / "README.md").read_text().startswith("# Ada's")
    assert json.loads((bot / "teams/manifest.json").read_text())["name"]["short"] == NAME
    assert (bot / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    for ours in ("CHANGELOG.md", "benchmarks", "docs/decisions", "tests/simulation", ".ci"):
        assert not (bot / ours).exists()


def test_links_of_a_bots_documents_lead_somewhere(bot: Path) -> None:
    documents = [*bot.glob("*.md"), *(bot / "docs").rglob("*.md")]
    assert [(each.name, links) for each in documents if (links := broken(each, bot))] == []


def test_a_bots_documents_name_only_what_it_has_or_say_where_the_rest_is(bot: Path) -> None:
    documents = [*bot.glob("*.md"), *(bot / "docs").rglob("*.md")]
    missing = [(each.name, found) for each in documents for found in missing_in(each, bot)]
    assert missing == []


def test_a_bots_own_tests_and_checks_pass(bot: Path) -> None:
    python = (sys.executable, "-m")
    assert " passed" in run(bot, *python, "pytest", "-q", "-p", "no:cacheprovider", "tests/unit")
    run(bot, *python, "pytest", "-q", "--collect-only", "tests")  # which imports the others
    run(bot, *python, "ruff", "check", ".")
    run(bot, *python, "ruff", "format", "--check", ".")
    run(bot, str(Path(sys.executable).parent / "lint-imports"), "--no-logo")


def test_who_follows_the_documents_breaks_no_test_and_no_check(bot: Path) -> None:
    python = (sys.executable, "-m")
    for page in ("dialogs.md", "cards.md"):
        author.follow(bot / "docs" / page, bot)
    run(bot, *python, "ruff", "check", ".")
    run(bot, *python, "ruff", "format", "--check", ".")
    for recipe in ("reminder", "long_job", "lunch"):
        author.take_recipe(bot / f"docs/recipes/{recipe}.py", bot)
    run(bot, *python, "ruff", "check", "--fix", ".")  # make format
    run(bot, *python, "ruff", "format", ".")
    changed = {line[3:] for line in run(bot, "git", "status", "--short").splitlines()}
    assert changed == {
        "bot_logic/bot.py",
        "bot_logic/menu_card.py",
        "bot_logic/order_dialog.py",
    }
    (bot / "tests/unit/test_what_was_added.py").write_text(ADDED)
    assert " passed" in run(bot, *python, "pytest", "-q", "-p", "no:cacheprovider", "tests/unit")


@pytest.fixture
def host_of_the_bot(bot: Path, azurite: Azurite) -> Iterator[Running]:
    functions = bot / "bot_logic/functions.py"
    timer = '@own.timer_trigger("timer", "0 0 9 * * *")\n'
    timer += "async def of_the_bot(timer: func.TimerRequest) -> None: ...\n"
    functions.write_text(f"{functions.read_text()}\n\n{timer}")
    there = ["sh", "-c", 'cd "$0" && exec "$@"', str(bot)]  # else it imports the app that is here
    command = [*there, sys.executable, "-m", "local_dev.functions_host"]
    settings = {
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        "AzureWebJobsStorage": azurite.connection_string,
        "DirectLineSecret": SECRET,
        "TriggerSigningKey": SIGNING_KEY,
    }
    port = str(free_ports(1)[0])
    host = Running(Program("the bot", [*command, "--port", port], environment=settings))
    yield host
    host.stop()


def test_a_bot_loads_in_the_worker_that_runs_it(host_of_the_bot: Running) -> None:
    host_of_the_bot.until(printing("loaded by"))
    assert "hand_to_bot" in host_of_the_bot.printed
    assert "of_the_bot" in host_of_the_bot.printed


def test_a_later_version_merges_beside_what_the_author_has_changed(
    template: Path, bot: Path
) -> None:
    change(bot / "bot_logic/bot.py", "This is coming back from the trigger!", "🍕")
    change(bot / "README.md", "A bot that speaks first", "Pizza, and then some")
    change(bot / "azure.yaml", "language: python", "language: py")
    (bot / "bot_logic/cards.py").write_text('"""Cards."""\n')
    commit(bot, "All that is ours")
    change(template / "bot_logic/errors.py", '"""', '"""Later. ')
    change(template / "azure.yaml", "  api:", "  # later\n  api:")
    (template / "docs/cost.md").unlink()
    (template / "bot_logic/later.py").write_text('"""Later."""\n')
    later = commit(template, "A later version")
    assert upgrade(bot).stdout.startswith(f"Took over {later[:12]}")
    assert run(bot, "git", "status", "--short") == ""
    assert "🍕" in (bot / "bot_logic/bot.py").read_text()
    assert "and then some" in (bot / "README.md").read_text()
    assert "Later. " in (bot / "bot_logic/errors.py").read_text()
    assert "# later\n" in (azure := (bot / "azure.yaml").read_text())
    assert "language: py\n" in azure
    assert "name: ada-s-pizza-bot\n" in azure
    assert (bot / "bot_logic/later.py").exists()
    assert not (bot / "docs/cost.md").exists()
    assert (bot / "bot_logic/cards.py").exists()
    assert json.loads((bot / "template.json").read_text())["version"] == later
    assert upgrade(bot).stdout == "Nothing is newer there.\n"


def test_a_conflict_is_the_authors_to_mend_and_can_be_gone_back_from(
    template: Path, bot: Path
) -> None:
    change(bot / "bot_logic/bot.py", "MAX_NAMES = 10", "MAX_NAMES = 2")
    before = commit(bot, "Two names")
    change(template / "bot_logic/bot.py", "MAX_NAMES = 10", "MAX_NAMES = 20")
    commit(template, "Twenty names")
    for _ in range(2):
        failed = upgrade(bot)
        assert failed.returncode != 0
        assert "CONFLICT (content): Merge conflict in bot_logic/bot.py" in failed.stderr
        assert "`git merge --abort`" in failed.stderr
        run(bot, "git", "merge", "--abort")
        assert run(bot, "git", "rev-parse", "HEAD").strip() == before
    versions = run(bot, "git", "log", "--format=%s", "template").splitlines()
    assert len(versions) == 2


def test_what_is_not_ready_for_an_upgrade_is_said_and_left_alone(template: Path, bot: Path) -> None:
    (template / "later.md").write_text("later\n")
    commit(template, "A later version")
    change(bot / "bot_logic/bot.py", "MAX_NAMES = 10", "MAX_NAMES = 2")
    assert "commit your changes first" in upgrade(bot).stderr
    commit(bot, "Two names")
    run(bot, "git", "switch", "--quiet", "template")
    assert "git switch main" in upgrade(bot).stderr
    run(bot, "git", "switch", "--quiet", "main")
    run(bot, "git", "branch", "--quiet", "-D", "template")
    assert "git fetch origin template:template" in upgrade(bot).stderr
    run(bot, "git", "branch", "template", "main~1")
    assert upgrade(bot).returncode == 0
    run(template, "git", "reset", "--quiet", "--hard", "HEAD~1")
    assert "it is older, or something else" in upgrade(bot).stderr


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"DIR": "../pizza", "AUTHOR": "Ada"}, "make new-bot DIR="),  # and the host's name is none
        ({"NAME": "Pizza", "AUTHOR": "Ada"}, "make new-bot DIR="),
        ({"DIR": "../pizza", "NAME": "Pizza"}, "AUTHOR is missing"),
        ({"DIR": "../pizza", "NAME": "'; touch ../x; '", "AUTHOR": "🍕"}, "AUTHOR must have"),
        ({"DIR": "..", "NAME": "Pizza", "AUTHOR": "Ada"}, "is no empty folder"),
        ({"DIR": "../a-file", "NAME": "Pizza", "AUTHOR": "Ada"}, "is no empty folder"),
        ({"DIR": "../a-file/x", "NAME": "Pizza", "AUTHOR": "Ada"}, "Not a directory"),
        ({"DIR": "inside", "NAME": "Pizza", "AUTHOR": "Ada"}, "outside of this project"),
    ],
)
def test_what_cannot_be_made_is_said_and_nothing_is_left(
    template: Path, given: dict[str, str], reason: str
) -> None:
    (template.parent / "a-file").write_text("")
    made = new_bot(template, **given)
    assert made.returncode != 0
    assert reason in made.stderr
    assert "Traceback" not in made.stderr
    assert {each.name for each in template.parent.iterdir()} == {"a-file", "template"}
