"""How to tell that a program answers: each check raises an OSError while it does not."""

import contextlib
import http.client
import json
import socket
from http import HTTPStatus
from urllib.parse import urlsplit

from local_dev.programs import ProcessError, Ready

PATIENCE = 30.0  # seconds for one answer


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
    """Ask whether a GET is answered with 200.

    An app that cannot serve with its settings is not waited for: that is a ProcessError.
    """

    def check(_printed: str) -> None:
        status, text = _get(url)
        if status == HTTPStatus.SERVICE_UNAVAILABLE and "misconfigured" in text:
            raise ProcessError("; ".join(json.loads(text)["problems"]))
        if status != HTTPStatus.OK:
            raise ConnectionError(f"{url} answered {status} {text}")

    return check


def _get(url: str) -> tuple[int, str]:
    address = urlsplit(url)
    server = http.client.HTTPConnection(address.netloc, timeout=PATIENCE)
    with contextlib.closing(server):
        server.request("GET", address.path or "/")
        answer = server.getresponse()
        return answer.status, answer.read().decode(errors="replace")
