"""The vault's methods, without a process around them."""

import errno
import json
import os
from pathlib import Path

import pytest

from tests.server.w3wp.vaults import BASE, Made, code, digest_of, told
from vaultstorm_server.w3wp import durable, page_cache
from vaultstorm_server.w3wp.vault import path_of

BLOCK = b"a block"
NAME = digest_of(BLOCK)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Make a vault."""
    return Made(tmp_path)


def manifest(*blocks: bytes) -> str:
    """Write a manifest."""
    return json.dumps({"blocks": [digest_of(block) for block in blocks]})


def test_a_snapshot_from_the_open_to_the_close(made: Made) -> None:
    """Open, put, commit, read back, verify, close: what was given comes back as it was."""
    interface = made.open()
    assert told(made.put(interface, BLOCK)) == {"block": NAME, "bytes": 7}
    assert made.put(interface, b"").status == 201
    text = manifest(BLOCK, b"", BLOCK)
    answer = made.ask("PUT", f"{interface}/snapshots/monday.1", text)
    assert answer.status == 201
    assert told(answer) == {"snapshot": "monday.1", "blocks": 3, "bytes": len(text)}
    assert made.ask("GET", f"{interface}/snapshots/monday.1").body == text.encode()
    assert made.ask("GET", f"{interface}/blocks/{NAME}").body == BLOCK
    verified = told(made.ask("POST", f"{interface}/snapshots/monday.1/verify"))
    assert verified == {"snapshot": "monday.1", "blocks": 3, "bytes": 7, "damaged": []}
    assert told(made.ask("DELETE", interface))["closed"] is True
    assert code(made.ask("GET", f"{interface}/blocks/{NAME}")) == (404, "unknown_interface")


def test_the_status_tells_what_is_kept_and_who_waits(made: Made) -> None:
    """The status has the sums, the table, and what the process says of itself."""
    made.put(made.open(), BLOCK)
    answer = made.ask("GET", "/status?x=1")
    assert told(answer) == {
        "service": "AeXRSVault",
        "pid": 4711,
        "blocks": 1,
        "bytes": 7,
        "snapshots": 0,
        "interfaces": {"entries": 1, "peak": 1, "max": 1000, "threads_held": 0},
    }


def test_what_is_put_twice_is_known(made: Made) -> None:
    """A block and a snapshot are new once: 201, then 200; upper case hex is the same name."""
    interface = made.open()
    assert [made.put(interface, BLOCK).status for _ in range(2)] == [201, 200]
    upper = made.ask("PUT", f"{interface}/blocks/{NAME.upper()}", BLOCK)
    assert upper.status == 200
    where = f"{interface}/snapshots/s"
    assert [made.ask("PUT", where, manifest(BLOCK)).status for _ in range(2)] == [201, 200]
    assert made.store.statistics() == (1, 7 + len(manifest(BLOCK)), 1)


def test_only_what_changes_the_store_is_said_before(made: Made) -> None:
    """A put and a commit are; reading, opening and what is refused are not."""
    interface = made.open()
    made.ask("PUT", f"{interface}/blocks/{NAME}", b"other")
    made.ask("GET", f"{interface}/blocks/{NAME}")
    made.ask("PUT", f"{interface}/snapshots/s", "{}")
    assert made.kept == 0
    made.put(interface, BLOCK)
    assert made.kept == 1
    made.ask("PUT", f"{interface}/snapshots/s", manifest(BLOCK))
    assert made.kept == 2
    made.ask("GET", f"{interface}/snapshots/s")
    made.ask("POST", f"{interface}/snapshots/s/verify")
    made.ask("DELETE", interface)
    assert made.kept == 2


def test_what_waits_for_the_disk_lets_other_threads_run(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever writes, or reads what may not be in memory; a block that is in memory does not."""
    interface = made.open()
    waits = [made.waits]

    def ask(method: str, path: str, body: bytes | str = b"") -> None:
        assert made.ask(method, interface + path, body).status < 300
        waits.append(made.waits)

    ask("PUT", f"/blocks/{NAME}", BLOCK)
    ask("PUT", "/snapshots/s", manifest(BLOCK))
    ask("GET", "/snapshots/s")
    ask("POST", "/snapshots/s/verify")
    monkeypatch.setattr(page_cache, "read", lambda path: Path(path).read_bytes())
    ask("GET", f"/blocks/{NAME}")
    monkeypatch.setattr(page_cache, "read", lambda path: None)
    ask("GET", f"/blocks/{NAME}")
    assert waits == [0, 1, 2, 3, 5, 5, 6]


def test_head_is_get_without_the_body(made: Made) -> None:
    """The length is said, for blocks, snapshots and the status."""
    interface = made.open()
    made.put(interface, BLOCK)
    made.ask("PUT", f"{interface}/snapshots/s", manifest(BLOCK))
    for path in (f"{interface}/blocks/{NAME}", f"{interface}/snapshots/s", "/status"):
        whole, head = made.ask("GET", path), made.ask("HEAD", path)
        assert (head.status, head.body) == (200, b"")
        assert (b"Content-Length", b"%d" % len(whole.body)) in head.headers


@pytest.mark.parametrize("length, status", [(9, 201), (10, 201), (11, 413)])
def test_the_longest_block(tmp_path: Path, length: int, status: int) -> None:
    """MaxBlockSize bytes fit, and one more does not."""
    made = Made(tmp_path, MaxBlockSize=10)
    answer = made.put(made.open(), b"x" * length)
    assert answer.status == status
    if status == 413:
        assert code(answer) == (413, "too_large")


@pytest.mark.parametrize("length, status", [(9, 201), (10, 201), (11, 507)])
def test_the_quota(tmp_path: Path, length: int, status: int) -> None:
    """As many bytes as the quota are kept; beyond it comes 507, and nothing is kept."""
    made = Made(tmp_path, Quota=10)
    interface = made.open()
    answer = made.put(interface, b"x" * length)
    assert answer.status == status
    if status == 507:
        assert code(answer) == (507, "full")
        assert told(answer)["error"].endswith("more than the quota of 10: raise vault.Quota")
        assert made.store.statistics().blocks == 0


def test_a_snapshot_beyond_the_quota_is_not_kept(tmp_path: Path) -> None:
    """507; the interface stays open."""
    made = Made(tmp_path, Quota=20)
    interface = made.open()
    answer = made.ask("PUT", f"{interface}/snapshots/s", manifest(BLOCK[:0]))
    assert code(answer) == (409, "missing_blocks")
    assert made.put(interface, b"").status == 201
    answer = made.ask("PUT", f"{interface}/snapshots/s", manifest(BLOCK[:0]))
    assert code(answer) == (507, "full")
    assert made.ask("GET", f"{interface}/snapshots/s").status == 404


def test_a_full_disk_is_not_blamed_on_the_quota(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """507 says where there has to be room."""

    def full(path: str, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    monkeypatch.setattr(durable, "write", full)
    answer = made.put(made.open(), BLOCK)
    assert code(answer) == (507, "full")
    assert told(answer)["error"] == (
        "no room for 7 bytes: No space left on device: make room on the disk of vault.Directory"
    )


@pytest.mark.parametrize(
    "method, path, body, expected",
    [
        ("PUT", "/blocks/" + "0" * 64, b"x", (400, "wrong_digest")),
        ("PUT", "/blocks/" + "0" * 63, b"x", (400, "bad_name")),
        ("PUT", "/blocks/" + "g" * 64, b"x", (400, "bad_name")),
        ("GET", "/blocks/" + "0" * 64, b"", (404, "unknown_block")),
        ("POST", "/blocks/" + "0" * 64, b"", (405, "not_allowed")),
        ("GET", "/snapshots/none", b"", (404, "unknown_snapshot")),
        ("POST", "/snapshots/none/verify", b"", (404, "unknown_snapshot")),
        ("GET", "/snapshots/none/verify", b"", (405, "not_allowed")),
        ("PUT", "/snapshots/..%2f..%2fetc", b"{}", (400, "bad_name")),
        ("PUT", "/snapshots/.hidden", b"{}", (400, "bad_name")),
        ("PUT", "/snapshots/" + "a" * 129, b"{}", (400, "bad_name")),
        ("PUT", "/snapshots/", b"{}", (400, "bad_name")),
        ("PUT", "/snapshots/s\0", b"{}", (400, "bad_name")),
        ("PUT", "/snapshots/..", b"{}", (400, "bad_name")),
        ("PUT", "/snapshots/../../x", b"{}", (400, "bad_name")),
        ("PUT", "/snapshots/s", b"", (400, "malformed_manifest")),
        ("PUT", "/snapshots/s", b"{}", (400, "malformed_manifest")),
        ("PUT", "/snapshots/s", b'{"blocks":[1]}', (400, "malformed_manifest")),
        ("PUT", "/snapshots/s", b'{"blocks":["x"]}', (400, "malformed_manifest")),
        ("PUT", "/snapshots/s", b'{"blocks":[],"x":1}', (400, "malformed_manifest")),
        ("PUT", "/snapshots/s", b"\xff", (400, "malformed_manifest")),
        pytest.param(
            *("PUT", "/snapshots/s", b"[" * 100_000, (400, "malformed_manifest")), id="deep"
        ),
        ("GET", "/elsewhere/s", b"", (404, "nothing_there")),
        ("GET", "", b"", (405, "not_allowed")),
    ],
)
def test_what_is_wrong_is_said(
    made: Made, method: str, path: str, body: bytes, expected: tuple[int, str]
) -> None:
    """Each wrong call has its status and its code, and leaves the interface as it was."""
    interface = made.open()
    assert code(made.ask(method, interface + path, body)) == expected
    assert made.put(interface, BLOCK).status == 201


@pytest.mark.parametrize("path", ["/", "", "/interfaces/a/blocks", "/interfaces/a/b/c/d", "/x"])
def test_a_path_where_nothing_is(made: Made, path: str) -> None:
    """404 says what there is."""
    assert code(made.ask("GET", path)) == (404, "nothing_there")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_interfaces_are_opened_by_post_alone(made: Made, method: str) -> None:
    """405 names the method that does it."""
    answer = made.ask(method, "/interfaces")
    assert code(answer) == (405, "not_allowed")
    assert (b"Allow", b"POST") in answer.headers


def test_a_manifest_with_missing_blocks_names_them(made: Made) -> None:
    """409 lists them all, each once, says how many there are, and keeps no snapshot."""
    interface = made.open()
    made.put(interface, BLOCK)
    missing = [b"%d" % number for number in range(12)]
    answer = made.ask("PUT", f"{interface}/snapshots/s", manifest(BLOCK, *missing, *missing))
    assert code(answer) == (409, "missing_blocks")
    assert told(answer)["missing"] == [digest_of(block) for block in missing]
    assert "12 of the blocks" in told(answer)["error"]
    assert made.ask("GET", f"{interface}/snapshots/s").status == 404


def test_another_snapshot_does_not_replace_one(made: Made) -> None:
    """409, and the first stays."""
    interface = made.open()
    made.put(interface, BLOCK)
    made.ask("PUT", f"{interface}/snapshots/s", manifest(BLOCK))
    answer = made.ask("PUT", f"{interface}/snapshots/s", manifest())
    assert code(answer) == (409, "other_snapshot")
    assert made.ask("GET", f"{interface}/snapshots/s").body == manifest(BLOCK).encode()


def test_a_damaged_block_is_never_served(made: Made, tmp_path: Path) -> None:
    """Other bytes on the disk are a 500, and a verify lists them, with those that are gone."""
    interface = made.open()
    for block in (BLOCK, b"gone", b"whole"):
        made.put(interface, block)
    made.ask("PUT", f"{interface}/snapshots/s", manifest(BLOCK, b"gone", b"whole"))
    (tmp_path / "blocks" / NAME).write_bytes(b"A block")
    (tmp_path / "blocks" / digest_of(b"gone")).unlink()
    assert code(made.ask("GET", f"{interface}/blocks/{NAME}")) == (500, "damaged")
    verified = told(made.ask("POST", f"{interface}/snapshots/s/verify"))
    assert verified["damaged"] == [NAME, digest_of(b"gone")]
    assert verified["bytes"] == 5


@pytest.mark.parametrize("there", [b"", b'{"blocks":'])
def test_a_damaged_manifest_is_never_served(made: Made, tmp_path: Path, there: bytes) -> None:
    """What is no manifest any more is a 500 for whoever reads or verifies it."""
    interface = made.open()
    made.ask("PUT", f"{interface}/snapshots/s", manifest())
    (tmp_path / "snapshots" / "s").write_bytes(there)
    assert code(made.ask("GET", f"{interface}/snapshots/s")) == (500, "damaged")
    assert code(made.ask("POST", f"{interface}/snapshots/s/verify")) == (500, "damaged")


def test_a_disk_that_fails_is_an_answer_too(made: Made, tmp_path: Path) -> None:
    """500 with what the disk says; the interface stays open for when it has been mended."""
    interface = made.open()
    (tmp_path / "blocks").rename(tmp_path / "elsewhere")
    answer = made.put(interface, BLOCK)
    assert code(answer) == (500, "disk")
    assert "No such file" in told(answer)["error"]
    (tmp_path / "elsewhere").rename(tmp_path / "blocks")
    assert made.put(interface, BLOCK).status == 201


def test_a_bug_of_ours_is_an_answer_too(
    made: Made, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """500 and a traceback on stderr, and no thread less; the interface is closed."""
    interface = made.open()
    monkeypatch.setattr(made.store, "put", lambda name, block: 1 / 0)
    assert code(made.put(interface, BLOCK)) == (500, "exception")
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert code(made.put(interface, BLOCK)) == (404, "unknown_interface")


def test_the_absolute_form_of_a_target_is_taken(made: Made) -> None:
    """RFC 9112, 3.2.2."""
    assert path_of("http://host/AeXRSVault/status?x") == f"{BASE}/status"
    assert path_of("/AeXRSVault/status?a=http://x/y") == f"{BASE}/status"
    assert made.vault.handle("GET", f"http://h{BASE}/status", b"").status == 200


def test_a_disk_of_a_set_rate_takes_its_time_touching_the_entry(tmp_path: Path) -> None:
    """A block of three chunks is three touches and one at the end; none takes no sleep."""
    made = Made(tmp_path, DiskRate=1 << 30)
    touches: list[str] = []
    touch = made.calls.touch
    made.calls.touch = lambda entry: (touches.append(entry.name), touch(entry))[1]  # type: ignore[method-assign,func-returns-value]
    interface = made.open()
    for size, expected in ((0, 1), (1, 2), (32 << 10, 2), ((32 << 10) + 1, 3)):
        touches.clear()
        made.put(interface, b"x" * size)
        assert len(touches) == expected
