"""What mkdocs does besides: puts our drawings into the page, where they take its colours."""

import re
from pathlib import Path
from typing import Any, Final

_IMAGE: Final = re.compile(
    r'<p>\s*<img alt="(?P<alt>[^"]*)" src="(?P<src>[^"]*?img/[\w-]+\.svg)"\s*/?>\s*</p>'
)
_NAME: Final = re.compile(r"img/(?P<name>[\w-]+)\.svg$")


def on_page_content(html: str, *, config: Any, **_: Any) -> str:
    """Replace each image that is one of our SVG files, alone in its paragraph, by the drawing.

    As an image it could not know which of the two colour schemes the reader has chosen.
    """
    images = Path(config["docs_dir"]) / "img"

    def drawing(found: re.Match[str]) -> str:
        name = _NAME.search(found["src"])
        assert name is not None
        svg = (images / f"{name['name']}.svg").read_text(encoding="utf-8")
        return f'<figure class="drawing">{svg}</figure>'

    return _IMAGE.sub(drawing, html)
