"""The browser of the tests, on pages that do what no report may do."""

import socket
from pathlib import Path

import pytest

from tests.support import browser

needs_chromium = pytest.mark.skipif(browser.chromium() is None, reason=browser.MISSING)


@needs_chromium
def test_a_page_runs(tmp_path: Path) -> None:
    """Scripts have run when the document is taken."""
    page = tmp_path / "page.html"
    page.write_text("<body><script>document.body.textContent = 6 * 7</script>")
    opened = browser.open_page(page)
    assert "<body>42</body>" in opened.dom
    assert (opened.console, opened.requests) == ([], [])


@needs_chromium
def test_an_error_is_seen(tmp_path: Path) -> None:
    """What a page throws is on the console."""
    page = tmp_path / "page.html"
    page.write_text("<script>throw new Error('out of slots')</script>")
    assert any("out of slots" in line for line in browser.open_page(page).console)


@needs_chromium
def test_a_request_is_seen(tmp_path: Path) -> None:
    """What a page asks for is told, even if nobody answers."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        url = f"http://127.0.0.1:{sock.getsockname()[1]}/pixel.png"
        page = tmp_path / "page.html"
        page.write_text(f'<img src="{url}" alt="">')
        assert browser.open_page(page).requests == [url]


@needs_chromium
def test_a_page_prints(tmp_path: Path) -> None:
    """Printing makes a PDF."""
    page, pdf = tmp_path / "page.html", tmp_path / "page.pdf"
    page.write_text("<p>on paper")
    browser.print_page(page, pdf)
    assert pdf.read_bytes().startswith(b"%PDF")
