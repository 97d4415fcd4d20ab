"""Runs shipped scenarios through the command line and compares each verdict with its `x-expect`.

python tests/e2e/shipped.py scenarios/*.yaml
"""

import subprocess
import sys
from pathlib import Path

import yaml

EXIT_CODES = {"pass": 0, "fail": 1, "inconclusive": 3}


def expected(scenario: Path) -> str:
    """The verdict that the scenario says it must have."""
    return str(yaml.safe_load(scenario.read_text())["x-expect"])


def run(scenario: Path, *options: str) -> tuple[int, str]:
    """Run it; gives the exit code and what it printed on stderr."""
    argv = [sys.executable, "-m", "battle", "run", str(scenario), *options]
    done = subprocess.run(argv, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
    return done.returncode, done.stderr


def main(scenarios: list[Path]) -> int:
    """Run all; 0 when every one ended as it should."""
    wrong = 0
    lines = []
    for scenario in scenarios:
        want = expected(scenario)
        code, said = run(scenario)
        right = code == EXIT_CODES[want]
        wrong += not right
        lines.append(f"{'ok   ' if right else 'WRONG'} {scenario.name}: expected {want}, exit code {code}")
        if not right:
            sys.stderr.write(said)
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main([Path(argument) for argument in sys.argv[1:]]))
