"""What a time line shows, in sentences."""

from pathlib import Path

import pytest

from tests.lab.report.telling import lives_of
from vaultstorm.report import data
from vaultstorm.report.kernel import Queue
from vaultstorm.report.lives import Ends
from vaultstorm.report.telling import told


def read(directory: Path) -> data.Run:
    """Read a run."""
    with data.opened(directory) as source:
        return data.read(source)


def test_told(run: Path) -> None:
    """Who does not see a chart is told what is in it."""
    said = {variant.name: told(variant) for variant in read(run).variants}
    assert "100 attempts" in said["broken"]
    assert "10 ok, 90 tls.reset" in said["broken"]
    assert "held up to 10, and had as few as 0 slots free" in said["broken"]
    assert "12 pauses" in said["linux-drop"]
    assert "2 workers, 1 of which died. 1 worker recycled" in said["fixed-recycle"]


@pytest.mark.parametrize(
    "workers, lost, late, said",
    [
        (1, 0, True, " 1 worker. 1 worker recycled."),
        (3, 2, True, "after it had been told to shut down, 1.00 ms to 2.00 ms after."),
        (3, 1, False, "3 requests lost with a worker, none of them after it had been told to shut"),
        (3, 0, True, "3 workers, at most 2 at a time. 3 workers recycled."),
    ],
)
def test_workers_are_told(tmp_path: Path, workers: int, lost: int, late: bool, said: str) -> None:
    """How many, how many at a time, and how what was lost stands to their ends."""
    (variant,) = read(lives_of(tmp_path, workers, lost, late)).variants
    assert said in told(variant)


LATE = "came after it had been told to shut down, 1.00 ms to 2.00 ms after."


@pytest.mark.parametrize(
    "ends, said",
    [
        (Ends(0, 0, 0, 0, 76), "76 requests lost with a worker, all of which waited for it."),
        (
            Ends(40, 0, 0, 0, 76),
            "116 requests lost with a worker, 76 of which waited for it. It had taken the other "
            "40, none of them after it had been told to shut down.",
        ),
        (
            Ends(3, 2, 0.001, 0.002, 1),
            "4 requests lost with a worker, 1 of which waited for it. It had taken the other "
            f"3: 2 of them {LATE}",
        ),
        (Ends(3, 3, 0.001, 0.002), f"3 requests lost with a worker: all of them {LATE}"),
    ],
    ids=["waited", "waited and taken", "waited and late", "late"],
)
def test_what_was_lost_with_a_worker_is_told(run: Path, ends: Ends, said: str) -> None:
    """What it had taken, and what waited for it: together what the causes count."""
    variant = read(run).variants[0]
    assert variant.timeline is not None
    assert said in told(variant._replace(timeline=variant.timeline._replace(ends=ends)))


@pytest.mark.parametrize(
    "queue, said",
    [
        ([], ""),
        ([Queue(0.0, 0, 10, 0)], ""),
        ([Queue(0.0, 11, 10, 0), Queue(1.0, 0, 10, 0)], "held up to 11, with a backlog of 10."),
        ([Queue(0.0, 1, None, 0)], "held up to 1."),
        ([Queue(0.0, 3, 2, 1)], "with a backlog of 2, and 1 connection found no room."),
    ],
)
def test_the_kernel_s_queue_is_told(run: Path, queue: list[Queue], said: str) -> None:
    """What it held at most; nothing where nobody looked, or nothing was held."""
    variant = read(run).variants[0]
    assert variant.timeline is not None
    line = variant.timeline._replace(kernel=tuple(queue))
    text = told(variant._replace(timeline=line))
    assert said in text
    assert ("kernel" in text) == bool(said)
