from collections.abc import Callable

import pytest

from bench.peers import read_hey, read_k6, read_locust, read_wrk, version_in

Read = Callable[[str], tuple[float, int]]

WRK = """Running 2s test @ http://127.0.0.1:8080/
  1 threads and 50 connections
  188672 requests in 2.00s, 42.11MB read
Requests/sec:  94336.25
Transfer/sec:     21.05MB
"""
HEY = """
Summary:
  Total:	2.0012 secs
  Requests/sec:	29697.1234

Status code distribution:
  [200]	59430 responses
"""
K6 = """
    HTTP
    http_req_duration..............: avg=3.6ms   min=90µs med=3.1ms max=31ms
    http_req_failed................: 0.00%  0 out of 24689
    http_reqs......................: 24689  12344.071512/s
"""
LOCUST = """[2026-11-23 04:15:00,000] host/WARNING/locust: something
[
    {
        "name": "/",
        "last_request_timestamp": 103.0,
        "start_time": 101.0,
        "num_requests": 14738,
        "num_failures": 0
    }
]
"""


@pytest.mark.parametrize(
    ("read", "text", "per_s", "count"),
    [
        (read_wrk, WRK, 94_336.25, 188_672),
        (read_hey, HEY, 29_697.1234, 59_430),
        (read_k6, K6, 12_344.071512, 24_689),
        (read_locust, LOCUST, 7_369.0, 14_738),
        (read_locust, LOCUST + "Traceback of a worker\n", 7_369.0, 14_738),
    ],
)
def test_what_a_peer_prints_is_read(read: Read, text: str, per_s: float, count: int) -> None:
    assert read(text) == (per_s, count)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_wrk, WRK + "  Non-2xx or 3xx responses: 3\n"),
        (read_wrk, WRK + "  Socket errors: connect 0, read 3, write 0, timeout 0\n"),
        (read_wrk, "unable to connect to 127.0.0.1:8080"),
        (read_hey, HEY + "Error distribution:\n  [3]	Post: connection refused\n"),
        (read_k6, K6.replace("0.00%", "0.01%")),
        (read_locust, LOCUST.replace('"num_failures": 0', '"num_failures": 3')),
    ],
)
def test_errors_that_a_peer_met_are_no_figures(read: Read, text: str) -> None:
    with pytest.raises(RuntimeError):
        read(text)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012 Will Glozer\nUsage: …\n", "4.1.0-3+b2"),
        ("k6 v1.1.0 (commit/0e3fb953be, go1.24.4, linux/amd64)\n", "1.1.0"),
        ("locust 2.47.0 from /somewhere/python3.11/site-packages/locust (Python 3.11.7)\n", "2.47.0"),
        ("Usage: hey [options...] <url>\n\n  -t 1.5", None),
        ("", None),
    ],
)
def test_the_version_and_no_path_is_kept(text: str, version: str | None) -> None:
    assert version_in(text) == version
