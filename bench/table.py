"""The measurements as plain text."""

from bench.result import Measurement


def render(measurement: Measurement) -> str:
    """Give one measurement as a table, its targets under it."""
    lines = [f"{measurement.name}: {measurement.title}"]
    if measurement.broken is not None:
        return "\n".join([*lines, f"  BROKEN  {measurement.broken}"]) + "\n"
    lines += ["  " + line for line in grid(cells(measurement))]
    for check in measurement.checks:
        word, relation = ("PASS" if check.passed else "MISS"), ("<=" if check.at_most else ">=")
        lines.append(
            f"  {word}  {check.claim}: {figure(check.actual, 2)} {relation} {check.limit:g}"
        )
    lines += [f"  note  {note}" for note in measurement.notes]
    return "\n".join(lines) + "\n"


def cells(measurement: Measurement) -> list[list[str]]:
    """Give heading and rows as text; the ratio stands after the first figure."""
    columns, reference = measurement.columns, measurement.reference
    ratio_heading = [f"x {reference}"] if reference else []
    table = [["", columns[0].heading, *ratio_heading, *(one.heading for one in columns[1:]), ""]]
    for row in measurement.rows:
        values = [figure(row.value(column.key), column.digits) for column in columns]
        ratio = [figure(measurement.ratio(row.subject), 2)] if reference else []
        table.append([row.subject, values[0], *ratio, *values[1:], row.note])
    return table


def grid(table: list[list[str]]) -> list[str]:
    """Line the columns up: the first and the last to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    last = len(widths) - 1
    return [
        "  ".join(
            text.ljust(width) if at in (0, last) else text.rjust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def figure(value: float | None, digits: int) -> str:
    """Write a number for a person; a dash if there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"
