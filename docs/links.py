"""Checks the built site and README.md: `python -m docs.links site`.

Every link leads to a file and an anchor that are there, and no page loads anything from elsewhere.
What a link to another site leads to is not looked at: this works offline.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

ROOT: Final = Path(__file__).parent.parent
_LINK: Final = re.compile(r"\[[^\]]*\]\((?P<to>[^)\s]+)\)")
_HEADING: Final = re.compile(r"#{1,6} +(?P<text>.+?)(?: +#+)?")
_FENCED: Final = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.DOTALL | re.MULTILINE)
_LOADED: Final = re.compile(r"url\(\s*['\"]?(?P<to>(?:https?:)?//[^'\")]+)|@import")
_LOADS: Final = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "image": "href",
    "img": "src",
    "script": "src",
    "source": "src",
    "use": "href",
    "video": "src",
}
_RELATIONS: Final = {"stylesheet", "icon", "preload", "preconnect", "modulepreload", "manifest"}


class Page(HTMLParser):
    """What a page has: its anchors, where it leads, and what it loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        has = {name: value or "" for name, value in attrs}
        self.anchors |= {has[name] for name in ("id", "name") if name in has}
        if tag == "a" and "href" in has:
            self.links.append(has["href"])
        elif tag == "link" and _RELATIONS & set(has.get("rel", "").split()):
            self.loads.append(has.get("href", ""))
        elif _LOADS.get(tag) in has:
            self.loads.append(has[_LOADS[tag]])
        self.loads += [found["to"] or "@import" for found in _LOADED.finditer(has.get("style", ""))]


def site(directory: Path) -> list[str]:
    """Say what is wrong with a built site."""
    pages = {
        path.resolve(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(directory.rglob("*.html"))
    }
    wrong: list[str] = []
    for path, page in pages.items():
        name = path.relative_to(directory.resolve())
        wrong += [f"{name}: loads {to}" for to in page.loads if _elsewhere(to)]
        for to in page.links + page.loads:
            if _elsewhere(to) or urlsplit(to).scheme:
                continue
            parts = urlsplit(to)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if name.name == "404.html" and parts.path.startswith("/"):
                continue
            if not target.is_file():
                wrong.append(f"{name}: {to} leads nowhere")
            elif parts.fragment and target in pages:
                anchors = pages[target].anchors
                if unquote(parts.fragment) not in anchors:
                    wrong.append(f"{name}: {to} has no such anchor")
    for sheet in sorted(directory.rglob("*.css")):
        text = sheet.read_text(encoding="utf-8")
        wrong += [
            f"{sheet.relative_to(directory)}: loads {found['to'] or '@import'}"
            for found in _LOADED.finditer(text)
        ]
    return wrong if pages else [f"{directory} has no page"]


def readme(path: Path) -> list[str]:
    """Say which links of a Markdown file lead nowhere, as they are followed on a code host."""
    text = path.read_text(encoding="utf-8")
    wrong = []
    for found in _LINK.finditer(_FENCED.sub("", text)):
        parts = urlsplit(found["to"])
        if parts.scheme:
            continue
        target = path.parent / unquote(parts.path) if parts.path else path
        if not target.exists():
            wrong.append(f"{path.name}: {found['to']} leads nowhere")
        elif parts.fragment and target.suffix == ".md" and parts.fragment not in anchors(target):
            wrong.append(f"{path.name}: {found['to']} has no such anchor")
    return wrong


def anchors(path: Path) -> set[str]:
    """Give the anchors that a code host makes of a file's headings."""
    found: set[str] = set()
    for line in _FENCED.sub("", path.read_text(encoding="utf-8")).splitlines():
        heading = _HEADING.fullmatch(line)
        if heading:
            words = re.sub(r"[^\w\- ]", "", heading["text"].lower())
            found.add(words.strip().replace(" ", "-"))
    return found


def _elsewhere(to: str) -> bool:
    return to.startswith(("http:", "https:", "//"))


def main() -> int:
    """Check a built site and README.md; 1 if anything is wrong."""
    wrong = site(Path(sys.argv[1] if len(sys.argv) > 1 else "site")) + readme(ROOT / "README.md")
    sys.stderr.write("".join(f"{line}\n" for line in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
