"""Markdown that stays what was meant, whatever the names in it are."""

import re

from battle.reporters.tables import Table
from battle.reporters.wording import one_line

_SPECIAL = re.compile(r"[\\`*\[\]|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_TAG_START = re.compile(r"<(?=[A-Za-z/!?])")
_AT_LINE_START = re.compile(r"^(\s*)([#>+-]|\d+[.)])(?=\s|$)|^(=+|-+)$")


def plain(text: str) -> str:
    """Foreign text as Markdown that shows it unchanged, on one line."""
    text = one_line(text).replace("&", "&amp;")
    text = _TAG_START.sub("&lt;", text)
    return _AT_LINE_START.sub(lambda match: f"\\{match[0]}", _SPECIAL.sub(lambda match: f"\\{match[0]}", text))


def code(text: str, *, in_table: bool = False) -> str:
    """Foreign text as a code span. Inside a table a bar must be escaped even there."""
    text = one_line(text)
    ticks = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    text = text.replace("|", "\\|") if in_table else text
    return f"{ticks}{padding}{text}{padding}{ticks}"


def block(lines: list[str]) -> str:
    """Preformatted lines."""
    ticks = "`" * max(3, *(len(run) + 1 for line in lines for run in re.findall(r"`+", line)), 3)
    return "\n".join([f"{ticks}text", *lines, ticks])


def table(content: Table, *, code_column: int | None = None) -> str:
    """A table in the pipe form, its columns aligned in the source too."""
    rows = [
        [code(cell, in_table=True) if index == code_column else plain(cell) for index, cell in enumerate(row)]
        for row in content.rows
    ]
    names = [plain(name) for name in content.names]
    widths = [max(3, *(len(row[index]) for row in [names, *rows])) for index in range(len(names))]
    right = content.to_the_right
    rule = [
        ("-" * (width - 1) + ":") if is_right else "-" * width for width, is_right in zip(widths, right, strict=True)
    ]
    lines = [_line(names, widths, right), _line(rule, widths, right)]
    return "\n".join([*lines, *(_line(row, widths, right) for row in rows)])


def _line(cells: list[str], widths: list[int], right: list[bool]) -> str:
    padded = [
        cell.rjust(width) if is_right else cell.ljust(width)
        for cell, width, is_right in zip(cells, widths, right, strict=True)
    ]
    return f"| {' | '.join(padded)} |"
