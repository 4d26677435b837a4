"""`make demo`: the scenarios of our own server, every variant: broken, worked around, fixed."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from vaultstorm import library, runner, terminal
from vaultstorm.scenario import load

OUT: Final = Path("demo-out")


def main(out: Path = OUT, names: Sequence[str] = ()) -> int:
    """Run the library into `out`, say what came of it, and give the exit code.

    Args:
        out: a scenario's folder in it is the demonstration's own, and replaced each time.
        names: of the scenarios; empty for those of our own server.
    """
    for name in names or library.SHOWN:
        directory = out / name
        if directory.exists():
            shutil.rmtree(directory)
        scenario = load(name)
        print(f"{scenario.title} ({scenario.article})")
        for sentence in (scenario.breaks, scenario.why, scenario.fixes):
            print(f"  {sentence}")
        print(flush=True)
        outcome = runner.run(scenario, runner.Options(out=directory))
        print(terminal.summary(outcome.result, outcome.report))
        if outcome.status:
            return outcome.status
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
