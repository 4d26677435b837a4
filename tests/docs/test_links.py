"""The link check finds what it is there for."""

from pathlib import Path

import pytest

from docs import hooks, links

ROOT = Path(__file__).parent.parent.parent


def test_the_links_of_readme_lead_somewhere() -> None:
    """Files and anchors that README.md links to are there."""
    assert links.readme(ROOT / "README.md") == []


@pytest.mark.parametrize(
    ("html", "wrong"),
    [
        ('<a href="b.html#there">', None),
        ('<a href="b.html">', None),
        ('<a href="#here"><p id="here">', None),
        ('<a href="https://example.org/x">', None),
        ('<a href="c.html">', "leads nowhere"),
        ('<a href="b.html#gone">', "has no such anchor"),
        ('<a href="#gone">', "has no such anchor"),
        ('<img src="https://example.org/x.png">', "loads"),
        ('<img src="gone.png">', "leads nowhere"),
        ('<script src="//example.org/x.js">', "loads"),
        ('<link rel="stylesheet" href="http://example.org/x.css">', "loads"),
        ('<link rel="canonical" href="https://example.org/">', None),
        ('<p style="background: url(https://example.org/x.png)">', "loads"),
    ],
)
def test_a_page_is_looked_through(html: str, wrong: str | None, tmp_path: Path) -> None:
    """Links and what is loaded, in pages of a site."""
    (tmp_path / "a.html").write_text(html)
    (tmp_path / "b.html").write_text('<h1 id="there">')
    found = links.site(tmp_path)
    assert len(found) == (0 if wrong is None else 1)
    assert all(wrong in line for line in found if wrong)


def test_a_style_sheet_may_load_nothing(tmp_path: Path) -> None:
    """A font from elsewhere would be loaded by every page."""
    (tmp_path / "a.html").write_text("")
    (tmp_path / "a.css").write_text("@font-face { src: url(https://example.org/x.woff2) }")
    assert links.site(tmp_path) == ["a.css: loads https://example.org/x.woff2"]


def test_a_site_without_pages_is_wrong(tmp_path: Path) -> None:
    """A build that wrote nothing is no success."""
    assert links.site(tmp_path) == [f"{tmp_path} has no page"]


def test_a_drawing_comes_into_its_page(tmp_path: Path) -> None:
    """The image is replaced by the file's own elements; other images stay."""
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "one.svg").write_text("<svg/>")
    page = '<p><img alt="One" src="../img/one.svg" /></p><p><img alt="" src="two.png" /></p>'
    got = hooks.on_page_content(page, config={"docs_dir": str(tmp_path)})
    assert got == '<figure class="drawing"><svg/></figure><p><img alt="" src="two.png" /></p>'
