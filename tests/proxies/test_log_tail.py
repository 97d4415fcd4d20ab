from pathlib import Path

from battle.proxies.log_tail import LogTail


def test_whole_lines_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    tail = LogTail(path)
    assert tail.new_lines() == []
    with path.open("w") as file:
        for written, seen in [("a\nb", ["a"]), ("", []), ("c\n", ["bc"]), ("d\n\ne\n", ["d", "", "e"])]:
            file.write(written)
            file.flush()
            assert tail.new_lines() == seen
