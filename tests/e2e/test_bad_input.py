"""Bad input gets a clear word, the right exit code and no traceback, through the real command line."""

import socket
from pathlib import Path

import pytest
from e2e.command import battle

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

GOOD = """name: t
setup:
  providers: {alpha: {kind: mock}, beta: {kind: mock}}
  proxy: {kind: envoy}
workload:
  reads:
    load: {kind: constant, rate: 100/s, duration: 10s}
    requests: [{method: eth_blockNumber}]
chaos:
  kill-alpha: {kind: kill, target: alpha, at: 4s, for: 2s}
slo:
  - success_rate >= 99%
"""


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("name: t", "nme: t", ":1:1:", "unknown key 'nme'"),
        ("kind: mock}, beta", "kind: mok}, beta", ":3:", "did you mean 'mock'"),
        ("target: alpha", "target: alhpa", ":10:", "did you mean 'alpha'"),
        ("success_rate", "sucess_rate", ":12:", "did you mean 'success_rate'"),
        (">= 99%", ">= 99% in stedy", ":12:", "stedy"),
        ("100/s", "100", ":7:", "did you mean 100/s"),
        ("setup:\n", "setup: [\n", ":", ""),
        ("at: 4s", "at: 40s", ":10:", "load ends"),
        ("{method: eth_blockNumber}", "{batch: []}", ":8:", "'batch' is empty"),
        ("{method: eth_blockNumber}", "{batch: [{method: m, weight: 2}]}", ":8:", "unknown key 'weight'"),
        ("{method: eth_blockNumber}", "{batch: [{method: m}], method: m}", ":8:", "unknown key 'method'"),
        ("{method: eth_blockNumber}", "{batch: [{method: m, expect: {id: any}}]}", ":8:", "apart by their ids"),
        ("for: 2s", "fro: 2s", ":10:", "unknown key 'fro'"),
    ],
)
def test_a_mistake_is_named_with_its_place(old: str, new: str, place: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    for name in ("check", "run"):
        done = battle(name, path, cwd=tmp_path)
        assert done.returncode == 2, done.stderr
        assert f"bad.yaml{place}" in done.stderr
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "reports").exists(), "something was started"


def test_every_mistake_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(GOOD.replace("mock}, b", "mok}, b").replace("100/s", "100").replace("target: alpha", "target: x"))
    done = battle("run", path, cwd=tmp_path)
    assert done.returncode == 2
    assert [line.split(":")[1] for line in done.stderr.splitlines() if "bad.yaml:" in line] == ["3", "7", "10"]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(f'*{chr(97 + i)}' for _ in range(9))}]\n" for i in range(8)
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"[" * 200_000, "deep"),
        (BOMB.encode(), ""),
        (b"name: " + b"x" * 1_100_000, "1 MB"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"a: b: c", ""),
        (b"name: ${nothing}", "nothing"),
    ],
)
def test_files_that_are_no_scenario(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    done = battle("run", path, cwd=tmp_path, timeout=20)
    assert done.returncode == 2, (done.returncode, done.stderr[-500:])
    assert "bad.yaml" in done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["absent.yaml", "."])
def test_no_file_or_a_directory(name: str, tmp_path: Path) -> None:
    done = battle("run", name, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert name in done.stderr


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        path = tmp_path / "s.yaml"
        path.write_text(GOOD.replace("alpha: {kind: mock}", f"alpha: {{kind: mock, port: {port}}}"))
        done = battle("run", path, "--quiet", cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_binary(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(GOOD.replace("beta: {kind: mock}", "beta: {kind: process, command: '/no/such/node --port {port}'}"))
    done = battle("run", path, "--quiet", cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    assert "/no/such/node" in done.stderr


def test_a_provider_that_exits_at_start_shows_its_last_lines(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        GOOD.replace("beta: {kind: mock}", "beta: {kind: process, command: [sh, -c, 'echo out of gas; exit 3']}")
    )
    done = battle("run", path, "--quiet", cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    assert "out of gas" in done.stderr
    assert "exit code 3" in done.stderr


def test_reports_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(GOOD)
    (tmp_path / "reports").write_text("a file in the way")
    done = battle("run", "s.yaml", "--quiet", cwd=tmp_path)
    assert done.returncode == 2
    assert "reports" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--set", "rate"], "name=value"),
        (["--set", "rat=5/s"], "rat"),
        (["--proxy", "envoi"], "envoy"),
        (["--format", "pdf"], "formats are"),
        (["--seed", "seven"], "--seed"),
    ],
)
def test_options_that_cannot_be(options: list[str], words: str, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(GOOD)
    done = battle("run", "s.yaml", *options, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_several_scenarios_end_in_a_table_and_the_worst_code(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(GOOD.replace("name: t", "nme: t"))
    quick = GOOD.replace("duration: 10s", "duration: 2s").replace(
        "chaos:\n  kill-alpha: {kind: kill, target: alpha, at: 4s, for: 2s}\n", ""
    )
    (tmp_path / "good.yaml").write_text(quick.replace("kind: envoy", "kind: none"))
    done = battle("run", "bad.yaml", "good.yaml", "--keep-going", "--quiet", cwd=tmp_path)
    assert done.returncode == 2
    assert "bad.yaml" in done.stderr
    assert "pass" in done.stderr
    stopped = battle("run", "bad.yaml", "good.yaml", "--quiet", cwd=tmp_path)
    assert stopped.returncode == 2
    assert "1 not run" in stopped.stderr
