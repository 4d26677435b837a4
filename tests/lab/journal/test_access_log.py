"""Access logs, line by line, and the log of a real nginx."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.lab.journal.test_servers import ask
from vaultstorm.foreign.values import free_port
from vaultstorm.journal import access_log
from vaultstorm_wire import journal
from vaultstorm_wire.errors import MachineError, UsageError
from vaultstorm_wire.journal import AnyRecord, Execution, Journal

LOCAL = "10/Oct/2000:13:55:36 -0700"
COMBINED = f'10.0.0.1 - - [{LOCAL}] "GET /a?x=1 HTTP/1.1" 200 612 "-" "curl/8"'
MAIN = '$msec $pid "$request_method" $request_uri $status ${request_id}'


def read(path: Path) -> list[AnyRecord]:
    """Read a journal that was made of a log."""
    with path.open("rb") as file:
        return list(journal.read(file))


@pytest.mark.parametrize("id", ['"a-1"', "a-1"])
def test_combined_with_an_id(id: str) -> None:
    """Nginx' or Apache's, the id in quotes or bare."""
    (record,) = access_log.records([f"{COMBINED} {id}\n"])
    assert record == Execution(
        time=971211336.0,
        id="a-1",
        worker=0,
        method="GET",
        target="/a?x=1",
        status=200,
        source="access_log",
    )


@pytest.mark.parametrize("id", ['"-"', "-", '""'])
def test_a_request_without_an_id(id: str) -> None:
    """A log has a dash for it."""
    (record,) = access_log.records([f"{COMBINED} {id}"])
    assert record.id is None


@pytest.mark.parametrize(
    "line, id",
    [
        (COMBINED.replace("- -", "- Jane Doe") + ' "a"', "a"),
        (COMBINED.replace("612", "-") + ' "a"', "a"),
        (COMBINED.replace("curl/8", r"say \"x\" [y]") + ' "a"', "a"),
        (COMBINED.replace("curl/8", r"\x22 \xE9") + ' "a"', "a"),
        (COMBINED + r' "a\x22b"', 'a"b'),
    ],
)
def test_what_may_stand_in_a_line(line: str, id: str) -> None:
    """Names with spaces, no bytes, quotes that are escaped as either server does it."""
    (record,) = access_log.records([line])
    assert (record.id, record.status, record.target) == (id, 200, "/a?x=1")


@pytest.mark.parametrize("request_line", [r"\x16\x03\x01", "", "-", "GET"])
def test_what_was_no_request_is_a_record_all_the_same(request_line: str) -> None:
    """A TLS hello to a plain port is logged with 400."""
    line = COMBINED.replace("GET /a?x=1 HTTP/1.1", request_line).replace(" 200 ", " 400 ")
    (record,) = access_log.records([f'{line} "-"'])
    assert (record.method, record.status) == ("-", 400)


def test_a_format_of_ones_own() -> None:
    """Variables with and without braces; milliseconds and the worker, where the log has them."""
    (record,) = access_log.records(['1700000000.123 77 "PUT" /x 499 abc'], MAIN)
    assert record == Execution(
        time=1700000000.123,
        id="abc",
        worker=77,
        method="PUT",
        target="/x",
        status=499,
        source="access_log",
    )


def test_a_format_in_json() -> None:
    """As nginx writes it with ``escape=json``."""
    form = '{"t":"$time_iso8601","r":"$request","s":$status,"id":"$http_x_request_id"}'
    line = r'{"t":"2026-01-02T03:04:05+01:00","r":"GET /\"x HTTP/1.1","s":204,"id":"a"}'
    (record,) = access_log.records([line], form)
    assert (record.time, record.target, record.status) == (1767319445.0, '/"x', 204)


@pytest.mark.parametrize("lines", [[], ["\n", "", "\r\n"]])
def test_an_empty_log_has_no_records(lines: list[str]) -> None:
    """Empty lines are passed over."""
    assert list(access_log.records(lines)) == []


def test_lines_of_another_format_are_counted_and_shown() -> None:
    """When all have been read: those that fit are given before."""
    found = access_log.records([f"{COMBINED} a\n", "what\n", f"{COMBINED} b\n", "x" * 500 + "\n"])
    assert [next(found).id, next(found).id] == ["a", "b"]
    with pytest.raises(UsageError, match=r"2 of 4 lines .*the first is line 2: what$"):
        next(found)


@pytest.mark.parametrize("line", [COMBINED.replace("200", "2OO"), COMBINED.replace("Oct", "Okt")])
def test_a_field_of_another_kind_makes_a_line_unfit(line: str) -> None:
    """A status that is no number, a month that is none."""
    with pytest.raises(UsageError, match="1 of 1 lines"):
        list(access_log.records([f'{line} "a"']))


@pytest.mark.parametrize(
    "form",
    ["$status $msec", "$msec $http_x_request_id", "$status $http_x_request_id", "", "no variable"],
)
def test_a_format_that_says_too_little(form: str) -> None:
    """Id, status and time have to be in it, and the message says how to have the id."""
    with pytest.raises(UsageError, match=r'append "\$http_x_request_id"'):
        list(access_log.records([], form))


def test_a_log_becomes_a_journal(tmp_path: Path) -> None:
    """Of a worker whose process nobody knows."""
    log = tmp_path / "access.log"
    log.write_text(f"{COMBINED} a\n{COMBINED} b\n")
    assert access_log.convert(log, access_log.DEFAULT, tmp_path) == 2
    path = tmp_path / "worker-log-access.ndjson"
    header, *records = read(path)
    assert isinstance(header, Journal)
    assert (header.role, header.pid) == ("worker", 0)
    assert [record.id for record in records if isinstance(record, Execution)] == ["a", "b"]
    assert path.read_bytes().endswith(b"\n")
    other = tmp_path / "other.ndjson"
    assert access_log.convert(log, access_log.DEFAULT, other) == 2
    assert read(other)[1:] == records


def test_a_log_that_is_cut_off_makes_a_journal_that_is(tmp_path: Path) -> None:
    """Even where the line would fit: its id may go on."""
    log = tmp_path / "access.log"
    log.write_text(f"{COMBINED} a\n{COMBINED} b")
    assert access_log.convert(log, access_log.DEFAULT, tmp_path) == 1
    path = tmp_path / "worker-log-access.ndjson"
    assert len(read(path)) == 2
    assert not path.read_bytes().endswith(b"\n")


def test_a_log_that_does_not_fit_leaves_no_journal(tmp_path: Path) -> None:
    """Half of one would look as if nothing else had been executed."""
    log = tmp_path / "access.log"
    log.write_text(f"{COMBINED} a\nwhat\n")
    with pytest.raises(UsageError):
        access_log.convert(log, access_log.DEFAULT, tmp_path)
    assert list(tmp_path.iterdir()) == [log]
    with pytest.raises(MachineError, match="cannot read the access log"):
        access_log.convert(tmp_path / "none", access_log.DEFAULT, tmp_path)
    with pytest.raises(MachineError, match="cannot read"):
        access_log.convert(log, access_log.DEFAULT, tmp_path / "none")


NGINX = """
daemon off; pid {dir}/nginx.pid; error_log stderr; worker_processes 2;
events {{ worker_connections 64; }}
http {{
    log_format vaultstorm '{form}';
    access_log {dir}/access.log vaultstorm;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
    server {{ listen {address}; location / {{ return 200 "ok"; }} location /no {{ return 404; }} }}
}}
"""


def test_a_real_nginx(tmp_path: Path) -> None:
    """The default format as nginx writes it; every request is in it once the server has ended."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    host, port = "127.0.0.1", free_port()
    form = access_log.DEFAULT
    config = NGINX.format(dir=tmp_path, address=f"{host}:{port}", form=form)
    (tmp_path / "nginx.conf").write_text(config)
    process = subprocess.Popen(
        [nginx, "-p", tmp_path, "-c", tmp_path / "nginx.conf"], stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 30
        while not (tmp_path / "nginx.pid").exists() and time.monotonic() < until:
            time.sleep(0.01)
        assert ask((host, port), "a", "/x%20y?z") == 200
        assert ask((host, port), "b", "/no") == 404
    finally:
        process.terminate()
        assert process.wait(20) == 0
    assert access_log.convert(tmp_path / "access.log", form, tmp_path) == 2
    _, *records = read(tmp_path / "worker-log-access.ndjson")
    told = sorted((r.id, r.target, r.status) for r in records if isinstance(r, Execution))
    assert told == [("a", "/x%20y?z", 200), ("b", "/no", 404)]
