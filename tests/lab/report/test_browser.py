"""The report in a real browser: nothing breaks, nothing leaves, nothing is cut."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.lab.report import bursting, making, vaulting
from tests.support import browser
from vaultstorm import report
from vaultstorm.report.fates import ABANDONED

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
const clipped = (element) => element.getBoundingClientRect().right
  > element.closest(".scroll").getBoundingClientRect().right + 0.5;
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
  clipped: [...document.querySelectorAll(".scroll caption")].filter(clipped)
    .map((caption) => caption.textContent),
  printed: await printed(),
}, "*"));
"""
# Has the charts drawn once more, and notes what they write.
WRITTEN = """
addEventListener("load", async () => {
  const texts = [], { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...more) {
    texts.push(text);
    fillText.call(this, text, ...more);
  };
  dispatchEvent(new Event("resize"));
  await new Promise((resolve) => setTimeout(resolve));
  parent.postMessage({ texts }, "*");
});
"""
# Has the charts drawn once more, and notes which names of workers are painted over.
PAINTED = """
addEventListener("load", async () => {
  const names = [], over = [], { fillText, fillRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    fillText.call(this, text, x, y);
    if (!text.startsWith("worker ")) return;
    const size = this.measureText(text);
    names.push({ text, on: this, left: x, right: x + size.width,
      top: y - size.actualBoundingBoxAscent, bottom: y + size.actualBoundingBoxDescent });
  };
  CanvasRenderingContext2D.prototype.fillRect = function (x, y, wide, tall) {
    fillRect.call(this, x, y, wide, tall);
    over.push(...names.filter((name) => name.on === this && x < name.right && name.left < x + wide
      && y < name.bottom && name.top < y + tall).map((name) => name.text));
  };
  dispatchEvent(new Event("resize"));
  await new Promise((resolve) => setTimeout(resolve));
  parent.postMessage({ names: names.map((name) => name.text), over }, "*");
});
"""
# A window cannot be as narrow as a telephone; a frame can.
FRAME = """<!doctype html><body><iframe src="probed.html" width="{width}" height="900"
style="border:0"></iframe><script>addEventListener("message", (event) => {{
document.body.textContent = "measured " + JSON.stringify(event.data) + " end"; }});</script>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a report of six variants."""
    return report.write(making.make(tmp_path_factory.mktemp("run"), attempts=1000))


def measured(
    page: Path, directory: Path, width: int, *options: str, probe: str = PROBE
) -> dict[str, Any]:
    """Measure a copy of the page in a frame."""
    digest = base64.b64encode(hashlib.sha256(probe.encode()).digest()).decode()
    html = page.read_text().replace("script-src ", f"script-src &#39;sha256-{digest}&#39; ", 1)
    probed = html.replace("</body>", f"<script>{probe}</script></body>")
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
    """At 400 and 1400 px nothing but a table in its scroll box is wider than its place."""
    seen = measured(page, tmp_path, width, f"--blink-settings=preferredColorScheme={scheme}")
    assert seen["width"] == width
    assert seen["scrollWidth"] <= width
    assert (seen["outside"], seen["cut"], seen["clipped"]) == ([], [], [])
    assert seen["charts"] == seen["drawn"] > 6


def test_nothing_of_a_vault_is_cut(tmp_path: Path) -> None:
    """Its cards, its chain and its chart, where they have the least room."""
    page = report.write(vaulting.run(tmp_path))
    seen = measured(page, tmp_path, 400)
    assert (seen["scrollWidth"], seen["outside"], seen["cut"]) == (400, [], [])
    assert seen["charts"] == seen["drawn"] == 9


@pytest.mark.parametrize("width", [400, 1400])
def test_nothing_of_a_dcom_burst_is_cut(tmp_path: Path, width: int) -> None:
    """Its tables and the charts of its two ports."""
    page = report.write(bursting.run(tmp_path))
    seen = measured(page, tmp_path, width)
    assert (seen["scrollWidth"], seen["outside"], seen["cut"]) == (width, [], [])
    assert (seen["clipped"], seen["charts"], seen["drawn"]) == ([], 9, 9)


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


def written(directory: Path, width: int, *rows: tuple[str, making.Row]) -> list[str]:
    """Give what the charts of a run of these rows write."""
    rows = (making.attempt(0, 0.0, "ok", end=10.0), *rows)
    made = making.Made("one", "One", lambda _, __: iter(rows))
    page = report.write(making.make(directory, [made]))
    texts: list[str] = measured(page, directory, width, probe=WRITTEN)["texts"]
    return texts


def test_every_number_of_the_event_log_is_written(tmp_path: Path) -> None:
    """Five crashes, each with what the scenario did for it, and what came of them."""
    rows = []
    for n in range(5):
        rows.append(making.event(1 + n / 2, "runner", "action", detail="worker hang"))
        rows.append(making.event(1.1 + n / 2, "runner", "action", detail="worker kill"))
        rows.append(making.event(1.2 + n / 2, "front", "event_log", worker=1, event_id=1009))
    rows.append(making.event(3.2, "front", "event_log", event_id=1002))
    texts = written(tmp_path, 1200, *rows)
    assert [texts.count(f"event {number}") for number in (1009, 1002)] == [5, 1]
    assert texts.count("worker hang") == texts.count("worker kill") == 5
    assert not [text for text in texts if "more" in text]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    """Where there is no room the event log comes first, and the rest is a number."""
    rows = [making.event(5.0, "runner", "action", detail=f"action {n}") for n in range(15)]
    rows.append(making.event(5.01, "front", "event_log", event_id=1002))
    rows += [making.event(1.0, "front", "worker_started", worker=n) for n in range(14)]
    texts = written(tmp_path, 1200, *rows)
    assert "event 1002" in texts
    shown = [text for text in texts if text.startswith("action ")]
    assert 0 < len(shown) < 15
    assert f"+{15 - len(shown)} more" in texts
    assert "+2 more workers" in texts


def test_a_worker_says_how_it_ended(tmp_path: Path) -> None:
    """One that was let go of has not stopped."""
    endings = {
        "died": "✗ died",
        "killed": "✗ killed",
        "orphaned": "let go of",
        "stopped": "stopped",
    }
    rows = []
    for worker, name in enumerate(endings, 1):
        rows.append(making.event(0.5, "front", "worker_started", worker=worker))
        rows.append(making.event(8.0, "front", f"worker_{name}", worker=worker))
    rows.append(making.event(9.0, "front", "recycle", worker=4))
    texts = written(tmp_path, 1200, *rows)
    for worker, said in enumerate(endings.values(), 1):
        assert f"worker {worker} {said}" in texts
    assert "1 worker recycled" in texts


def test_losses_do_not_hide_whose_they_are(tmp_path: Path) -> None:
    """The ticks of requests that were lost with a worker leave its name as it is."""
    rows = [making.attempt(0, 0.0, "ok", end=10.0)]
    for worker in (1, 2):
        rows.append(making.event(0.0, "front", "worker_started", worker=worker))
        rows.append(making.event(9.0, "front", "worker_killed", worker=worker))
        for n in range(90):
            row = {"connection": 1, "peer": "p", "method": "GET", "target": "/", "worker": worker}
            rows.append(("request", row | {"time": n / 10, "cause": ABANDONED}))
    made = making.Made("one", "One", lambda _, __: iter(rows))
    page = report.write(making.make(tmp_path, [made]))
    seen = measured(page, tmp_path, 1200, probe=PAINTED)
    assert seen == {"names": ["worker 1 ✗ killed", "worker 2 ✗ killed"], "over": []}
