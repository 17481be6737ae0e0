"""sha256 of files, remembered: a file of the same path, size and modification time is not read again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from genimage_core.datasets.storage import is_remote
from genimage_core.utils.errors import DatasetError
from genimage_core.utils.paths import cache_folder

_CHUNK = 500  # below SQLite's limit on the parameters of a query
_GONE = "the file is gone, or cannot be read."


def content_hashes(paths: Sequence[Path], workers: int = 4) -> list[str]:
    """sha256 of each file's bytes, hexadecimal, in order.

    Args:
        paths: files, on this machine or remote.
        workers: threads that read.

    Raises:
        DatasetError: a file is gone or cannot be read.
    """
    with ThreadPoolExecutor(workers) as pool, _open_cache() as cache:
        states = list(pool.map(_state, paths))
        known = _known(cache, [_key(path) for path in paths]) if cache else {}
        missing = [(p, s) for p, s in zip(paths, states, strict=True) if known.get(_key(p), ("", ""))[0] != s]
        for (path, state), digest in zip(missing, pool.map(_digest, [p for p, _ in missing]), strict=True):
            known[_key(path)] = (state, digest)
        if cache:
            rows = [(_key(path), *known[_key(path)]) for path, _ in missing]
            with contextlib.suppress(sqlite3.Error), cache:
                cache.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", rows)
    return [known[_key(path)][1] for path in paths]


def _key(path: Path) -> str:
    key = str(path) if is_remote(path) else os.path.abspath(path)
    try:
        key.encode()
    except UnicodeEncodeError:  # a name that is no UTF-8
        return f"bytes {os.fsencode(key).hex()}"
    return key


def _state(path: Any) -> str:
    """What changes when a file does, without reading it."""
    try:
        if is_remote(path):
            return str(path.fs.ukey(path.path))
        facts = path.stat()
        return f"{facts.st_size} {facts.st_mtime_ns}"
    except OSError:
        raise DatasetError(_GONE, hint="Scan again.", source=str(path)) from None


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            digest = hashlib.sha256()
            while part := file.read(1 << 20):
                digest.update(part)
            return digest.hexdigest()
    except OSError:
        raise DatasetError(_GONE, hint="Scan again.", source=str(path)) from None


@contextlib.contextmanager
def _open_cache() -> Iterator[sqlite3.Connection | None]:
    """The remembered hashes; None where they cannot be kept, which costs time and nothing else."""
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        cache = sqlite3.connect(folder / "hashes.sqlite", timeout=20)
        cache.execute("CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, state TEXT, sha256 TEXT)")
    except (OSError, RuntimeError, sqlite3.Error):
        yield None
        return
    with contextlib.closing(cache):
        yield cache


def _known(cache: sqlite3.Connection, keys: Sequence[str]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for start in range(0, len(keys), _CHUNK):
        part = keys[start : start + _CHUNK]
        marks = ",".join("?" * len(part))
        with contextlib.suppress(sqlite3.Error):
            rows = cache.execute(f"SELECT path, state, sha256 FROM files WHERE path IN ({marks})", part)
            found |= {path: (state, digest) for path, state, digest in rows}
    return found
