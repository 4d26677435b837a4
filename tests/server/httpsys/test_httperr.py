"""HTTPERR: lines compared exactly, files, and attempts to write lines of one's own."""

from pathlib import Path

import pytest

from vaultstorm_server.httpsys.httperr import Entry, ErrorLog, header, line
from vaultstorm_server.settings import HttpSys
from vaultstorm_wire.errors import MachineError

NOW = 1060312361.0  # 2003-08-08 03:12:41
PEER, LOCAL = ("10.193.50.9", 3544), ("10.193.50.9", 80)
HEADER = (
    b"#Software: Microsoft HTTP API 1.0\n"
    b"#Version: 1.0\n"
    b"#Date: 2003-08-08 03:12:41\n"
    b"#Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status"
    b" s-siteid s-reason s-queuename\n"
)
START = b"2003-08-08 03:12:41 10.193.50.9 3544 10.193.50.9 80 "


@pytest.mark.parametrize(
    "entry, rest",
    [
        (
            Entry(
                PEER,
                LOCAL,
                "Connection_Abandoned_By_AppPool",
                b"HTTP/1.1",
                b"GET",
                b"/qos/1kbfile.txt",
                None,
                1,
                "DefaultAppPool",
            ),
            b"HTTP/1.1 GET /qos/1kbfile.txt - 1 Connection_Abandoned_By_AppPool DefaultAppPool\n",
        ),
        (Entry(PEER, LOCAL, "Timer_ConnectionIdle"), b"- - - - - Timer_ConnectionIdle -\n"),
        (
            Entry(PEER, LOCAL, "Hostname", b"HTTP/1.1", b"GET", b"/x", 400),
            b"HTTP/1.1 GET /x 400 - Hostname -\n",
        ),
        (Entry(PEER, LOCAL, "V", b"HTTP/10.1", b"GET", b"/"), b"HTTP/?.? GET / - - V -\n"),
        (Entry(PEER, LOCAL, "V", b"HTTP/1.10", b"GET", b"/"), b"HTTP/?.? GET / - - V -\n"),
        (Entry(PEER, LOCAL, "V", b"HTTP/x", b"GET", b"/"), b"- GET / - - V -\n"),
        (
            Entry(PEER, LOCAL, "V", b"", b"G" * 255, b"/" * 4096),
            b"- " + b"G" * 255 + b" " + b"/" * 4096 + b" - - V -\n",
        ),
        (
            Entry(PEER, LOCAL, "V", b"", b"G" * 256, b"/" * 4097),
            b"- " + b"G" * 255 + b" " + b"/" * 4096 + b" - - V -\n",
        ),
        (
            Entry(PEER, LOCAL, "R", b"HTTP/1.1\n#", b"A\r\n#B\0\t C", b"/\x7f\x85\xe2\x80\xa8 x"),
            b"- A++#B+++C /+????+x - - R -\n",
        ),
        (Entry(PEER, LOCAL, "R", queue="My Pool\n2003"), b"- - - - - R My+Pool+2003\n"),
    ],
)
def test_a_line_is_exact_and_one(entry: Entry, rest: bytes) -> None:
    """An entry is thirteen fields on one line, whatever it holds."""
    written = line(entry, NOW)

    assert written == START + rest
    assert written.count(b"\n") == 1
    assert written.count(b" ") == 12


def test_an_ipv6_client_has_its_address() -> None:
    """Addresses are written as they are."""
    written = line(Entry(("::1", 1), ("::1", 443), "R"), NOW)

    assert written.split()[2:6] == [b"::1", b"1", b"::1", b"443"]


def test_a_file_begins_with_the_documented_header(tmp_path: Path) -> None:
    """The header comes with the first line, and once."""
    for expected in (1, 2):
        log = ErrorLog(tmp_path / "deep" / "er", HttpSys())
        assert log.path == tmp_path / "deep" / "er" / "httperr1.log"
        log.append(Entry(PEER, LOCAL, "R"), NOW)
        log.close(NOW)

        content = log.path.read_bytes()
        assert header(NOW) == HEADER
        assert content == HEADER + (START + b"- - - - - R -\n") * expected


def test_the_next_number_begins_when_the_file_is_full(tmp_path: Path) -> None:
    """A file is left once it is larger than ErrorLogFileTruncateSize, and not before."""
    full = tmp_path / "httperr7.log"
    full.write_bytes(b"x" * ((1 << 20) - 100))
    log = ErrorLog(tmp_path, HttpSys())
    assert log.path == full

    log.append(Entry(PEER, LOCAL, "R", url=b"/" * 200), NOW)
    log.flush(NOW)

    assert log.path == tmp_path / "httperr8.log"
    log.append(Entry(PEER, LOCAL, "S"), NOW)
    log.close(NOW)
    assert (tmp_path / "httperr8.log").read_bytes() == HEADER + START + b"- - - - - S -\n"


def test_a_full_file_is_not_opened_again(tmp_path: Path) -> None:
    """A new log goes on behind the last full file."""
    (tmp_path / "httperr2.log").write_bytes(b"x" * ((1 << 20) + 1))
    (tmp_path / "other.log").write_bytes(b"")

    log = ErrorLog(tmp_path, HttpSys())

    assert log.path == tmp_path / "httperr3.log"
    log.close(NOW)


def test_logging_can_be_switched_off(tmp_path: Path) -> None:
    """EnableErrorLogging 0, or no directory, writes nothing."""
    for log in (ErrorLog(tmp_path, HttpSys(EnableErrorLogging=0)), ErrorLog(None, HttpSys())):
        log.append(Entry(PEER, LOCAL, "R"), NOW)
        log.close(NOW)
        assert log.path is None

    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_made_says_the_ways_out(tmp_path: Path) -> None:
    """The error names the settings that help."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(MachineError, match=r"ErrorLoggingDir.*EnableErrorLogging"):
        ErrorLog(tmp_path / "file", HttpSys())
