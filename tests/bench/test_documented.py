import re
from importlib import import_module
from pathlib import Path

from bench.__main__ import USUAL, WHEN_NAMED

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "benchmark.md").read_text()


def test_every_measurement_runs_under_its_name_and_has_its_section() -> None:
    files = {path.stem for path in (ROOT / "bench" / "measurements").glob("[!_]*.py")}
    assert files == {*USUAL, *WHEN_NAMED} == set(re.findall(r"^### (\w+)$", PAGE, re.MULTILINE))
    assert all(callable(import_module(f"bench.measurements.{name}").measure) for name in files)


def test_every_option_is_in_the_page() -> None:
    source = (ROOT / "bench" / "__main__.py").read_text()
    assert set(re.findall(r'"(--\w+)"', source)) == set(re.findall(r"^\| `(--\w+)", PAGE, re.MULTILINE))
