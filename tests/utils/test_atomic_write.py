"""Files that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from genimage_core.utils import atomic_write


def test_a_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Content first, then the name, then the folder: the order that survives a loss of power."""
    calls: list[str] = []
    fsync, replace = atomic_write.os.fsync, Path.replace

    def note_sync(descriptor: int) -> None:
        calls.append("sync")
        fsync(descriptor)

    def note_rename(self: Path, target: Path) -> Path:
        calls.append("rename")
        return replace(self, target)

    monkeypatch.setattr(atomic_write.os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_rename)
    atomic_write.fill_whole(tmp_path / "a", lambda part: part.write_text("whole"))
    assert calls == ["sync", "rename", "sync"]
    assert (tmp_path / "a").read_text() == "whole"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_what_fails_half_way_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "a.json"
    atomic_write.write_whole(path, b"old")

    def no_space(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:1])
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_bytes", no_space)
    with pytest.raises(OSError, match="no space"):
        atomic_write.write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]
