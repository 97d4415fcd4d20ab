"""`${csv:FILE:COLUMN}`: looked into when loading, and what happens when rows run out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from battle.errors import ScenarioError
from battle.loading import Loaded, load_scenario, load_text

CONSTANT = "{kind: constant, rate: 10/s, duration: 10s}"
POISSON = "{kind: poisson, rate: 10/s, duration: 10s}"


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Loaded]:
    """Loads a scenario whose requests hold a placeholder; the file has as many rows as asked, 10 s of load 100."""

    def load_it(
        placeholder: str = "${csv:a.csv:user}", rows: int = 200, phase: str = CONSTANT, more: str = "", **asked: Any
    ) -> Loaded:
        (tmp_path / "a.csv").write_text("user,pass\n" + "".join(f"u{n},p{n}\n" for n in range(rows)))
        (tmp_path / "s.yaml").write_text(
            f"name: t\nsetup: {{providers: {{alpha: {{kind: mock}}}}}}\nworkload:\n  reads:\n    load: {phase}\n{more}"
            f'    requests: [{{method: m, params: ["{placeholder}"]}}]\n'
        )
        return load_scenario(tmp_path / "s.yaml", **asked)

    return load_it


def params(loaded: Loaded) -> Any:
    return loaded.data["workload"]["reads"]["requests"][0]["params"][0]


def test_the_path_is_absolute_from_then_on(load: Callable[..., Loaded], tmp_path: Path) -> None:
    assert params(load()) == f"${{csv:{tmp_path}/a.csv:user}}"
    assert params(load("x ${csv:a.csv:pass:repeat} y")) == f"x ${{csv:{tmp_path}/a.csv:pass:repeat}} y"


def test_a_stored_scenario_needs_no_file(load: Callable[..., Loaded], tmp_path: Path) -> None:
    loaded = load()
    (tmp_path / "a.csv").unlink()
    assert load_text(loaded.masked_text, stored=True).scenario == loaded.scenario


@pytest.mark.parametrize(
    ("placeholder", "said"),
    [
        ("${csv:b.csv:user}", "b.csv: the file cannot be read: No such file or directory"),
        ("${csv:a.csv:usr}", "a.csv has no column 'usr' (did you mean 'user'?)"),
        ("${csv:a.csv}", "${csv:a.csv} is not a placeholder (write ${csv:FILE:COLUMN})"),
        ("${csv:.:user}", ".: it is no regular file"),
    ],
)
def test_what_cannot_be_is_told_at_its_place(load: Callable[..., Loaded], placeholder: str, said: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        load(placeholder)
    (problem,) = raised.value.problems
    assert str(problem).partition("s.yaml:")[2].startswith(f"6:37: {said}")


def test_a_file_without_rows(load: Callable[..., Loaded]) -> None:
    with pytest.raises(ScenarioError, match=r"s.yaml:6:37: a.csv: it has no rows under its first line"):
        load(rows=0)


def test_a_plan_that_needs_more_rows_is_refused(load: Callable[..., Loaded]) -> None:
    with pytest.raises(ScenarioError) as raised:
        load(rows=99)
    (problem,) = raised.value.problems
    assert problem.message == "a.csv has 99 rows, and 'reads' plans 100 requests"
    assert "${csv:a.csv:user:repeat}" in str(problem.hint)
    assert "`max_requests: 99`" in str(problem.hint)


@pytest.mark.parametrize(
    ("asked", "limit"),
    [
        ({"rows": 100}, None),
        ({"rows": 149, "phase": POISSON}, 149),  # chance may bring five standard deviations more than 100
        ({"rows": 150, "phase": POISSON}, None),
        ({"rows": 5, "placeholder": "${csv:a.csv:user:repeat}"}, None),
        ({"rows": 5, "more": "    max_requests: 4\n"}, 4),
        ({"rows": 5, "phase": "{kind: users, users: 2, duration: 1s}"}, 5),
    ],
)
def test_a_stream_ends_where_its_rows_may_run_out(
    load: Callable[..., Loaded], asked: dict[str, Any], limit: int | None
) -> None:
    loaded = load(**asked)
    assert loaded.scenario.workload["reads"].max_requests == limit
    said = [f"a.csv has {limit} rows: 'reads' ends after as many requests"] if limit not in {None, 4} else []
    assert loaded.notes == said
    assert load_text(loaded.masked_text, stored=True).scenario == loaded.scenario


def test_without_chaos_too(load: Callable[..., Loaded]) -> None:
    assert load(rows=100, phase=POISSON, chaos=False).scenario.workload["reads"].max_requests == 100
