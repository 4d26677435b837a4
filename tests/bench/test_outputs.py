"""Reading what the load tools print: samples of real runs."""

import json

import pytest

from bench import outputs
from bench.children import BenchError
from bench.outputs import Run

WRK = """\
Running 1s test @ https://127.0.0.1:32767/
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.25ms    0.89ms   9.76ms   90.21%
    Req/Sec     1.15k    40.46     1.20k    60.00%
  1165 requests in 1.02s, 182.03KB read
Requests/sec:   1144.81
Transfer/sec:    178.88KB
"""

WRK_ERRORS = """\
Running 1s test @ http://127.0.0.1:43553/
  1 threads and 4 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   144.51us   52.21us 679.00us   83.90%
    Req/Sec    11.28k   227.15    11.52k    81.82%
  12325 requests in 1.10s, 481.45KB read
  Socket errors: connect 0, read 6162, write 0, timeout 0
  Non-2xx or 3xx responses: 6163
Requests/sec:  11171.50
Transfer/sec:    436.39KB
"""

AB = """\
Concurrency Level:      16
Time taken for tests:   0.173 seconds
Complete requests:      200
Failed requests:        0
Total transferred:      32000 bytes
HTML transferred:       3400 bytes
Requests per second:    1153.80 [#/sec] (mean)
"""

AB_ERRORS = """\
Concurrency Level:      4
Time taken for tests:   0.002 seconds
Complete requests:      30
Failed requests:        10
   (Connect: 0, Receive: 0, Length: 10, Exceptions: 0)
Non-2xx responses:      10
Total transferred:      800 bytes
"""

HEY = """

Summary:
  Total:\t0.1150 secs
  Slowest:\t0.0191 secs
  Fastest:\t0.0019 secs
  Average:\t0.0089 secs
  Requests/sec:\t1668.9116
  
  Total data:\t3264 bytes
  Size/request:\t17 bytes

Response time histogram:
  0.002 [1]\t|■
  0.005 [9]\t|■■■■■■

Status code distribution:
  [200]\t192 responses



"""  # noqa: W293 - hey prints that space

HEY_ERRORS = """

Summary:
  Total:\t0.0065 secs
  Requests/sec:\t4620.2551

Response time histogram:
  0.000 [1]\t|■■■■
  0.002 [9]\t|■■■■■■

Status code distribution:
  [200]\t10 responses
  [503]\t10 responses

Error distribution:
  [7]\tGet "http://127.0.0.1:43553/": EOF
  [3]\tGet "http://127.0.0.1:43553/": dial tcp 127.0.0.1:43553: connect: connection refused

"""

H2LOAD = """\
starting benchmark...
spawning thread #0: 16 total client(s). 200 total requests
TLS Protocol: TLSv1.3
progress: 100% done

finished in 218.59ms, 914.95 req/s, 0B/s
requests: 200 total, 200 started, 200 done, 200 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 200 2xx, 0 3xx, 0 4xx, 0 5xx
"""

H2LOAD_ERRORS = """\
finished in 10.37ms, 771.31 req/s, 0B/s
requests: 30 total, 12 started, 8 done, 4 succeeded, 26 failed, 22 errored, 0 timeout
status codes: 4 2xx, 0 3xx, 0 4xx, 4 5xx
"""

OURS = json.dumps(
    {
        "schema": 1,
        "attempts": 100,
        "ok": 90,
        "lost": 8,
        "outcomes": {"ok": 90, "connect.reset": 8, "http.503": 2},
        "duration_s": 0.5,
        "burst": {"connects": 100, "syn_spread_ms": 2.5},
    }
)


@pytest.mark.parametrize(
    "tool, output, expected",
    [
        ("wrk", WRK, Run(1165, 0, 1.02)),
        ("wrk", WRK_ERRORS, Run(12325 - 6163, 6162 + 6163, 1.10)),
        ("wrk", WRK.replace("1.02s", "1.50m"), Run(1165, 0, 90.0)),
        ("ab", AB, Run(200, 0, 0.173)),
        ("ab", AB_ERRORS, Run(10, 20, 0.002)),
        ("hey", HEY, Run(192, 0, 0.115)),
        ("hey", HEY_ERRORS, Run(10, 20, 0.0065)),
        ("h2load", H2LOAD, Run(200, 0, pytest.approx(0.21859))),  # type: ignore[arg-type]
        ("h2load", H2LOAD_ERRORS, Run(4, 26, pytest.approx(0.01037))),  # type: ignore[arg-type]
        ("vaultstorm", OURS, Run(90, 10, 0.5)),
    ],
)
def test_completed_failed_and_time_are_read(tool: str, output: str, expected: Run) -> None:
    """Read the three numbers from a clean run of each tool and from one with errors."""
    assert outputs.READERS[tool](output) == expected


@pytest.mark.parametrize("tool", list(outputs.READERS))
@pytest.mark.parametrize("output", ["", "unable to connect to 127.0.0.1:1 Connection refused\n"])
def test_anything_else_is_an_error_of_the_bench(tool: str, output: str) -> None:
    """Refuse output without the numbers: a tool that failed must not count as zero."""
    with pytest.raises(
        BenchError, match="bare loop" if outputs.READERS[tool] is outputs.loop else tool
    ):
        outputs.READERS[tool](output)


def test_our_attempts_must_add_up() -> None:
    """Refuse a summary in which an attempt has no outcome."""
    with pytest.raises(BenchError, match="not the sum"):
        outputs.vaultstorm(OURS.replace('"http.503": 2', '"http.503": 1'))


def test_json_that_is_no_summary_is_refused() -> None:
    """Refuse JSON of another kind."""
    with pytest.raises(BenchError, match="no summary"):
        outputs.vaultstorm("[]")


@pytest.mark.parametrize("run, expected", [(Run(10, 0, 2.0), 5.0), (Run(10, 0, 0.0), 0.0)])
def test_the_rate_is_of_completed_requests(run: Run, expected: float) -> None:
    """Divide by the time, and give 0 where a tool says that it took none."""
    assert run.per_second == expected


def test_locust_is_read_from_its_first_request_to_its_last() -> None:
    """Add up all names; what failed is among its requests. Without a request there is no result."""
    entry = {"start_time": 10.0, "last_request_timestamp": 14.0}
    one, other = {"num_requests": 900, "num_failures": 3}, {"num_requests": 100, "num_failures": 0}
    got = outputs.locust(json.dumps([{**entry, **one}, {**entry, **other, "start_time": 12.0}]))

    assert got == Run(997, 3, 4.0)
    for empty in ("[]", "", '[{"name": "/"}]'):
        with pytest.raises(BenchError, match="locust printed no JSON"):
            outputs.locust(empty)


def test_a_bare_loop_is_read_as_it_says() -> None:
    """Take over its three figures."""
    assert outputs.loop('{"completed": 9, "failed": 1, "seconds": 0.5}') == Run(9, 1, 0.5)
