"""The local Functions host's start and end: what stops it, what it says, how it stops."""

import signal

import pytest

from tests.functional.functions_host_process import Host, eventually


def test_start_up_says_what_is_served_and_by_which_loader(host: Host) -> None:
    host.start("--loader", "converters", **{"AzureWebJobs.fail.Disabled": "True"})
    log = host.log()
    assert f"echo: [GET,POST] http://localhost:{host.port}/api/echo" in log
    assert f"work: queueTrigger {host.queue_name}" in log
    assert "loaded by azure-functions" in log
    assert "fail: disabled by AzureWebJobs.fail.Disabled" in log
    assert host.request("GET", "/api/fail")[0] == 404


@pytest.mark.parametrize("loader", ["auto", "converters"])
def test_a_parameter_without_its_binding_stops_the_start(host: Host, loader: str) -> None:
    source = host.app_dir / "function_app.py"
    source.write_text(
        source.read_text().replace("slow(req:", "slow(request:").replace("req.params", "{}")
    )
    host.launch("--loader", loader)
    assert host.exit_code() == 1
    assert "cannot load the slow function" in host.log()
    assert "Traceback" in host.log()


def test_converters_refuse_a_function_that_is_not_async(host: Host) -> None:
    source = host.app_dir / "function_app.py"
    source.write_text(source.read_text().replace("async def fail(", "def fail("))
    host.launch("--loader", "converters")
    assert host.exit_code() == 1
    expected = "cannot load the fail function: it must be async def fail(req: func.HttpRequest)"
    assert expected in host.log()


def test_a_binding_that_is_not_served_stops_the_start(host: Host) -> None:
    with (host.app_dir / "function_app.py").open("a") as source:
        source.write('@app.blob_trigger("blob", "b", "WorkStorage")\n')
        source.write("async def read(blob: func.InputStream) -> None: ...\n")
    host.launch()
    assert host.exit_code() == 1
    assert "read: this host has no blobTrigger bindings; use func" in host.log()


def test_a_missing_connection_stops_the_start(host: Host) -> None:
    del host.values["WorkStorage"]
    host.launch()
    assert host.exit_code() == 1
    assert "the app setting WorkStorage is not set" in host.log()
    assert "Traceback" not in host.log()


@pytest.mark.parametrize("loader", ["auto", "converters"])
@pytest.mark.parametrize(
    ("mistake", "error"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("from json import pizza", "ImportError: cannot import name 'pizza' from 'json'"),
        ("say((1)", "SyntaxError: '(' was never closed"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_mistake_in_the_app_stops_the_start_with_its_own_lines_only(
    host: Host, mistake: str, error: str, loader: str
) -> None:
    (host.app_dir / "function_app.py").write_text("import bot\n")
    (host.app_dir / "bot.py").write_text(f"{mistake}\n")
    host.launch("--loader", loader)
    assert host.exit_code() == 1
    said = host.log()
    assert f"the app cannot be loaded: {error.partition(': ')[2]}" in said
    assert said.count("Traceback") == 1
    assert said.splitlines()[-1].startswith(error)
    assert said.count('  File "') == said.count(f'  File "{host.app_dir}') == 2


def test_settings_that_count_as_encrypted_stop_the_start(host: Host) -> None:
    host.settings = {}
    host.launch()
    assert host.exit_code() == 1
    assert "local.settings.json: IsEncrypted must be false" in host.log()
    assert "Traceback" not in host.log()


def test_a_taken_port_stops_the_start(host: Host, web: Host) -> None:
    host.port = web.port
    host.launch()
    assert host.exit_code() == 1
    assert f"cannot listen on port {web.port}" in host.log()
    assert "Traceback" not in host.log()


def test_the_environment_wins_over_local_settings(host: Host) -> None:
    host.values["AzureWebJobs.echo.Disabled"] = "true"
    host.start(**{"AzureWebJobs.echo.Disabled": "false"})
    assert host.request("GET", "/api/echo")[0] == 202


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_what_is_under_way_finish(host: Host, number: signal.Signals) -> None:
    host.start()
    message_id = host.put({"sleep": 0.5})
    connection = host.begin_request("GET", "/api/slow?seconds=0.5")
    eventually(lambda: host.started() and "slow begins" in host.log())
    host.send_signal(number)
    assert connection.getresponse().read() == b"done"
    connection.close()
    assert host.exit_code() == 0
    assert [record["done"] for record in host.done()] == [message_id]
    assert host.left() == 0


def test_a_second_signal_ends_at_once(host: Host) -> None:
    host.start()
    host.put({"sleep": 60})
    eventually(host.started)
    host.send_signal(signal.SIGTERM)
    eventually(lambda: "stopping" in host.log())
    host.send_signal(signal.SIGTERM)
    assert host.exit_code() == -signal.SIGTERM
