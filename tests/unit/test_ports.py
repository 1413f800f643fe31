"""Where servers of tests and benchmarks listen."""

import socket

from local_dev.ports import FIRST, LAST, free_ports


def test_free_ports_can_be_listened_on_side_by_side() -> None:
    servers = [socket.create_server(("127.0.0.1", port)) for port in free_ports(5)]
    for server in servers:
        assert FIRST <= server.getsockname()[1] <= LAST
        server.close()
