"""The recording of a run: its arrivals with their requests, in a form that `replay` plays again."""

import json

import pytest
from analysis.build import Bench

from battle.analysis.recorded import holding_masks, recorded
from battle.core.records import Outcome

CALL = {"method": "eth_call", "params": [{"to": "${address}"}, "latest"], "weight": 3, "expect": {"error": "any"}}
WRITE = {"method": "eth_sendRawTransaction", "params": ["***"], "write": True}
GET = {"verb": "GET", "path": "/x", "headers": {"x-a": "1"}, "expect": {"json": {"a": 1}}}


def bench() -> Bench:
    other = {"load": {"kind": "constant", "rate": "1/s", "duration": "1s"}, "requests": [GET]}
    return Bench(seconds=2, warmup=1, stream={"requests": [CALL, WRITE]}, more_streams={"pages": other})


def lines(made: Bench, stream: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in recorded(made.evidence(), stream)]


def test_each_arrival_stands_with_its_request_by_the_instant_it_was_due() -> None:
    made = bench()
    made.request(-1000, template=1)  # the load begins with the warm-up
    made.request(20.5, template=0)
    made.request(10, template=1)
    made.request(30, outcome=Outcome.DROPPED, template=0)
    made.request(15, template=2, stream=1)
    call = {"method": "eth_call", "params": [{"to": "${address}"}, "latest"], "expect": {"error": "any"}}
    assert lines(made, "reads") == [
        {"at_ms": 0, **WRITE},
        {"at_ms": 1010, **WRITE},
        {"at_ms": 1020.5, **call},
        {"at_ms": 1030, **call},
    ]
    assert lines(made, "pages") == [{"at_ms": 1015, **GET}]


def test_arrivals_without_a_record_are_not_in_it() -> None:
    made = bench()
    made.request(10)
    evidence = made.evidence()
    evidence.requests["key"] = 0
    assert list(recorded(evidence, "reads")) == []


@pytest.mark.parametrize(("stream", "labels"), [("reads", ["eth_sendRawTransaction"]), ("pages", [])])
def test_masks_are_found(stream: str, labels: list[str]) -> None:
    assert holding_masks(bench().scenario(), stream) == labels
