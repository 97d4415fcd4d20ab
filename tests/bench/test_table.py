from bench.figures import Row, Target
from bench.table import table


def test_a_row_shows_its_median_its_range_and_its_mark() -> None:
    _, *lines = table(
        [
            Row("battle ÷ wrk", "×", [0.9, 0.97, 1.2], Target(">=", 0.95), note="three rounds"),
            Row("battle judge", "s", [21.5], Target("<=", 20)),
            Row("k6", "req/s", skipped="k6 is not installed"),
        ]
    ).splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "battle ÷ wrk 0.97 0.90 … 1.20 × ≥ 0.95 met three rounds",
        "battle judge 21.5 s ≤ 20.0 not met",
        "k6 req/s skipped: k6 is not installed",
    ]


def test_columns_stand_under_each_other() -> None:
    rows = [Row("a", "×", [1.5, 2.5]), Row("a longer name", "req/s", [94_336.0, 80_000])]
    head, one, other = table(rows).splitlines()
    assert head.index("unit") == one.index("×") == other.index("req/s")
