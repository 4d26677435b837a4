"""A strict look at HTML: what a browser forgives and a reader does not."""

from html.parser import HTMLParser

VOID = frozenset({"meta", "link", "br", "hr", "img", "input", "rect", "line", "path"})
LINKS = ("src", "href", "action", "data", "poster", "srcset", "xlink:href")
LABELS = ("aria-label", "aria-labelledby", "alt")


class Page(HTMLParser):
    """Collects what is wrong with a page while it is parsed.

    Attributes:
        faults: sentences.
        ids: all of them.
        headings: their levels, in order.
        text: by the tag it stands in.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.text: dict[str, list[str]] = {}
        self.tables: list[set[str]] = []
        self._open: list[str] = []
        self._pointed: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self._open]
        self.faults += [f"id {one} is not unique" for one in {*self.ids} if self.ids.count(one) > 1]
        self.faults += [f"nothing has the id {one}" for one in self._pointed if one not in self.ids]
        levels = zip([0, *self.headings], self.headings, strict=False)
        self.faults += [f"h{now} follows h{was}" for was, now in levels if now > was + 1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Check an element."""
        had = dict(attrs)
        if len(had) != len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        if tag not in VOID:
            self._open.append(tag)
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.headings.append(int(tag[1]))
        self._references(tag, had)
        self._labels(tag, had)
        self.faults += [f"<{tag}> has {name}" for name in had if name.startswith("on")]
        if "style" in had:
            self.faults.append(f"<{tag}> has a style of its own, which the policy forbids")

    def _references(self, tag: str, had: dict[str, str | None]) -> None:
        if had.get("id"):
            self.ids.append(str(had["id"]))
        self._pointed += str(had.get("aria-labelledby") or "").split()
        for name in LINKS:
            value = str(had.get(name) or "")
            if value.startswith("#"):
                self._pointed.append(value[1:])
            elif value and value != "data:,":
                self.faults.append(f"<{tag}> leads to {value}")

    def _labels(self, tag: str, had: dict[str, str | None]) -> None:
        labelled = any(had.get(name) for name in LABELS)
        wants = tag in ("img", "canvas") or had.get("role") in ("img", "region")
        if wants and not labelled:
            self.faults.append(f"<{tag}> has no label")
        if tag == "svg" and not labelled and had.get("aria-hidden") != "true":
            self.faults.append("<svg> has neither a label nor is it hidden")
        if "scroll" in str(had.get("class")).split() and had.get("tabindex") != "0":
            self.faults.append("what scrolls cannot be reached by keyboard")
        if tag == "table":
            self.tables.append(set())
        elif self.tables:
            self.tables[-1].add(tag)
        if tag == "th" and had.get("scope") not in ("col", "row", "rowgroup", "colgroup"):
            self.faults.append("<th> without a scope")

    def handle_endtag(self, tag: str) -> None:
        """Check that what ends is what was opened last."""
        if tag in VOID:
            return
        if not self._open or self._open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self._open[-1:]}")
        else:
            self._open.pop()
        if tag == "table" and "caption" not in self.tables[-1]:
            self.faults.append("<table> without a caption")

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text.setdefault(self._open[-1] if self._open else "", []).append(data)
