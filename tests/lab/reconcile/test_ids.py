"""Request ids that one table has and another has not."""

import pytest

from tests.lab.reconcile.harness import Run, execution, request
from vaultstorm.reconcile import existing, ids


@pytest.mark.parametrize(
    "requested, executed, expected",
    [
        ([], [], []),
        (["a"], [], ["a"]),
        (["a"], ["a"], []),
        ([], ["a"], []),
        (["c", "a", "b"], ["b"], ["a", "c"]),
        (["a", "a", "b"], ["b", "b"], ["a"]),
        ([None, "a"], [None], ["a"]),
    ],
)
def test_only_what_the_other_table_lacks_is_given(
    run: Run, requested: list[str | None], executed: list[str | None], expected: list[str]
) -> None:
    """Each id once, in order; a record without an id is no id."""
    run.front(*[request(id) for id in requested])
    run.worker(*[execution(id) for id in executed])
    run.reconcile()
    with existing(run.directory) as db:
        query = ids.only_in("request", "execution")
        assert [id for (id,) in db.execute(query, {"variant": "v"})] == expected
        assert list(db.execute(query, {"variant": "other"})) == []


def test_two_indexes_are_walked_side_by_side(run: Run) -> None:
    """No search for every id, and nothing is sorted: also as a part of another query."""
    run.reconcile()
    with existing(run.directory) as db:
        for query in (
            ids.only_in("attempt", "execution"),
            f"SELECT attempt.rowid FROM ({ids.only_in('attempt', 'execution')}) AS other"
            " CROSS JOIN attempt ON attempt.id = other.id",
        ):
            plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {query}", {"variant": "v"})]
            assert "MERGE (EXCEPT)" in plan
            assert not any("TEMP B-TREE" in step for step in plan)
