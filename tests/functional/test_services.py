"""`make services`: all that a debugger needs beside the host that it runs itself."""

import sys
from pathlib import Path

from local_dev.ports import free_ports
from local_dev.programs import Program, running
from local_dev.readiness import answering, listening, printing
from local_dev.run import Ports, Stack


def test_everything_runs_but_the_host(tmp_path: Path) -> None:
    ports = Ports(*free_ports(5))
    flags = [f"--{name}-port={port}" for name, port in vars(ports).items()]
    command = [sys.executable, "-m", "local_dev.run", "--without-host", "--data", str(tmp_path)]
    program = Program("services", [*command, *flags], printing("Ctrl-C stops everything"))
    with running(program) as services:
        answering(f"http://localhost:{ports.chat}")("")
        listening(ports.blob, ports.queue, ports.table)("")
        assert ports.functions not in ports.taken().values()
        assert "not started: python -m local_dev.functions_host" in services.printed


def test_a_host_that_a_debugger_runs_already_is_in_nobodys_way(tmp_path: Path) -> None:
    ports = Ports(*free_ports(5))
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(ports.functions)]
    with running(Program("host", command, listening(ports.functions))):
        assert Stack(ports, tmp_path, with_host=False).taken() == {}
        assert Stack(ports, tmp_path).taken() == {"--functions-port": ports.functions}
