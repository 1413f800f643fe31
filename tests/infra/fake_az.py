"""An `az` that keeps its vault in a folder, and writes down what it was asked.

FAKE_AZ names the folder. In it: `calls`, one JSON list a line; `vault/NAME`, the secrets; `keys`,
the Direct Line site's; `closed`, how often the vault still refuses; `fails`, what is to fail.
"""

import json
import os
import sys
from pathlib import Path

FOLDER = Path(os.environ["FAKE_AZ"])
VAULT = FOLDER / "vault"


def option(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1]


def refuse(reason: str) -> None:
    sys.exit(f"ERROR: {reason}")


def list_secrets() -> None:
    closed = int((FOLDER / "closed").read_text())
    if closed:
        (FOLDER / "closed").write_text(str(closed - 1))
        refuse("(Forbidden) Caller is not authorized to perform action on resource.")
    sys.stdout.writelines(f"{secret.name}\n" for secret in sorted(VAULT.iterdir()))


def show_secret() -> None:
    sys.stdout.write((VAULT / option("--name")).read_text() + "\n")


def set_secret() -> None:
    draft = Path(option("--file"))
    if draft.stat().st_mode & 0o077:
        refuse("others can read the file")
    (VAULT / option("--name")).write_text(draft.read_text())


def show_direct_line() -> None:
    sys.stdout.write((FOLDER / "keys").read_text())


def nothing() -> None:
    """Succeed without a word."""


ANSWERS = {
    "account show": nothing,
    "keyvault secret list": list_secrets,
    "keyvault secret show": show_secret,
    "keyvault secret set": set_secret,
    "bot directline show": show_direct_line,
    "rest": nothing,
}


def main() -> None:
    with (FOLDER / "calls").open("a") as calls:
        calls.write(json.dumps(sys.argv[1:]) + "\n")
    asked = " ".join(sys.argv[1:])
    (command,) = [name for name in ANSWERS if asked.startswith(f"{name} ")]
    if command == (FOLDER / "fails").read_text():
        refuse("it went wrong")
    ANSWERS[command]()


if __name__ == "__main__":
    main()
