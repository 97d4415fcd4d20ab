"""The recording of a stored run: what `replay` plays again."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from battle.analysis.evidence import Evidence
from battle.core.recording import print_line
from battle.core.scenario import MASK, BatchRequest, HttpRequest, RpcRequest, Scenario

_BLOCK = 4096


def recorded(evidence: Evidence, stream: str) -> Iterator[bytes]:
    """The lines of a stream's arrivals, by the instants they were due, from the start of the load.

    The warm-up and what was dropped are in it. A request stands there as in the scenario: `${key}` is no number yet.
    """
    number = list(evidence.scenario.workload).index(stream)
    columns = evidence.columns
    own = np.flatnonzero((columns.stream == number) & columns.leads)
    own = own[np.argsort(columns.scheduled_ns[own], kind="stable")]
    start = evidence.t0_ns - evidence.scenario.warmup_ns
    first_template = next(index for index, one in enumerate(evidence.scenario.templates) if one.stream == number)
    sent = evidence.scenario.workload[stream].numbered(first_template)
    lines = {template: _written(request) for template, request in sent.items()}
    for first in range(0, len(own), _BLOCK):
        block = own[first : first + _BLOCK]
        offsets = np.maximum(columns.scheduled_ns[block] - start, 0).tolist()
        for offset, template in zip(offsets, columns.template[block].tolist(), strict=True):
            yield print_line(offset, lines[template])


def holding_masks(scenario: Scenario, stream: str) -> list[str]:
    """Labels of a stream's requests that hold a mask in the place of what came from the environment."""
    texts = [(request.label, print_line(0, _written(request))) for request in scenario.workload[stream].requests]
    return list(dict.fromkeys(label for label, text in texts if MASK.encode() in text))


def _written(request: RpcRequest | BatchRequest | HttpRequest) -> dict[str, Any]:
    """A request as one writes it, without its weight."""
    return request.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"weight"})
