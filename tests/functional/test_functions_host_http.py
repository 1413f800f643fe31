"""The local Functions host's HTTP: what a function sees, and what its caller gets."""

import http.client
import json

import pytest

from tests.functional.functions_host_process import Host, eventually


def test_a_function_sees_the_request_as_it_was_sent(web: Host) -> None:
    body = bytes(range(256))
    status, headers, answer = web.request(
        "POST", "/api/echo?a=1&b=%C3%A9", body, X_One="1", X_Two="a, b"
    )
    assert (status, headers["x-answer"], headers["content-type"]) == (202, "42", "application/json")
    assert json.loads(answer) == {
        "method": "POST",
        "url": f"http://127.0.0.1:{web.port}/api/echo?a=1&b=%C3%A9",
        "headers": {"x-one": "1", "x-two": "a, b"},
        "params": {"a": "1", "b": "é"},
        "body": body.hex(),
    }


def test_a_function_that_raises_is_an_empty_500_and_one_traceback(web: Host) -> None:
    before = web.log().count("RuntimeError: made to fail by GET")
    status, _, answer = web.request("GET", "/api/fail")
    assert (status, answer) == (500, b"")
    eventually(lambda: web.log().count("RuntimeError: made to fail by GET") == before + 1)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/unknown"), ("GET", "/echo"), ("DELETE", "/api/echo"), ("HEAD", "/api/echo")],
    ids=["unknown route", "without the prefix", "wrong method", "HEAD is not GET"],
)
def test_what_no_function_serves_is_404(web: Host, method: str, path: str) -> None:
    assert web.request(method, path)[0] == 404


def test_a_route_parameter_reaches_its_function(web: Host) -> None:
    assert web.request("GET", "/api/items/tea%20pot")[::2] == (200, b"tea pot")
    assert web.request("GET", "/api/items/tea%0Apot")[::2] == (200, b"tea\npot")


def test_a_body_may_be_larger_than_the_usual_limit(web: Host) -> None:
    assert web.request("PUT", "/api/items/count", b"x" * 2_000_000)[2] == b"2000000"


@pytest.mark.parametrize("path", ["/API/Echo", "/api/echo/", "/Api/ECHO/?q=1"])
def test_case_and_a_last_slash_of_a_path_do_not_matter(web: Host, path: str) -> None:
    assert web.request("GET", path)[0] == 202


def test_the_value_of_a_route_keeps_its_case(web: Host) -> None:
    assert web.request("GET", "/API/Items/AbC")[2] == b"AbC"


def test_values_that_come_twice_are_joined(web: Host) -> None:
    _, _, body = web.request("GET", "/api/echo?a=1&a=2&b=3")
    assert json.loads(body)["params"] == {"a": "1,2", "b": "3"}


def test_a_chunked_body_is_lost_as_on_the_real_host(web: Host) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
    connection.request(
        "POST",
        "/api/echo",
        iter([b"hello"]),
        encode_chunked=True,
        headers={"Transfer-Encoding": "chunked"},
    )
    assert json.loads(connection.getresponse().read())["body"] == ""
    connection.close()


def test_headers_may_be_long(web: Host) -> None:
    status, _, body = web.request("GET", "/api/echo", X_Long="x" * 16_000)
    assert status == 202
    assert len(json.loads(body)["headers"]["x-long"]) == 16_000
