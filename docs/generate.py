"""Writes what the documentation has from the code: `python -m docs.generate`, or `--check` it.

Of a page only what stands between ``<!-- begin: generated NAME -->`` and ``<!-- end -->`` is ours.
"""

import argparse
import difflib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from docs.generator import commands, configuration, drawings, outcomes, records, states

DOCS: Final = Path(__file__).parent

DRAWINGS: Final[dict[str, Callable[[], str]]] = {
    "burst": drawings.burst,
    "recycle": drawings.recycle,
    "reentrance": drawings.reentrance,
    "phases": drawings.phases,
    "joined": drawings.joined,
    "client-under-test": drawings.client_under_test,
    "worker-states": states.worker,
    "rpc-states": states.association,
}
TABLES: Final[dict[str, Callable[[], str]]] = {
    "commands": commands.pages,
    "configuration": configuration.tables,
    "phases": outcomes.phases,
    "endings": outcomes.endings,
    "outcomes": outcomes.all_losses,
    "hresults": outcomes.hresults,
    "causes": outcomes.causes,
    "foreign-causes": outcomes.foreign_causes,
    "verdicts": outcomes.verdicts,
    "foreign-verdicts": outcomes.foreign_verdicts,
    "journal": records.journal,
    "database": records.database,
}
_REGION: Final = re.compile(
    r"(?P<begin><!-- begin: generated (?P<name>[\w-]+) -->\n).*?(?P<end>\n<!-- end -->)", re.DOTALL
)


def files() -> dict[Path, str]:
    """Give every file that is generated, or has a part that is, as it should be."""
    wanted = {DOCS / "img" / f"{name}.svg": draw() for name, draw in DRAWINGS.items()}
    seen: set[str] = set()

    def region(found: re.Match[str]) -> str:
        seen.add(found["name"])
        return f"{found['begin']}\n{TABLES[found['name']]()}\n{found['end']}"

    for page in sorted(DOCS.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        if "<!-- begin: generated" in text:
            wanted[page] = _REGION.sub(region, text)
    missing = TABLES.keys() - seen
    if missing:
        raise KeyError(f"no page has a place for {', '.join(sorted(missing))}")
    return wanted


def main() -> int:
    """Write the files, or say how those that are there differ; 1 if they do."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if out of date")
    check = parser.parse_args().check
    status = 0
    for path, text in files().items():
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        if old == text:
            continue
        if not check:
            path.write_text(text, encoding="utf-8")
            continue
        status = 1
        name = str(path.relative_to(DOCS.parent))
        lines = difflib.unified_diff(old.splitlines(), text.splitlines(), name, "generated", n=1)
        sys.stderr.write("\n".join([*lines, ""]))
    if status:
        sys.stderr.write("out of date: run `python -m docs.generate`\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
