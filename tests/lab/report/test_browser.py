"""The report in a real browser: nothing breaks, nothing leaves, nothing is cut."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.lab.report import making
from tests.support import browser
from vaultstorm import report

pytestmark = pytest.mark.skipif(browser.chromium() is None, reason=browser.MISSING)

# Looks at the page from within, as the last script of a copy of it.
PROBE = """
const drawn = (canvas) => canvas.getContext("2d")
  .getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte);
const outside = (element) => !element.closest(".scroll, .skip, .hidden")
  && element.getClientRects().length
  && element.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5;
const cut = (element) => !element.matches(".scroll, .hidden, .skip")
  && !element.closest(".uplot, .scroll") && element.scrollWidth > element.clientWidth + 1
  && getComputedStyle(element).display !== "inline" && !element.closest("svg");
const name = (element) => `${element.tagName}.${element.className}`;
const stories = () => [...document.querySelectorAll(".story")].filter((one) => one.open).length;
const light = () => getComputedStyle(document.documentElement).getPropertyValue("--page");
const printed = async () => {
  dispatchEvent(new Event("beforeprint"));
  await new Promise((resolve) => setTimeout(resolve));
  const plots = [...document.querySelectorAll(".u-wrap")];
  const widest = Math.max(...plots.map((plot) => plot.getBoundingClientRect().width));
  const seen = { page: light(), widest, stories: stories() };
  dispatchEvent(new Event("afterprint"));
  return { ...seen, after: stories() };
};
addEventListener("load", async () => parent.postMessage({
  stories: document.querySelectorAll(".story").length,
  width: innerWidth,
  scrollWidth: document.documentElement.scrollWidth,
  charts: document.querySelectorAll(".chart").length,
  drawn: [...document.querySelectorAll("canvas")].filter(drawn).length,
  outside: [...document.querySelectorAll("body *")].filter(outside).map(name),
  cut: [...document.querySelectorAll("body *")].filter(cut).map(name),
  printed: await printed(),
}, "*"));
"""
# A window cannot be as narrow as a telephone; a frame can.
FRAME = """<!doctype html><body><iframe src="probed.html" width="{width}" height="900"
style="border:0"></iframe><script>addEventListener("message", (event) => {{
document.body.textContent = "measured " + JSON.stringify(event.data) + " end"; }});</script>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a report of six variants."""
    return report.write(making.make(tmp_path_factory.mktemp("run"), attempts=1000))


def measured(page: Path, directory: Path, width: int, *options: str) -> dict[str, Any]:
    """Measure a copy of the page in a frame."""
    digest = base64.b64encode(hashlib.sha256(PROBE.encode()).digest()).decode()
    html = page.read_text().replace("script-src ", f"script-src &#39;sha256-{digest}&#39; ", 1)
    probed = html.replace("</body>", f"<script>{PROBE}</script></body>")
    (directory / "probed.html").write_text(probed)
    frame = directory / "frame.html"
    frame.write_text(FRAME.format(width=width))
    opened = browser.open_page(frame, *options)
    assert opened.console == []
    (found,) = re.findall(r"measured (\{.*\}) end", opened.dom)
    measures: dict[str, Any] = json.loads(found)
    return measures


def test_a_quiet_console_and_no_request(page: Path) -> None:
    """The page opens from disk without an error, and asks nobody for anything."""
    opened = browser.open_page(page)
    assert opened.console == []
    assert opened.requests == []


@pytest.mark.parametrize("scheme", ["0", "1"], ids=["dark", "light"])
@pytest.mark.parametrize("width", [400, 1400])
def test_nothing_is_cut(page: Path, tmp_path: Path, width: int, scheme: str) -> None:
    """At 400 and at 1400 px nothing but a scroll box is wider than its place; all is drawn."""
    seen = measured(page, tmp_path, width, f"--blink-settings=preferredColorScheme={scheme}")
    assert seen["width"] == width
    assert seen["scrollWidth"] <= width
    assert (seen["outside"], seen["cut"]) == ([], [])
    assert seen["charts"] == seen["drawn"] > 6


def test_on_paper(page: Path, tmp_path: Path) -> None:
    """Paper is light and A4 wide, and has every story told; the screen gets its own back."""
    seen = measured(page, tmp_path, 1400, "--blink-settings=preferredColorScheme=0")
    told = seen["stories"]
    assert seen["printed"] == {"page": "#fafaf7", "widest": 660, "stories": told, "after": 1}


def test_it_prints(tmp_path: Path) -> None:
    """The page prints, in the dark too."""
    page = report.write(making.make(tmp_path, [making.BROKEN]))
    pdf = tmp_path / "report.pdf"
    browser.print_page(page, pdf, "--blink-settings=preferredColorScheme=0")
    assert pdf.read_bytes().startswith(b"%PDF")
