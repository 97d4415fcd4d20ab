import errno
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from sample_run import RUN_ID, empty_run, failing_run, passing_run

from battle.core.journal import Event, EventKind
from battle.core.record_source import whole
from battle.core.records import ATTEMPT, REQUEST
from battle.core.verdict import Verdict
from battle.errors import EvidenceError, ExitCode, SetupError, UsageError
from battle.store import RunDir, SaveError, Store
from battle.store.catalogue import slug

NOW = datetime(2026, 11, 23, 4, 15, 0, tzinfo=UTC)
EVENTS = [
    Event(5, EventKind.RUN_STARTED, {"run_id": RUN_ID, "seed": 7, "key_base": 4096}),
    Event(9, EventKind.WARNING, {"text": "one line\nstays one line, even with \u2028 in it"}),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "reports")


@pytest.fixture
def run_dir(store: Store) -> RunDir:
    return store.create("Provider failover", NOW, "a1b2c3")


@pytest.fixture
def full_run(run_dir: RunDir) -> RunDir:
    fill(run_dir)
    return run_dir


def fill(run_dir: RunDir) -> None:
    run_dir.save_scenario("name: Provider failover\n")
    with run_dir.journal() as journal:
        for event in EVENTS:
            journal.write(event)
    requests = np.zeros(3, REQUEST)
    requests["key"] = [4096, 4097, 4098]
    attempts = np.zeros(2, ATTEMPT)
    attempts["arrived_ns"] = [7, 8]
    run_dir.save_requests(requests)
    run_dir.save_attempts(attempts)
    run_dir.save_run(passing_run())
    run_dir.save_report("report.md", "# PASS\n")


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


# the run directory


def test_a_run_id_holds_the_moment_the_scenario_and_the_random_digits(run_dir: RunDir) -> None:
    assert run_dir.run_id == RUN_ID
    assert run_dir.raw_dir.is_dir()
    assert run_dir.undo_path == run_dir.path / "undo.jsonl"


def test_a_run_id_is_in_utc(store: Store) -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    assert store.create("x", tokyo, "000000").run_id == "20261123T041500Z-x-000000"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Provider failover", "provider-failover"),
        ("../../etc/passwd", "etc-passwd"),
        ("Größe | ${x}", "groe-x"),  # NFKD keeps what has a plain letter under its accent
        ("日本", "run"),
        ("a" * 60, "a" * 40),
        ("x" * 39 + " y", "x" * 39),  # no hyphen at the cut
    ],
)
def test_slugs(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_what_was_saved_is_what_is_loaded(store: Store, full_run: RunDir) -> None:
    stored = store.load(full_run)
    assert stored.run_id == RUN_ID
    assert stored.scenario_text == "name: Provider failover\n"
    assert whole(stored.requests, REQUEST)["key"].tolist() == [4096, 4097, 4098]
    assert whole(stored.attempts, ATTEMPT)["arrived_ns"].tolist() == [7, 8]
    assert stored.events == EVENTS
    assert full_run.load_run() == passing_run()


def test_no_temporary_file_stays(full_run: RunDir) -> None:
    expected = ["attempts.npy", "events.jsonl", "raw", "report.md", "requests.npy", "run.json", "scenario.yaml"]
    assert names(full_run.path) == expected


def test_evidence_of_a_run_that_was_cut_off_before_its_verdict_can_be_loaded(full_run: RunDir) -> None:
    full_run.run_path.unlink()
    assert full_run.load().requests.room == 3
    with pytest.raises(EvidenceError, match=r"run\.json is missing") as caught:
        full_run.load_run()
    assert caught.value.hint is not None
    assert f"battle judge {RUN_ID}" in caught.value.hint


# places that cannot be written


def test_a_file_in_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("")
    with pytest.raises(UsageError, match="could not be made") as caught:
        Store(tmp_path / "reports").create("x", NOW, "a1b2c3")
    assert (
        caught.value.hint == f"{tmp_path / 'reports'} is a file; move it away, or choose another directory with --out"
    )


def test_a_file_above_the_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as caught:
        Store(tmp_path / "file" / "deep" / "reports").create("x", NOW, "a1b2c3")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(f"{tmp_path / 'file'} is a file")


def test_a_place_that_takes_no_directories() -> None:
    with pytest.raises((UsageError, SetupError), match="/proc/reports") as caught:
        Store(Path("/proc/reports")).create("x", NOW, "a1b2c3")
    assert "--out" in (caught.value.hint or "")


@pytest.mark.skipif(os.geteuid() == 0, reason="permission bits do not hold for root")
def test_a_directory_without_write_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="permission denied") as caught:
        Store(tmp_path / "reports").create("x", NOW, "a1b2c3")
    assert "writable" in (caught.value.hint or "")


def test_the_same_run_cannot_be_made_twice(store: Store, run_dir: RunDir) -> None:
    with pytest.raises(UsageError, match="file exists"):
        store.create("Provider failover", NOW, "a1b2c3")


# a full disk


def leads_to_full(path: Path) -> None:
    """Let the file that is written beside `path` be /dev/full, which answers "no space left"."""
    path.with_name(f".{path.name}.{os.getpid()}").symlink_to("/dev/full")


SAVES: dict[str, Callable[[RunDir], None]] = {
    "scenario.yaml": lambda run_dir: run_dir.save_scenario("x" * 10_000),
    "requests.npy": lambda run_dir: run_dir.save_requests(np.zeros(1_000, REQUEST)),
    "attempts.npy": lambda run_dir: run_dir.save_attempts(np.zeros(1_000, ATTEMPT)),
    "run.json": lambda run_dir: run_dir.save_run(passing_run()),
    "report.md": lambda run_dir: run_dir.save_report("report.md", "x" * 10_000),
}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("name", SAVES)
def test_a_full_disk_is_named_and_what_was_there_stays(full_run: RunDir, name: str) -> None:
    before = (full_run.path / name).read_bytes()
    leads_to_full(full_run.path / name)
    with pytest.raises(SaveError) as caught:
        SAVES[name](full_run)
    assert caught.value.message == f"{full_run.path / name} could not be written: no space left"
    assert caught.value.path == full_run.path / name
    assert "free some space" in (caught.value.hint or "")
    assert (full_run.path / name).read_bytes() == before
    assert not [left for left in names(full_run.path) if left.startswith(".")]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "tiny"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_small_disk_that_fills_up_keeps_the_journal_readable(tiny_disk: Path) -> None:
    run_dir = Store(tiny_disk / "reports").create("x", NOW, "a1b2c3")
    with pytest.raises(SaveError, match=r"requests\.npy could not be written: no space left"):
        run_dir.save_requests(np.zeros(2_000, REQUEST))
    journal = run_dir.journal()
    for at_ns in range(2_000):
        journal.write(Event(at_ns, EventKind.WARNING, {"text": "x" * 50}))
    assert journal.failure is not None
    assert journal.failure.endswith("events.jsonl could not be written: no space left")
    assert len(journal.events) == 2_000
    journal.close()
    content = run_dir.events_path.read_bytes()
    assert 0 < content.count(b"\n") < 2_000
    assert content.endswith(b"\n")


@contextmanager
def file_size_limit(size_bytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_journal_leaves_no_half_line_and_catches_up_later(run_dir: RunDir) -> None:
    journal = run_dir.journal()
    with file_size_limit(150):
        journal.write(EVENTS[0])
        assert journal.failure is None
        journal.write(EVENTS[1])
        journal.write(EVENTS[0])
    assert journal.failure == f"{run_dir.events_path} could not be written: {os.strerror(errno.EFBIG).lower()}"
    assert run_dir.events_path.read_bytes().count(b"\n") == 1
    assert run_dir.events_path.read_bytes().endswith(b"\n")
    assert journal.events == [EVENTS[0], EVENTS[1], EVENTS[0]]
    journal.close()
    assert journal.failure is None
    fill_rest(run_dir)
    assert run_dir.load().events == journal.events


def fill_rest(run_dir: RunDir) -> None:
    run_dir.save_scenario("name: x\n")
    run_dir.save_requests(np.zeros(0, REQUEST))
    run_dir.save_attempts(np.zeros(0, ATTEMPT))


def test_a_journal_line_is_on_disk_before_the_journal_is_closed(run_dir: RunDir) -> None:
    run_dir.journal().write(EVENTS[0])
    assert run_dir.events_path.read_bytes() == (
        b'{"at_ns":5,"kind":"run_started","run_id":"' + RUN_ID.encode() + b'","seed":7,"key_base":4096}\n'
    )


def test_a_journal_goes_on_after_what_is_there(run_dir: RunDir) -> None:
    for event in EVENTS:
        with run_dir.journal() as journal:
            journal.write(event)
    fill_rest(run_dir)
    assert run_dir.load().events == EVENTS


# damaged runs


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def scribble(path: Path) -> None:
    path.write_bytes(b"\xff\xfe not what it was")


def other_layout(path: Path) -> None:
    np.save(path, np.zeros(3))


def newer(path: Path) -> None:
    path.write_text('{"schema_version": 2, "verdicts": []}')


def unknown_event(path: Path) -> None:
    path.write_text('{"at_ns": 1, "kind": "run_started"}\n{"at_ns": 2, "kind": "teleported"}\n')


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("scenario.yaml", Path.unlink, "scenario.yaml is missing"),
        ("scenario.yaml", scribble, "scenario.yaml is damaged: it is not text in UTF-8"),
        ("requests.npy", Path.unlink, "requests.npy is missing"),
        ("requests.npy", cut, "requests.npy is damaged: it is truncated"),
        ("requests.npy", scribble, "requests.npy is damaged: it is truncated or no array"),
        ("attempts.npy", other_layout, "attempts.npy is damaged: its records have another layout"),
        ("attempts.npy", cut, "attempts.npy is damaged: it is truncated"),
        ("events.jsonl", Path.unlink, "events.jsonl is missing"),
        ("events.jsonl", cut, "events.jsonl is damaged: it ends in the middle of line 2"),
        ("events.jsonl", unknown_event, "events.jsonl is damaged: line 2 is no event"),
        ("run.json", cut, "run.json is damaged: it is not JSON"),
        ("run.json", newer, "run.json was written by a newer battle: its schema is 2, this one reads up to 1"),
        ("run.json", lambda path: path.write_text("[]"), "run.json is damaged: it is not a JSON object"),
        ("run.json", lambda path: path.write_text("{}"), "run.json is damaged: it has no schema_version"),
    ],
)
def test_damage_is_named(full_run: RunDir, name: str, damage: Callable[[Path], None], message: str) -> None:
    damage(full_run.path / name)
    with pytest.raises(EvidenceError) as caught:
        full_run.load()
    assert message in caught.value.message
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_document_that_breaks_its_schema(full_run: RunDir) -> None:
    content = full_run.run_path.read_text().replace('"verdict": "pass"', '"verdict": "splendid"', 1)
    full_run.run_path.write_text(content)
    with pytest.raises(EvidenceError, match=r"run\.json is damaged: verdict: Input should be"):
        full_run.load_run()


# finding and listing


IDS = ["20261123T041500Z-provider-failover-a1b2c3", "20261123T050000Z-hang-d4e5f6", "20261124T000000Z-hang-0a0b0c"]


@pytest.fixture
def three_runs(store: Store) -> Store:
    for run_id, run in zip(IDS, (passing_run(), failing_run(), None), strict=True):
        run_dir = RunDir(store.root / run_id)
        run_dir.path.mkdir(parents=True)
        run_dir.save_scenario("")
        if run:
            run_dir.save_run(run)
    (store.root / "20261125-notes").mkdir()
    (store.root / "latest.md").write_text("")
    return store


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (IDS[1], IDS[1]),
        ("20261124", IDS[2]),
        ("20261123T04", IDS[0]),
        ("d4e5f6", IDS[1]),
        ("latest", IDS[2]),  # without a link, the newest
    ],
)
def test_a_run_is_found_by_what_names_it(three_runs: Store, wanted: str, found: str) -> None:
    assert three_runs.find(wanted).run_id == found


def test_a_run_is_found_by_its_path_and_by_its_files(three_runs: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert three_runs.find(str(three_runs.root / IDS[0])).run_id == IDS[0]
    assert three_runs.find(str(three_runs.root / IDS[0] / "run.json")).run_id == IDS[0]
    monkeypatch.chdir(three_runs.root / IDS[1])
    assert three_runs.find(".").run_id == IDS[1]


@pytest.mark.parametrize(
    ("wanted", "message", "hint"),
    [
        ("20261123", "'20261123' names 2 runs", f"one of: {IDS[1]}, {IDS[0]}"),
        ("failover", "there is no run 'failover'", f"did you mean {IDS[0]}?"),
        (IDS[0][:-1] + "4", "there is no run", f"did you mean {IDS[0]}"),
        ("zzz", "there is no run 'zzz'", f"the newest is {IDS[2]}; battle list shows all"),
        ("", "there is no run ''", f"the newest is {IDS[2]}"),
        ("/proc", "there is no run '/proc'", "/proc is a directory, but it holds neither run.json nor scenario.yaml"),
    ],
)
def test_a_run_that_is_not_found(three_runs: Store, wanted: str, message: str, hint: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        three_runs.find(wanted)
    assert message in caught.value.message
    assert (caught.value.hint or "").startswith(hint)


@pytest.mark.parametrize("wanted", ["latest", "20261123"])
def test_nothing_is_found_where_there_is_nothing(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        Store(tmp_path / "nowhere").find(wanted)
    assert "battle run scenarios/failover.yaml" in (caught.value.hint or "")


def test_latest_follows_the_link_and_its_report(three_runs: Store) -> None:
    first, second = RunDir(three_runs.root / IDS[0]), RunDir(three_runs.root / IDS[1])
    second.save_report("report.md", "of the second")
    second.update_latest()
    assert three_runs.find("latest").run_id == IDS[1]
    assert (three_runs.root / "latest").readlink() == Path(IDS[1])
    assert (three_runs.root / "latest.md").read_text() == "of the second"
    first.update_latest()
    assert three_runs.find("latest").run_id == IDS[0]
    assert not (three_runs.root / "latest.md").exists()  # the report of another run is worse than none


def test_latest_without_symbolic_links_is_a_file(three_runs: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no symbolic links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    RunDir(three_runs.root / IDS[0]).update_latest()
    assert (three_runs.root / "latest").read_text() == f"{IDS[0]}\n"
    assert three_runs.find("latest").run_id == IDS[0]


def test_a_link_to_a_run_that_was_deleted_is_passed_over(three_runs: Store) -> None:
    (three_runs.root / "latest").symlink_to("20200101T000000Z-gone-000000")
    assert three_runs.find("latest").run_id == IDS[2]


def test_runs_are_listed_newest_first_with_their_verdicts(three_runs: Store) -> None:
    listed = [(entry.run_id, entry.verdict, entry.problem) for entry in three_runs.list()]
    assert listed == [
        (IDS[2], None, "ended before it was judged"),
        (IDS[1], Verdict.FAIL, None),
        (IDS[0], Verdict.PASS, None),
    ]
    assert three_runs.list()[0].scenario == "hang"
    assert three_runs.list()[0].started_at == "2026-11-24T00:00:00Z"
    assert three_runs.list()[2].scenario == "Provider failover"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "run.json is damaged: it is not JSON"),
        ('{"schema_version": 1}', "run.json is damaged: it names no scenario or verdict"),
        ('{"schema_version": 99}', "run.json was written by a newer battle"),
    ],
)
def test_a_damaged_run_is_listed_with_its_problem(three_runs: Store, content: str, problem: str) -> None:
    (three_runs.root / IDS[0] / "run.json").write_text(content)
    entry = three_runs.list()[2]
    assert entry.verdict is None
    assert entry.problem is not None
    assert entry.problem.startswith(problem)


def test_an_empty_run_document_is_kept_whole(run_dir: RunDir) -> None:
    run_dir.save_run(empty_run())
    assert run_dir.load_run() == empty_run()
