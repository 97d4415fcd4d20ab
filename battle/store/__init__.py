"""The run directory: reports/<run id>/, and how runs are found again.

    reports/<run id>/   scenario.yaml events.jsonl requests.npy attempts.npy run.json report.md … raw/ undo.jsonl
    reports/latest  ->  <run id>, and reports/latest.md

The order of writes is the promise: the scenario first, the evidence second, the verdict last. A run directory without
run.json was cut off before it was judged; its evidence can be judged later.
"""

from battle.store.catalogue import Entry, Store
from battle.store.journal import JournalWriter
from battle.store.reading import StoredEvidence
from battle.store.run_dir import RunDir
from battle.store.writing import SaveError

__all__ = ["Entry", "JournalWriter", "RunDir", "SaveError", "Store", "StoredEvidence"]
