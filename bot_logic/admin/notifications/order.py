"""What the options ask for, as the API takes it."""

import argparse
import json
from pathlib import Path
from typing import Any, Final

from bot_logic.errors import ProactiveBotError

CARD: Final = "application/vnd.microsoft.card.adaptive"


class WrongOptions(ProactiveBotError):
    """The command line asks for what cannot be."""


def order(options: argparse.Namespace) -> dict[str, Any]:
    """Return the body of a POST.

    Raises:
        WrongOptions: options do not fit together, or a file cannot be read.
    """
    times = {name: getattr(options, name, None) for name in ("at", "expires")}
    given = {name: _moment(value) for name, value in times.items() if value is not None}
    return {"to": _audience(options), **content(options), **given}


def content(options: argparse.Namespace) -> dict[str, Any]:
    """Return what is to be said: a text, or an activity.

    Raises:
        WrongOptions: there is nothing to say, or too much, or a file cannot be read.
    """
    if options.activity is not None:
        if options.text is not None or options.card is not None:
            raise WrongOptions("--activity is all there is to say: no text, no --card beside it")
        return {"activity": _json_of(options.activity)}
    text = {} if options.text is None else {"text": options.text}
    if options.card is not None:
        attachment = {"contentType": CARD, "content": _json_of(options.card)}
        return {"activity": {**text, "attachments": [attachment]}}
    if not text:
        raise WrongOptions("say something: a text, --card or --activity")
    return text


def _audience(options: argparse.Namespace) -> Any:
    users = options.to_user or (_lines_of(options.to_file) if options.to_file else [])
    some = [{"user": each} for each in users]
    some += [{"conversation": each} for each in options.to_conversation or []]
    if options.to_file or some:
        if options.at_most is not None:
            raise WrongOptions("--at-most goes with --to-all, --to-topic and --to-channel")
        return some[0] if len(some) == 1 else some
    if options.to_all and options.at_most is None:
        raise WrongOptions("--to-all needs --at-most: how many you expect at most")
    to = {"topic": options.to_topic, "channel": options.to_channel, "all": options.to_all or None}
    to |= {"at_most": options.at_most}
    return {name: value for name, value in to.items() if value is not None}


def _moment(value: str) -> str | float:
    try:
        return float(value)
    except ValueError:
        return value


def _json_of(path: Path) -> Any:
    try:
        return json.loads(text_of(path))
    except (ValueError, RecursionError):
        raise WrongOptions(f"{path}: this is not JSON") from None


def _lines_of(path: Path) -> list[str]:
    lines = [line.strip() for line in text_of(path).splitlines()]
    found = [line for line in lines if line]
    if not found:
        raise WrongOptions(f"{path}: nobody stands in it")
    return found


def text_of(path: Path) -> str:
    """Return what a file holds that an option names.

    Raises:
        WrongOptions: it cannot be read.
    """
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except OSError as error:
        reason = error.strerror or type(error).__name__
    raise WrongOptions(f"cannot read {path}: {reason}")
