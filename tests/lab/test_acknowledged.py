"""What a run says of acknowledged data."""

from pathlib import Path
from typing import Any

import pytest

from vaultstorm.acknowledged import directory, findings, remove, told, whole


def summary(lost: int = 0, changed: int = 0, vault: dict[str, int] | None = None) -> dict[str, Any]:
    """Give a variant's."""
    counts = {"blocks": 1234, "snapshots": 1, "lost": lost, "changed": changed}
    return {"acknowledged": counts, "vault": vault}


def test_where_it_is_kept(tmp_path: Path) -> None:
    """In the variant's directory, unless the scenario names one."""
    assert directory({}, tmp_path) == tmp_path / "vault"
    assert directory({"vault": {"Quota": 1}}, tmp_path) == tmp_path / "vault"
    assert directory({"vault": {"Directory": ""}}, tmp_path) == tmp_path / "vault"
    assert directory({"vault": {"Directory": "/srv/vault"}}, tmp_path) == Path("/srv/vault")


def test_only_the_variants_own_is_removed(tmp_path: Path) -> None:
    """Beside it everything stays; without one there is nothing to do."""
    (tmp_path / "vault" / "blocks").mkdir(parents=True)
    (tmp_path / "journal").mkdir()
    remove(tmp_path)
    remove(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["journal"]


@pytest.mark.parametrize("lost, changed", [(1, 0), (0, 1), (2, 3)])
def test_what_is_not_as_it_was_is_a_finding(lost: int, changed: int) -> None:
    """It says how much, and where to look."""
    found = summary(lost, changed)
    (said,) = findings(found, Path("out/broken/vault"))
    assert said.startswith("acknowledged: 1,234 blocks and 1 snapshot, ")
    assert f"{lost or 'none'} lost, {changed or 'none'} changed; out/broken/vault has" in said
    assert not whole(found)


def test_what_the_agents_read_back_is_a_finding_by_itself() -> None:
    """The disk may be right, and what was given back was not."""
    (said,) = findings(summary(vault={"lost": 0, "corrupt": 2}), Path("x"))
    assert said == "read back by the agents: none of what was acknowledged lost, 2 corrupt"
    assert len(findings(summary(1, vault={"lost": 1, "corrupt": 0}), Path("x"))) == 2


@pytest.mark.parametrize("vault", [None, {"lost": 0, "corrupt": 0}])
def test_data_that_is_as_it_was_is_no_finding(vault: dict[str, int] | None) -> None:
    """With agents and without."""
    assert findings(summary(vault=vault), Path("x")) == []
    assert whole(summary(vault=vault))


def test_all_variants_together() -> None:
    """Added up in one sentence; nothing is said where nothing was acknowledged."""
    said = told([summary(), summary(changed=1)])
    assert said == "acknowledged: 2,468 blocks and 2 snapshots, none lost, 1 changed"
    nothing = {"acknowledged": {"blocks": 0, "snapshots": 0, "lost": 0, "changed": 0}}
    assert told([nothing, nothing]) is None
    assert told([]) is None
