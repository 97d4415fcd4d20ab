"""Batches through a real proxy: a provider dies under them, and later refuses one of their calls."""

from pathlib import Path

import numpy as np
import pytest
from e2e.command import SCENARIOS, run_json

from battle.core.records import REQUEST_MEMBER, KeySource

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_each_call_is_found_at_its_provider_by_its_own_key(tmp_path: Path) -> None:
    code, run = run_json(SCENARIOS / "batch.yaml", "--proxy", "nginx", cwd=tmp_path)
    assert (code, run["verdict"]) == (0, "pass"), run["reasons"]
    requests = run["analysis"]["requests"]
    assert requests["calls"] == requests["ok"] + requests["failed"] > 2 * requests["total"]
    by_method = requests["by_method"]
    assert by_method["eth_call"]["failed"] == requests["failed"] > 0, "only what was refused failed"
    assert requests["errors"] == {"rpc_error": requests["failed"]}
    attribution = run["analysis"]["failover"]["attribution"]
    assert attribution["joined"] == 1
    assert attribution["by"]["id"] == requests["ok"]
    directory = tmp_path / "reports" / "latest"
    records, attempts = np.load(directory / "requests.npy"), np.load(directory / "attempts.npy")
    assert set(attempts["key_source"]) == {KeySource.ID}
    assert set(attempts["key"]) <= set(records["key"])
    calls = dict(zip(records["key"].tolist(), records["flags"].tolist(), strict=True))
    members = np.array([calls[key] & REQUEST_MEMBER > 0 for key in attempts["key"].tolist()])
    assert (members == (attempts["batch_index"] > 0)).all()
