"""Record files: what is written is read, also from a process that was killed, also when the disk is full."""

import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from battle.core.codes import REQUEST_FORMAT
from battle.core.records import REQUEST
from battle.errors import EvidenceError
from battle.system.mapped import MappedReader
from battle.system.mapped_writer import CHUNK_RECORDS, MappedWriter

RECORD = struct.Struct(REQUEST_FORMAT)


def put(writer: MappedWriter, index: int, key: int) -> None:
    chunk, offset = writer.place(index)
    RECORD.pack_into(chunk, offset, key, *([index % 200] * 17))


def test_what_is_written_is_read_at_once_and_gaps_stay_empty(tmp_path: Path) -> None:
    writer = MappedWriter(tmp_path / "r", key_base=1000)
    reader = MappedReader(tmp_path / "r", REQUEST)
    for index in (0, 1, 5):
        put(writer, index, 1000 + index)
    assert reader.written("key")["key"].tolist() == [1000, 1001, 1005]
    assert reader.read(5, 1)["status"].tolist() == [5]
    assert reader.read(2, 3)["key"].tolist() == [0, 0, 0]
    writer.lose()
    assert reader.header() == (1000, 1)
    writer.close()
    assert len(reader.written("key")) == 3


def test_it_grows_by_chunks(tmp_path: Path) -> None:
    writer = MappedWriter(tmp_path / "r")
    for index in (0, CHUNK_RECORDS - 1, CHUNK_RECORDS, 3 * CHUNK_RECORDS + 7):
        put(writer, index, index + 1)
    reader = MappedReader(tmp_path / "r", REQUEST)
    assert reader.written("key")["key"].tolist() == [1, CHUNK_RECORDS, CHUNK_RECORDS + 1, 3 * CHUNK_RECORDS + 8]
    assert len(reader.read()) == 4 * CHUNK_RECORDS


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(b"x" * 5000)
    with pytest.raises(EvidenceError, match="not a record file"):
        MappedReader(tmp_path / "r", REQUEST).header()
    assert len(MappedReader(tmp_path / "absent", REQUEST).read()) == 0


WRITER = """
import sys, struct
from pathlib import Path
from battle.core.codes import REQUEST_FORMAT
from battle.system.mapped_writer import MappedWriter
writer = MappedWriter(Path(sys.argv[1]))
record = struct.Struct(REQUEST_FORMAT)
index = 0
while True:
    try:
        chunk, offset = writer.place(index)
    except OSError:
        writer.lose()
        if writer.lost == 3:
            break
        continue
    record.pack_into(chunk, offset, index + 1, *([1] * 17))
    index += 1
    if index % 1000 == 0:
        print(index, flush=True)
print(index, flush=True)
"""


@pytest.mark.e2e
def test_what_was_written_survives_the_sigkill_of_its_writer(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / "r"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = 0
    while said < 20_000:
        said = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    said = max([said, *map(int, process.stdout.read().split())])
    process.stdout.close()
    keys = MappedReader(tmp_path / "r", REQUEST).written("key")["key"]
    assert len(keys) >= said
    assert keys.tolist() == list(range(1, len(keys) + 1))


@pytest.mark.e2e
def test_a_full_disk_is_an_error_and_no_sigbus(tmp_path: Path) -> None:
    limit = 3 << 20  # a file may have three megabytes: RLIMIT_FSIZE stands for a disk that is full
    script = f"import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
    done = subprocess.run(
        [sys.executable, "-c", script + WRITER, tmp_path / "r"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    written = int(done.stdout.split()[-1])
    assert written == 2 * CHUNK_RECORDS
    reader = MappedReader(tmp_path / "r", REQUEST)
    assert reader.header()[1] == 3
    assert len(reader.written("key")) == written


def test_a_provider_process_needs_no_numpy_and_no_pydantic() -> None:
    script = "import sys, battle.providers.mock_server; print({'numpy', 'pydantic', 'anyio'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
