"""What was found: one line each, with what to do about it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How good or bad a finding is; only a problem makes the doctor's exit status 1."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what was looked at, in a word or two.
        state: how it is.
        text: what was found; never a secret.
        remedy: what to do about it.
    """

    subject: str
    state: State
    text: str
    remedy: str = ""

    def line(self) -> str:
        """Return it as one line, whatever servers and other programs have put into it."""
        remedy = f" -> {self.remedy}" if self.remedy else ""
        said = f"{self.state:<8} {self.subject}: {self.text}{remedy}"
        return "".join(each if each.isprintable() else "?" for each in said)


def ok(subject: str, text: str) -> Finding:
    """Return a finding of something that is as it should be."""
    return Finding(subject, State.OK, text)


def note(subject: str, text: str, remedy: str = "") -> Finding:
    """Return a finding that keeps nothing from working."""
    return Finding(subject, State.NOTE, text, remedy)


def problem(subject: str, text: str, remedy: str) -> Finding:
    """Return a finding that does; there is always something to do about it."""
    return Finding(subject, State.PROBLEM, text, remedy)


def are_well(findings: Sequence[Finding]) -> bool:
    """Tell whether none of them is a problem."""
    return all(each.state is not State.PROBLEM for each in findings)


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return all of them for a program that reads JSON."""
    return {"ok": are_well(findings), "findings": [asdict(each) for each in findings]}
