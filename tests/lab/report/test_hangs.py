"""The pool that hung under a request, in the story of its attempt."""

from pathlib import Path

from tests.lab.report import making, vaulting
from vaultstorm.report import data, stories


def tell(directory: Path, *rows: tuple[str, making.Row]) -> stories.Story:
    """Tell the one attempt that failed."""
    made = making.Made("one", "One", lambda _, __: iter(rows))
    with data.opened(making.make(directory, [made])) as source:
        (story,) = stories.tell(source.db)
    return story


STEPS = ("reentrance", "wrong_release", "clean_up_died", "table_full", "pool_hung")


def test_a_request_that_the_worker_had(tmp_path: Path) -> None:
    """When its clean-up died, its table was full, and its threads were held."""
    story = tell(tmp_path, *vaulting.lost(1, 7.46, 3.0), *vaulting.chain(*STEPS))
    assert story.heading == (
        "Attempt …-1-0 timed out with the whole request sent and not one byte of the answer back, "
        "3.00 s after request 4 on its connection began: the worker process had no free interface "
        "entry, and calls that waited for one held its ISAPI threads (pool_hung). Worker 15715 had "
        "it: its DoCleanUp died 6.00 s before the request came, its interface table was full "
        "1.15 s before and all its ISAPI threads were held 1.97 s after. It was never executed."
    )
    server = [(round(step.time, 2), step.text) for step in story.steps if step.side == "server"]
    assert server == [
        (
            -7.38,
            "worker 15715 has a second method inside an interface entry "
            "(2 methods are inside 3d63-6)",
        ),
        (
            -6.25,
            "worker 15715 releases an entry with a method inside it (3d63-4, with 1 method inside)",
        ),
        (
            -6.0,
            "worker 15715 has no DoCleanUp any more (3d63-4: no entry is released any more)",
        ),
        (
            -1.15,
            "worker 15715 has a full interface table "
            "(all 64 entries are taken: 3d63-82 waits for one)",
        ),
        (0.0, "request received: POST /AeXRSVault/interfaces"),
        (0.0, "given to worker 15715; HTTPERR logs Connection_Dropped"),
        (1.97, "worker 15715 hangs (all 16 ISAPI threads wait for an entry)"),
    ]


def test_a_request_that_waited(tmp_path: Path) -> None:
    """No worker had it: it stood in the pool's queue in front of the one that hung."""
    story = tell(tmp_path, *vaulting.lost(1, 9.5, 3.0, False), *vaulting.chain("table_full"))
    assert (
        "It waited for worker 15715: its interface table was full 3.19 s before the request came."
    ) in story.heading


def test_only_what_had_happened_by_then(tmp_path: Path) -> None:
    """The pool hung after the client had gone: that was not why."""
    story = tell(tmp_path, *vaulting.lost(1, 6.0, 1.0), *vaulting.chain(*STEPS[2:]))
    assert "its interface table was full 307 ms after." in story.heading
    assert "ISAPI threads were held " not in story.heading
    assert not [step for step in story.steps if "hangs" in step.text]


def test_other_failures_have_no_hang(tmp_path: Path) -> None:
    """Beside a pool that hangs, too."""
    rows = vaulting.lost(1, 7.46, 3.0, cause="server_busy")
    assert "Worker 15715" not in tell(tmp_path, *rows, *vaulting.chain(*STEPS)).heading


def test_a_cause_without_its_records(tmp_path: Path) -> None:
    """The story is told without the worker."""
    story = tell(tmp_path, *vaulting.lost(1, 7.46, 3.0))
    assert story.heading.endswith("(pool_hung). It was never executed.")
