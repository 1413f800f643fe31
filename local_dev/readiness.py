"""How to tell that a program answers: each check raises an OSError while it does not."""

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import count
from urllib.parse import urlsplit

from local_dev.programs import ProcessError, Ready

PATIENCE = 30.0  # seconds for one answer
UNWELL_AT_MOST = 4  # answers, as the others answered already when the app was started
BETWEEN = 2.0  # seconds; the app looks no more often


def listening(*ports: int) -> Ready:
    """Ask whether something listens on all these ports of loopback."""

    def check(_printed: str) -> None:
        for port in ports:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()

    return check


def printing(text: str) -> Ready:
    """Ask whether a text was printed."""

    def check(printed: str) -> None:
        if text not in printed:
            raise ConnectionError(f"{text!r} is not among what it printed: {printed}")

    return check


def answering(url: str) -> Ready:
    """Ask whether a GET is answered with 200."""

    def check(_printed: str) -> None:
        status, text = _get(url)
        if status != HTTPStatus.OK:
            raise ConnectionError(f"{url} answered {status} {text}")

    return check


def healthy(url: str, settings: Mapping[str, str], *, pause: float = BETWEEN) -> Ready:
    """Ask whether the app says that it is well.

    One that cannot serve with its settings is not waited for, nor one that says again and again
    that it does not reach what it needs: that is a ProcessError.

    Args:
        url: of the health function.
        settings: by the name of a check, the setting that says where that is.
        pause: seconds until it is asked again, once it says that it is not well.
    """
    asked = count(1)

    def check(_printed: str) -> None:
        status, text = _get(url)
        if status == HTTPStatus.OK:
            return
        report = json.loads(text) if text.startswith("{") else {}
        if "problems" in report:
            raise ProcessError("; ".join(report["problems"]))
        if "checks" in report:
            if next(asked) == UNWELL_AT_MOST:
                raise ProcessError("; ".join(_unreachable(report["checks"], settings)))
            time.sleep(pause)
        raise ConnectionError(f"{url} answered {status} {text}")

    return check


def _unreachable(checks: Mapping[str, str], settings: Mapping[str, str]) -> Iterator[str]:
    for name, outcome in checks.items():
        if outcome != "reachable":
            yield f"{name} is {outcome}; is {settings[name]} right?"


def _get(url: str) -> tuple[int, str]:
    address = urlsplit(url)
    server = http.client.HTTPConnection(address.netloc, timeout=PATIENCE)
    with contextlib.closing(server):
        server.request("GET", address.path or "/")
        answer = server.getresponse()
        return answer.status, answer.read().decode(errors="replace")
