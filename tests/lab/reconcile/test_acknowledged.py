"""What was acknowledged, looked for in the directory of the vault."""

import errno
import hashlib
import shutil
from pathlib import Path

import pytest

from tests.lab.reconcile.harness import Run, attempt, execution, request
from vaultstorm.reconcile import Variant, acknowledged, reconcile
from vaultstorm_server.w3wp.store import Store
from vaultstorm_wire.errors import MachineError
from vaultstorm_wire.journal import Acknowledged

BLOCK, OTHER, MANIFEST = b"a block", b"another", b'{"blocks":[]}'


def sha256(data: bytes) -> str:
    """Hash some bytes."""
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """Give the directory of a store with a block and a snapshot."""
    directory = tmp_path / "vault"
    store = Store(directory, 0)
    store.put(sha256(BLOCK), BLOCK)
    store.commit("one", MANIFEST, [])
    return directory


def states(directory: Path) -> dict[str, str]:
    """Give the states of what was acknowledged, the store's and some that it never had."""
    state = acknowledged.states(directory)
    return {
        "block": state("block", sha256(BLOCK), sha256(BLOCK)),
        "snapshot": state("snapshot", "one", sha256(MANIFEST)),
        "other block": state("block", sha256(OTHER), sha256(OTHER)),
        "other snapshot": state("snapshot", "one", sha256(OTHER)),
    }


def test_what_stands_there(vault: Path) -> None:
    """As it was, not there, and of that name but with other bytes."""
    assert states(vault) == {
        "block": "kept",
        "snapshot": "kept",
        "other block": "lost",
        "other snapshot": "changed",
    }


@pytest.mark.parametrize("data", [b"", BLOCK[:-1], BLOCK + b"x", OTHER])
def test_every_byte_is_read(vault: Path, data: bytes) -> None:
    """One more, one fewer, none, or as many others: it is not what was acknowledged."""
    (vault / "blocks" / sha256(BLOCK)).write_bytes(data)
    assert states(vault)["block"] == "changed"


def test_a_directory_in_its_place(vault: Path) -> None:
    """Something is there, and it is not it."""
    path = vault / "blocks" / sha256(BLOCK)
    path.unlink()
    path.mkdir()
    assert states(vault)["block"] == "changed"


@pytest.mark.parametrize("how", ["never made", "removed", "a file"])
def test_without_its_directory_all_is_lost(vault: Path, how: str) -> None:
    """Whoever took it: what was acknowledged has to be there."""
    shutil.rmtree(vault)
    if how == "removed":
        vault.mkdir()
    elif how == "a file":
        vault.write_bytes(b"")
    assert set(states(vault).values()) == {"lost"}


@pytest.mark.parametrize("kind, name", [("block", "../x"), ("snapshot", "a/b"), ("tree", "one")])
def test_a_name_that_no_vault_can_keep(vault: Path, kind: str, name: str) -> None:
    """It is lost, and nothing outside of the directory is read."""
    assert acknowledged.states(vault)(kind, name, sha256(BLOCK)) == "lost"


class Counted:
    """Counts what is hashed, and may fail at it."""

    def __init__(self, error: int | None = None) -> None:
        self.names: list[str] = []
        self.error = error

    def __call__(self, directory: Path, kind: str, name: str) -> str:
        """Hash nothing."""
        self.names.append(name)
        if self.error:
            raise OSError(self.error, "it failed", name)
        return name


def test_a_block_of_many_snapshots_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it was acknowledged; what is remembered is bounded."""
    counted = Counted()
    monkeypatch.setattr(acknowledged, "sha256_of", counted)
    state = acknowledged.states(Path("x"))
    for name in ("a", "b", "a", "a", "b"):
        assert state("block", name, name) == "kept"
    assert counted.names == ["a", "b"]


def written(run: Run, *records: Acknowledged) -> None:
    """Write down what was acknowledged, with the attempts that it answers."""
    ids = [record.id for record in records]
    run.client(*[attempt("ok", id=id) for id in ids])
    run.write("client", 31, *records)
    run.front(*[request(id) for id in ids])
    run.worker(*[execution(id) for id in ids])


def block(id: str, data: bytes, name: str | None = None) -> Acknowledged:
    """Give the record of a block."""
    name = name or sha256(data)
    return Acknowledged(
        time=10.9, id=id, kind="block", name=name, sha256=sha256(data), bytes=len(data)
    )


def test_each_record_has_its_state(run: Run, vault: Path) -> None:
    """In run.db, and counted in the summary: a block twice is two acknowledgements."""
    manifest = Acknowledged(
        time=11.0, id="c", kind="snapshot", name="one", sha256=sha256(OTHER), bytes=5
    )
    written(run, block("a", BLOCK), block("b", OTHER), manifest, block("d", BLOCK))
    reconcile(run.directory, [Variant("v", vault=vault)])
    assert run.rows("SELECT id, state FROM acknowledged") == [
        ("a", "kept"),
        ("b", "lost"),
        ("c", "changed"),
        ("d", "kept"),
    ]
    assert run.summary()["acknowledged"] == {"blocks": 3, "snapshots": 1, "lost": 1, "changed": 1}


def test_without_a_directory_to_look_in_nobody_knows(run: Run) -> None:
    """The state is not set, and nothing is counted as lost."""
    written(run, block("a", BLOCK))
    run.reconcile()
    assert run.rows("SELECT state FROM acknowledged") == [None]
    assert run.summary()["acknowledged"] == {"blocks": 1, "snapshots": 0, "lost": 0, "changed": 0}


def test_whole_lines_of_a_journal_that_was_cut_off_count(run: Run, vault: Path) -> None:
    """What its client wrote down was acknowledged, whatever became of the client."""
    written(run, block("a", BLOCK), block("b", OTHER))
    run.write("client", 31, cut=b'{"record":"acknowledged","time":')
    reconcile(run.directory, [Variant("v", vault=vault)])
    assert run.rows("SELECT state FROM acknowledged") == ["kept", "lost"]


@pytest.mark.parametrize("number, found", [(errno.EIO, "changed"), (errno.EACCES, "changed")])
def test_what_cannot_be_read_is_not_kept(
    run: Run, vault: Path, monkeypatch: pytest.MonkeyPatch, number: int, found: str
) -> None:
    """A vault that cannot read it cannot give it back."""
    monkeypatch.setattr(acknowledged, "sha256_of", Counted(number))
    written(run, block("a", BLOCK))
    reconcile(run.directory, [Variant("v", vault=vault)])
    assert run.rows("SELECT state FROM acknowledged") == [found]


def test_a_reader_without_descriptors_accuses_nobody(
    run: Run, vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is our own trouble, and is said as such; no run.db is made of it."""
    monkeypatch.setattr(acknowledged, "sha256_of", Counted(errno.EMFILE))
    written(run, block("a", BLOCK))
    with pytest.raises(MachineError, match=r"^cannot read what the vault keeps in .*: it failed$"):
        reconcile(run.directory, [Variant("v", vault=vault)])
    assert not (run.directory / "run.db").exists()
