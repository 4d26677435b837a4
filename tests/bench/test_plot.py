"""The drawing of how a figure grows."""

from xml.etree import ElementTree

import pytest

from bench import plot
from bench.result import Growth

SVG = "{http://www.w3.org/2000/svg}"


def growth(*values: float) -> Growth:
    """Make two curves, the second twice the first."""
    made = Growth("connects", "us/connect")
    for nth, value in enumerate(values):
        made.add("C loop", 100 * 10**nth, value)
        made.add("ours & theirs", 100 * 10**nth, 2 * value)
    return made


def test_a_drawing_names_its_axes_and_curves() -> None:
    """It is well-formed, says what it shows to those who do not see it, and loads nothing."""
    drawn = plot.draw("speed-x", "a <title>", growth(6.0, 6.5, 7.25))
    root = ElementTree.fromstring(drawn)

    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert {"connects", "us/connect", "C loop", "ours & theirs", "10,000", "0"} <= set(texts)
    assert root.findtext(f"{SVG}title") == "a <title>"
    described = root.findtext(f"{SVG}desc") or ""
    assert "C loop: 6 at 100, 6.5 at 1,000, 7.25 at 10,000" in described
    assert root.get("aria-labelledby") == "speed-x-title speed-x-desc"
    assert len(list(root.iter(f"{SVG}circle"))) == 6
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")


def test_all_points_lie_on_the_paper_and_larger_is_higher() -> None:
    """On the axis from 0 and on the logarithmic one, also where all figures are one or are 0."""
    for values in ((6.0, 6.5, 7.0), (1.0, 30.0, 900.0), (5.0,), (0.0, 0.0)):
        root = ElementTree.fromstring(plot.draw("n", "t", growth(*values)))
        places = [
            (float(dot.get("cx", "")), float(dot.get("cy", "")))
            for dot in root.iter(f"{SVG}circle")
        ]
        assert all(0 <= x <= plot.WIDTH and 0 <= y <= plot.HEIGHT for x, y in places)
        heights = [y for _, y in places[: len(values)]]
        assert heights == sorted(heights, reverse=True)


@pytest.mark.parametrize(
    "places, expected",
    [
        ([10.0, 100.0], [10.0, 100.0]),
        ([20.0, 20.0], [20.0, 36.0]),
        ([36.0, 20.0, 21.0], [52.0, 20.0, 36.0]),
        ([240.0, 240.0], [228.0, 244.0]),
        ([50.0, 240.0, 241.0], [50.0, 228.0, 244.0]),
    ],
)
def test_labels_do_not_overlap(places: list[float], expected: list[float]) -> None:
    """Each is a line below the one before, and the last stays on the paper."""
    assert plot._apart(places) == expected


@pytest.mark.parametrize(
    "value, expected",
    [(0.0, "0"), (0.25, "0.25"), (6.0, "6"), (7.256, "7.26"), (120.0, "120"), (28451.0, "28,451")],
)
def test_figures_have_three_digits_that_matter(value: float, expected: str) -> None:
    """Without zeros that say nothing."""
    assert plot._short(value) == expected
