"""Counts while the run goes on, against records whose numbers are known."""

from pathlib import Path

import numpy as np

from battle.core.journal import EventKind
from battle.core.keys import key_base
from battle.core.objective import Objective
from battle.core.ports.wire import Call
from battle.core.record_source import pieces_of, whole
from battle.core.records import ATTEMPT, REQUEST, ErrorClass, Outcome
from battle.core.scenario import Scenario
from battle.core.units import NS_PER_S
from battle.engine.collecting import gather, requests_file
from battle.engine.guards import Guard, LastSecond
from battle.engine.recorder import Recorder
from battle.engine.tally import RequestTallies, RequestTally
from battle.system.mapped import MappedWriter

BASE = key_base(3)
S = NS_PER_S
REQUESTS_FILE = requests_file(0)


def recorder(path: Path) -> Recorder:
    return Recorder(MappedWriter(path, BASE), BASE)


def ended(number: int, at_ns: int, outcome: Outcome = Outcome.OK, took_ns: int = S // 100) -> Call:
    call = Call(BASE + number, 0, at_ns - took_ns, started_ns=at_ns - took_ns, ended_ns=at_ns, outcome=outcome)
    if outcome is Outcome.FAILED:
        call.error = ErrorClass.TIMEOUT
    return call


def test_counts_grow_and_the_last_second_moves(tmp_path: Path) -> None:
    writer = recorder(tmp_path / "r")
    tally = RequestTally(tmp_path / "r")
    for number in range(100):
        writer.write(ended(number, 10 * S + number * S // 50, Outcome.FAILED if number % 10 == 0 else Outcome.OK), 0)
    counts = tally.look(12 * S)
    assert (counts.ok, counts.failed, counts.dropped) == (90, 10, 0)
    assert len(counts.recent) == 49
    assert counts.in_flight == 0


def test_what_has_not_ended_is_in_flight_and_counted_when_it_ends(tmp_path: Path) -> None:
    writer = recorder(tmp_path / "r")
    tally = RequestTally(tmp_path / "r")
    writer.write(ended(0, 5 * S), 0)
    writer.write(ended(3, 5 * S), 0)
    assert tally.look(5 * S).in_flight == 2
    writer.write(ended(1, 5 * S), 0)
    writer.write(ended(2, 5 * S), 0)
    counts = tally.look(5 * S)
    assert (counts.ok, counts.in_flight) == (4, 0)


def test_many_records_are_counted_once(tmp_path: Path) -> None:
    writer = recorder(tmp_path / "r")
    tally = RequestTally(tmp_path / "r")
    total = 70_000
    for number in range(total):
        writer.write(ended(number, S + number * 100_000), 0)
        if number % 20_000 == 0:
            tally.look(S + number * 100_000)
    counts = tally.look(S + total * 100_000)
    assert counts.ok == total
    assert len(counts.recent) == 9_999


def test_one_that_waits_long_hides_nothing_that_came_after_it(tmp_path: Path) -> None:
    writer = recorder(tmp_path / "r")
    tally = RequestTally(tmp_path / "r")
    total = 70_000
    for number in range(1, total):
        writer.write(ended(number, S + number * 100_000), 0)
    counts = tally.look(S + total * 100_000)
    assert (counts.ok, counts.in_flight, len(counts.recent)) == (total - 1, 1, 9_999)


def test_what_was_dropped_stays_in_the_last_second(tmp_path: Path) -> None:
    writer = recorder(tmp_path / "r")
    tally = RequestTally(tmp_path / "r")
    total = 40_000
    for number in range(total):
        writer.write(Call(BASE + number, 0, 9 * S + number * 10_000, outcome=Outcome.DROPPED), 0)
    for _ in range(2):
        assert len(tally.look(9 * S + total * 10_000).recent) == total


def test_no_file_yet(tmp_path: Path) -> None:
    counts = RequestTally(tmp_path / "absent").look(S)
    assert (counts.ok, len(counts.recent)) == (0, 0)


def scenario(slo: str) -> Scenario:
    data = {
        "name": "t",
        "setup": {"providers": {"alpha": {"kind": "mock"}}},
        "workload": {
            "r": {"load": {"kind": "constant", "rate": "1/s", "duration": "9s"}, "requests": [{"method": "m"}]}
        },
        "slo": [{"objective": slo, "guard": True, "for": "2s"}],
    }
    return Scenario.model_validate(data)


def test_a_guard_measures_as_the_analysis_does(tmp_path: Path) -> None:
    writer = recorder(tmp_path / "r")
    for number in range(10):
        writer.write(ended(number, S + number, Outcome.FAILED if number < 3 else Outcome.OK), 0)
    counts = RequestTally(tmp_path / "r").look(S + 100)
    made = scenario("success_rate >= 99%")
    assert LastSecond(made, counts.recent, S + 100).measure(made.slo[0]) == 0.7


def test_a_guard_breaks_when_every_look_of_its_time_was_bad() -> None:
    objective = Objective.model_validate({"objective": "success_rate >= 90%", "guard": True, "for": "2s"})
    looks: list[tuple[float, float | None]] = [
        (0, 0.5),
        (1, 0.5),
        (1.5, 0.95),
        (2, 0.5),
        (3, None),
        (3.5, 0.1),
        (5, 0.1),
        (5.5, 0.1),
    ]
    guard = Guard(objective)
    broken = [at for at, value in looks if guard.look(lambda _, value=value: value, round(at * S))]  # type: ignore[misc]
    assert broken == [5.5]
    assert guard.actual == 0.1


def test_evidence_is_gathered_and_losses_are_told(tmp_path: Path) -> None:
    writer = MappedWriter(tmp_path / REQUESTS_FILE, BASE)
    Recorder(writer, BASE).write(ended(4, S), 0)
    writer.lose()
    told: list[str] = []
    requests, attempts = gather(tmp_path, lambda kind, **fields: told.append(f"{kind} {fields['text']}"))
    assert whole(requests, REQUEST)["key"].tolist() == [BASE + 4]
    assert len(whole(attempts, ATTEMPT)) == 0
    assert told == [f"{EventKind.WARNING} no space left on the disk: 1 records of {REQUESTS_FILE} are missing"]


def test_a_worker_that_left_nothing_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    requests, _ = gather(tmp_path, lambda _, **fields: told.append(fields["text"]))
    assert len(whole(requests, REQUEST)) == 0
    assert told
    assert REQUESTS_FILE in told[0]


def test_the_requests_of_several_workers_are_gathered_in_the_order_of_keys(tmp_path: Path) -> None:
    for worker, slots in ((0, (0, 1, 20_000)), (1, (0, 2)), (2, ())):
        path = tmp_path / requests_file(worker)
        writer = Recorder(MappedWriter(path, BASE + worker), BASE + worker, 3)
        for slot in slots:
            writer.write(ended(3 * slot + worker, S), 0)
    told: list[str] = []
    requests, _ = gather(tmp_path, lambda _, **fields: told.append(fields["text"]), 3)
    assert [int(key) - BASE for key in whole(requests, REQUEST)["key"]] == [0, 1, 3, 7, 60_000]
    for size in (1, 2, 3, 4, 1 << 20):
        pieces = list(pieces_of(requests, size))
        assert np.array_equal(np.concatenate(pieces), whole(requests, REQUEST))
        assert max(map(len, pieces)) <= size
    assert told == []


def test_a_worker_that_left_nothing_does_not_hide_the_others(tmp_path: Path) -> None:
    writer = Recorder(MappedWriter(tmp_path / requests_file(1), BASE + 1), BASE + 1, 2)
    writer.write(ended(1, S), 0)
    told: list[str] = []
    requests, _ = gather(tmp_path, lambda _, **fields: told.append(fields["text"]), 2)
    assert whole(requests, REQUEST)["key"].tolist() == [BASE + 1]
    (warning,) = told
    assert requests_file(0) in warning


def test_the_live_view_adds_up_what_the_workers_wrote(tmp_path: Path) -> None:
    paths = [tmp_path / requests_file(worker) for worker in range(2)]
    writers = [Recorder(MappedWriter(path, BASE + worker), BASE + worker, 2) for worker, path in enumerate(paths)]
    tallies = RequestTallies(paths)
    writers[0].write(ended(0, 5 * S), 0)
    writers[0].write(ended(4, 5 * S, Outcome.FAILED), 0)  # 2 is still in flight
    writers[1].write(ended(3, 5 * S, Outcome.DROPPED), 0)  # 1 is still in flight
    counts = tallies.look(5 * S)
    assert (counts.ok, counts.failed, counts.dropped, counts.in_flight) == (1, 1, 1, 2)
    assert [int(key) - BASE for key in counts.recent["key"]] == [0, 3, 4]
