"""A real browser, headless: opens a page, and says what came of it."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

MISSING = "there is no chromium here: `make tools` installs Debian's, as root"

_CONSOLE = re.compile(r'CONSOLE:\d+\] "(.*)", source')
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--virtual-time-budget=10000",  # timers and messages of the page run before it is taken
)


class Opened(NamedTuple):
    """What came of opening a page.

    Attributes:
        dom: the document once its scripts have run.
        console: what was written to the console, errors of loading included.
        requests: what the page asked for, itself left out.
    """

    dom: str
    console: list[str]
    requests: list[str]


def chromium() -> str | None:
    """Find the browser."""
    return shutil.which("chromium")


def open_page(page: Path, *options: str) -> Opened:
    """Open a file in a browser of its own, and end it."""
    binary = chromium()
    assert binary is not None, MISSING
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        log = Path(profile) / "net.json"
        ended = subprocess.run(
            [
                binary,
                *_OPTIONS,
                f"--user-data-dir={profile}",
                f"--log-net-log={log}",
                "--window-size=1400,900",
                *options,
                "--dump-dom",
                page.resolve().as_uri(),
            ],
            capture_output=True,
            check=True,
            encoding="utf-8",
            timeout=50,
        )
        return Opened(ended.stdout, _CONSOLE.findall(ended.stderr), _requests(log))


def print_page(page: Path, pdf: Path, *options: str) -> None:
    """Print a file to a PDF."""
    binary = chromium()
    assert binary is not None, MISSING
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        printing = ["--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.resolve().as_uri()]
        subprocess.run(
            [binary, *_OPTIONS, f"--user-data-dir={profile}", *options, *printing],
            capture_output=True,
            check=True,
            timeout=50,
        )


def _requests(log: Path) -> list[str]:
    """Read what pages asked for; what the browser asks for itself has no page as its initiator."""
    text = log.read_text(encoding="utf-8")
    try:
        events = json.loads(text)["events"]
    except json.JSONDecodeError:  # the browser ended before it wrote the closing brackets
        events = json.loads(f"{text.rstrip().rstrip(',')}]}}")["events"]
    return sorted({event["params"]["url"] for event in events if _by_a_page(event)})


def _by_a_page(event: dict[str, Any]) -> bool:
    params = event.get("params", {})
    if "url" not in params or params["url"].startswith(("data:", "file:")):
        return False
    return str(params.get("initiator", "not an origin")) != "not an origin"
