"""Rows of scores on disk: numbered Parquet files, each of which appears whole or not at all.

A file holds every row of some images. So the images that are done are known from the files alone, and a
process that is killed loses what it had not yet written, never what it had.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypedDict

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from genimage_core.evaluation.plan import RUN_FILE, Plan, check_same, read_plan
from genimage_core.utils.atomic_write import fill_text, fill_whole
from genimage_core.utils.errors import EvaluationError
from genimage_core.utils.old_names import PREPROCESSING, RUN

if TYPE_CHECKING:
    import pandas as pd

_NAME = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("generator", _NAME, nullable=False),
        pa.field("split", _NAME, nullable=False),
        pa.field("label", pa.int8(), nullable=False),
        pa.field("detector", _NAME, nullable=False),
        pa.field("weights", _NAME, nullable=False),
        pa.field("degradation", _NAME, nullable=False),
        pa.field("data_protocol", _NAME, nullable=False),
        pa.field("preprocessing", _NAME, nullable=False),
        pa.field("p_fake", pa.float32()),
        pa.field("error", pa.string()),
    ]
)
"""One row an image, detector and degradation; of `p_fake` and `error` exactly one is there."""

_KEY = ["image_id", "detector", "degradation"]
_SHARD = re.compile(r"rows-(\d{6,})\.parquet")


class Row(TypedDict):
    """One row; the fields of `SCHEMA`."""

    image_id: str
    generator: str
    split: str
    label: int
    detector: str
    weights: str
    degradation: str
    data_protocol: str
    preprocessing: str
    p_fake: float | None
    error: str | None


class RunStore:
    """The run folder, held by one process at a time; use as a context manager.

    Args:
        folder: made where absent; a run that is there goes on.
        plan: what is to be scored.

    Raises:
        EvaluationError: on entering: another process holds the folder, or its plan is another one, or
            its rows have no plan, or one of its files is damaged.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        self._lock = FileLock(folder / "run.lock")
        self._next = 1

    def __enter__(self) -> RunStore:
        try:
            (self.folder / "rows").mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise EvaluationError(
                "another process works in this folder.",
                hint="Wait for it, or stop it.",
                source=str(self.folder),
            ) from None
        except OSError as error:
            raise EvaluationError(
                f"the folder cannot be written to ({error.strerror}).",
                hint="Choose another folder for the run.",
                source=str(self.folder),
            ) from None
        try:
            self._take_up()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def _take_up(self) -> None:
        for part in [*self.folder.glob("*.part"), *(self.folder / "rows").glob("*.part")]:
            part.unlink()
        shards = list_shards(self.folder)
        if (self.folder / RUN_FILE).exists():
            check_same(read_plan(self.folder), self.plan, self.folder)
        elif shards:
            raise EvaluationError(
                f"it holds rows, but no {RUN_FILE} that says of what.",
                hint="Choose another folder.",
                source=str(self.folder),
            )
        else:
            text = self.plan.model_dump_json(indent=1) + "\n"
            fill_text(self.folder / RUN_FILE, text)
        self._next = 1 + max((_number(path) for path in shards), default=0)

    def append(self, rows: Sequence[Row]) -> Path:
        """Write the rows of some images, all of each image's, as the next file."""
        path = self.folder / "rows" / f"rows-{self._next:06d}.parquet"
        table = pa.Table.from_pylist(list(rows), schema=SCHEMA)
        fill_whole(path, lambda part: pq.write_table(table, part, compression="zstd"))
        self._next += 1
        return path

    def done(self) -> set[str]:
        """Ids of the images that have all their rows.

        Raises:
            EvaluationError: a file is damaged, or an image has other rows than the plan asks for.
        """
        found: set[str] = set()
        for path in list_shards(self.folder):
            counts = read_shard(path, ["image_id"])["image_id"].value_counts().to_pylist()
            ids = {entry["values"] for entry in counts}
            if found & ids or any(entry["counts"] != self.plan.rows_per_image for entry in counts):
                raise _damaged(path)
            found |= ids
        return found


def read_rows(folder: Path) -> pd.DataFrame:
    """All rows of a run in the order in which they were written; names as categories.

    Raises:
        EvaluationError: a file is damaged, or a score is there twice.
    """
    tables = [read_shard(path) for path in list_shards(folder)] or [SCHEMA.empty_table()]
    # Each file numbers its names in its own way.
    rows = pa.concat_tables(tables).unify_dictionaries().combine_chunks().to_pandas()
    if rows.duplicated(_KEY).any():
        raise EvaluationError(
            "a score is there twice.", hint="Remove the files that were copied into it.", source=str(folder)
        )
    return rows


def list_shards(folder: Path) -> list[Path]:
    """The files of rows of a run folder, in their order."""
    paths = [p for p in (folder / "rows").glob("rows-*.parquet") if _SHARD.fullmatch(p.name)]
    return sorted(paths, key=_number)


def _number(path: Path) -> int:
    match = _SHARD.fullmatch(path.name)
    return int(match[1]) if match else 0


def read_shard(path: Path, columns: list[str] | None = None) -> pa.Table:
    """One file of rows, under today's names; only some columns where they are named.

    Raises:
        EvaluationError: it is damaged.
    """
    try:
        # Not `read_table`: that reads folders' names into columns.
        with pq.ParquetFile(path) as file:
            here = {RUN.get(name, name): name for name in file.schema_arrow.names}
            table = file.read([here[name] for name in columns or here])
        table = _under_todays_names(table)
        return table.select(columns) if columns else table.cast(SCHEMA)
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise _damaged(path) from error


def _under_todays_names(table: pa.Table) -> pa.Table:
    table = table.rename_columns([RUN.get(name, name) for name in table.column_names])
    if "preprocessing" in table.column_names:
        values = table["preprocessing"].cast(pa.string())
        for old, new in PREPROCESSING.items():
            values = pc.if_else(pc.equal(values, old), new, values)
        place = table.column_names.index("preprocessing")
        table = table.set_column(place, "preprocessing", values.dictionary_encode())
    return table


def _damaged(path: Path) -> EvaluationError:
    return EvaluationError(
        "this file of rows is damaged.", hint="Delete it: its images are scored again.", source=str(path)
    )
