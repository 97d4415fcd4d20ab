"""One run's directory: where each of its files is, and how it is written."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import orjson

from battle.core.record_source import Records, RecordSource
from battle.core.records import ATTEMPT, REQUEST, Attempts, Requests
from battle.core.run import Run
from battle.store.journal import JournalWriter
from battle.store.reading import StoredEvidence, read_evidence, read_run, read_text
from battle.store.record_files import save_records
from battle.store.writing import SaveError, write_bytes, write_whole


class RunDir:
    """A run's directory. Every `save_…` writes a whole file or raises SaveError and leaves the others as they are."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def run_id(self) -> str:
        """The run's name, which is the directory's."""
        return self.path.name

    @property
    def raw_dir(self) -> Path:
        """Where providers and workers map their record files."""
        return self.path / "raw"

    @property
    def undo_path(self) -> Path:
        """The undo journal, which `battle rollback` plays."""
        return self.path / "undo.jsonl"

    @property
    def scenario_path(self) -> Path:
        """The scenario as it was resolved."""
        return self.path / "scenario.yaml"

    @property
    def events_path(self) -> Path:
        """The journal."""
        return self.path / "events.jsonl"

    @property
    def requests_path(self) -> Path:
        """The requests' records."""
        return self.path / "requests.npy"

    @property
    def attempts_path(self) -> Path:
        """The providers' records."""
        return self.path / "attempts.npy"

    @property
    def run_path(self) -> Path:
        """The run document."""
        return self.path / "run.json"

    def journal(self) -> JournalWriter:
        """A writer that appends to the journal."""
        return JournalWriter(self.events_path)

    def save_scenario(self, text: str) -> None:
        """Write scenario.yaml. Raises SaveError."""
        write_bytes(self.scenario_path, text.encode())

    def save_schedules(self, schedules: Mapping[tuple[str, int], Records]) -> dict[tuple[str, int], Path]:
        """Write the arrivals of recordings, by stream and phase, and give their files. Raises SaveError."""
        paths = {(stream, phase): self.raw_dir / f"{stream}-{phase}.arrivals.npy" for stream, phase in schedules}
        for key, path in paths.items():
            save_records(path, schedules[key], schedules[key].dtype)
        return paths

    def save_requests(self, requests: Requests | RecordSource) -> None:
        """Write requests.npy. Raises SaveError."""
        save_records(self.requests_path, requests, REQUEST)

    def save_attempts(self, attempts: Attempts | RecordSource) -> None:
        """Write attempts.npy. Raises SaveError."""
        save_records(self.attempts_path, attempts, ATTEMPT)

    def remove_raw_records(self) -> None:
        """Remove the files that providers and workers wrote: requests.npy and attempts.npy hold their records now."""
        for path in self.raw_dir.glob("*"):
            with suppress(OSError):
                path.unlink()
        with suppress(OSError):
            self.raw_dir.rmdir()

    def save_run(self, run: Run) -> None:
        """Write run.json, last of all: it says that the run was judged. Raises SaveError."""
        write_bytes(self.run_path, orjson.dumps(run.model_dump(mode="json"), option=orjson.OPT_INDENT_2) + b"\n")

    def save_report(self, name: str, content: str | bytes) -> None:
        """Write a report under this file name. Raises SaveError."""
        write_bytes(self.path / name, content.encode() if isinstance(content, str) else content)

    def update_latest(self) -> None:
        """Let reports/latest name this run, and reports/latest.md be its report. Raises SaveError.

        Where there are no symbolic links, `latest` is a file that holds the run id.
        """
        link, beside = self.path.parent / "latest", self.path.parent / f".latest.{self.run_id}"
        try:
            beside.unlink(missing_ok=True)
            beside.symlink_to(self.run_id, target_is_directory=True)
            beside.replace(link)
        except (OSError, NotImplementedError):
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            write_bytes(link, f"{self.run_id}\n".encode())
        self._copy_report()

    def _copy_report(self) -> None:
        report, copy = self.path / "report.md", self.path.parent / "latest.md"
        if report.is_file():
            with report.open("rb") as source:
                write_whole(copy, lambda file: shutil.copyfileobj(source, file))
            return
        try:
            copy.unlink(missing_ok=True)  # it would be the report of another run
        except OSError as error:
            raise SaveError(copy, error) from error

    def scenario_text(self) -> str:
        """scenario.yaml. Raises EvidenceError."""
        return read_text(self.scenario_path)

    def load(self) -> StoredEvidence:
        """What the run left for its judgement. Raises EvidenceError."""
        return read_evidence(self.path)

    def load_run(self) -> Run:
        """The run document. Raises EvidenceError."""
        return read_run(self.run_path)
