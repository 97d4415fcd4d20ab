from pathlib import Path

import pytest

from battle.system.csv_columns import Column, Rows


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("csv:a.csv:user", Column("a.csv", "user")),
        ("csv:a.csv:user:repeat", Column("a.csv", "user", repeats=True)),
        ("csv:C:\\a.csv:user", Column("C:\\a.csv", "user")),
        ("csv:a.csv:repeat", Column("a.csv", "repeat")),
        ("csv:a.csv:", None),
        ("csv:a.csv", None),
        ("csv::user", None),
        ("csv:", None),
        ("key", None),
    ],
)
def test_what_a_placeholder_names(text: str, column: Column | None) -> None:
    assert Column.parse(text) == column
    assert column is None or str(column) == text


def rows(path: Path, content: str | bytes) -> Rows:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Rows(path)


def test_rows_come_in_order_and_begin_again(tmp_path: Path) -> None:
    found = rows(tmp_path / "a.csv", '\ufeffuser,note\r\nann,"x, ""y"""\r\n\r\nbob,\r\n')
    assert (len(found), found.columns) == (2, ["user", "note"])
    assert [found.take() for _ in range(3)] == [
        {"user": "ann", "note": 'x, "y"'},
        {"user": "bob", "note": ""},
        {"user": "ann", "note": 'x, "y"'},
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it is empty"),
        ("a,b\n", "it has no rows under its first line"),
        ("a,a\n1,2\n", "two of its columns have the same name"),
        ("a,b\n1,2\n1\n", "line 3 has 1 cells, and the first line names 2 columns"),
        ("a,b\n1,2,3\n", "line 2 has 3 cells"),
        ('a\n"x\n', "line 2 is not CSV"),
        ('a\n"x"y\n', "line 2 is not CSV"),
        ('a\n"x\r\ny"\n', "holds a line break"),
        ("a\nx\x00y\n", "line 2"),
        (b"a\n\xff\n", "it is not UTF-8 text"),
        ("a\n" + "x" * 200_000, "line 2 is not CSV: field larger than"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_files_that_cannot_be_used(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011  (its words are looked at below)
        rows(tmp_path / "a.csv", content)
    assert said in str(raised.value)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Rows(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="no regular file"):
        Rows(tmp_path)
