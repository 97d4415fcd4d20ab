"""The table that is printed. Pure."""

from collections.abc import Iterable

from bench.figures import Row, number

_HEAD = ("", "median", "range", "unit", "target", "")


def table(rows: Iterable[Row]) -> str:
    """One line a row: its median, its range over the rounds, its target and whether it is met."""
    lines = [_HEAD, *(_line(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD) - 1)]
    return "\n".join(_aligned(line, widths) for line in lines)


def _line(row: Row) -> tuple[str, ...]:
    target = str(row.target) if row.target else ""
    if not row.values:
        return (row.name, "", "", row.unit, target, f"skipped: {row.skipped}")
    spread = f"{number(min(row.values))} … {number(max(row.values))}" if len(row.values) > 1 else ""
    mark = "" if row.target is None else row.mark
    return (row.name, number(row.median), spread, row.unit, target, f"{mark}  {row.note}".strip())


def _aligned(line: tuple[str, ...], widths: list[int]) -> str:
    name, median, spread, *rest = line[:-1]
    cells = [name.ljust(widths[0]), median.rjust(widths[1]), spread.rjust(widths[2])]
    cells += [cell.ljust(width) for cell, width in zip(rest, widths[3:], strict=True)]
    return "  ".join([*cells, line[-1]]).rstrip()
