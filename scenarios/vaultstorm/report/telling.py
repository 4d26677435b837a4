"""What a time line shows, in sentences: for who does not see it."""

from vaultstorm.report import kernel, lives, ports, words
from vaultstorm.report.data import Variant
from vaultstorm.report.timeline import Timeline


def told(variant: Variant) -> str:
    """Say in sentences what a time line shows, for who does not see it."""
    line = variant.timeline
    if line is None:
        return f"{variant.name} made no attempt."
    arrivals, *outcomes = line.series
    if variant.result.client is not None:
        return _received_told(line)
    ended = ", ".join(f"{series.total:,} {series.name}" for series in outcomes)
    said = [
        f"{words.count(arrivals.total, 'attempt')} in {_seconds(line.span)}, at most "
        f"{arrivals.peak:,} arriving within {words.bins(line.width)}",
        f"They end as {ended}",
    ]
    if line.sides:
        said += map(ports.told, line.sides)
    elif line.held:
        queued, free = max(h.queued for h in line.held), min(h.free for h in line.held)
        said.append(
            f"The accept queue held up to {queued:,}, and had as few as {free:,} slots free"
        )
        interfaces = max(h.interfaces for h in line.held)
        threads = max(h.threads_held for h in line.held)
        if interfaces:
            entries = f"{interfaces:,} entr{'y' if interfaces == 1 else 'ies'}"
            waited = words.count(threads, "ISAPI thread") if threads else "no ISAPI thread"
            said.append(f"The interface table held up to {entries}, and {waited} waited for one")
    said += pauses(line)
    said += [text for text in (kernel.told(line.kernel),) if text]
    said += _workers_told(line)
    return ". ".join(said) + "."


def _received_told(line: Timeline) -> str:
    """Say what a time line shows that begins with what the server received."""
    came, *ends = line.series
    said = [f"{words.count(came.total, 'request')} received in {_seconds(line.span)}"]
    if ends:
        said[0] += ": " + ", ".join(f"{series.total:,} {series.name}" for series in ends)
    return ". ".join([*said, *pauses(line), *_workers_told(line)]) + "."


def pauses(line: Timeline) -> list[str]:
    """Say how long nobody got in; how many tried, nobody counts."""
    if not line.pauses_count:
        return []
    done = {"refuse": "refused", "drop": "dropped"}[line.pauses[0].style]
    seconds = _seconds(sum(pause.until - pause.time for pause in line.pauses))
    count = words.count(line.pauses_count, "pause")
    return [f"SYNs were {done} in {count} of {seconds} together"]


def _workers_told(line: Timeline) -> list[str]:
    """Say how many workers there were, how they ended, and what was lost with them."""
    said = []
    if line.lives:
        died = sum(life.ending == "worker_died" for life in line.lives)
        died_too = f", {died:,} of which died" if died else ""
        many = lives.most_at_once(line.lives)
        at_once = f", at most {many:,} at a time" if 1 < many < len(line.lives) else ""
        said.append(f"{words.count(len(line.lives), 'worker')}{at_once}{died_too}")
    if line.recycles:
        said.append(f"{words.count(len(line.recycles), 'worker')} recycled")
    if line.ends is not None:
        said += _lost_told(line.ends)
    return said


def _lost_told(ends: lives.Ends) -> list[str]:
    """Say what was lost with workers: what they had taken, and what waited for them."""
    lost = f"{words.count(ends.lost + ends.waited, 'request')} lost with a worker"
    if not ends.waited:
        return [f"{lost}{_late(ends)}"]
    if not ends.lost:
        return [f"{lost}, all of which waited for it"]
    return [
        f"{lost}, {ends.waited:,} of which waited for it",
        f"It had taken the other {ends.lost:,}{_late(ends)}",
    ]


def _late(ends: lives.Ends) -> str:
    """Say how the requests that were lost stand to the moment their worker was told to end."""
    if not ends.late:
        return ", none of them after it had been told to shut down"
    which = "all of them" if ends.late == ends.lost else f"{ends.late:,} of them"
    return (
        f": {which} came after it had been told to shut down, "
        f"{_seconds(ends.least)} to {_seconds(ends.most)} after"
    )


def _seconds(seconds: float) -> str:
    return words.milliseconds(seconds * 1000)
