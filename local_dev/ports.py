"""Ports for servers that tests and benchmarks start."""

import random
import socket

# Below those that the system gives to outgoing connections, any of which may take a port between
# the moment it is found free and the moment its server listens.
FIRST, LAST = 20_000, 32_000


def free_ports(count: int) -> list[int]:
    """Return so many different ports of loopback on which nobody listens now."""
    found: set[int] = set()
    while len(found) < count:
        port = random.randint(FIRST, LAST)  # noqa: S311 - no secret
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:  # somebody does
            continue
        found.add(port)
    return sorted(found)
