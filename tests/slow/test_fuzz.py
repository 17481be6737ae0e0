"""Ten thousand damaged files of every kind through loading and provenance: none may crash.

The files are made from a seed. They run in a process of their own, so that a decoder that crashes or takes
all memory is seen as what it is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measures by Linux's /proc"),
]

FILES, SEED, BATCHES = 10_000, 20_260, 4
SLOWEST, LARGEST = 5.0, 1 << 30

WORKER = """
import json, sys, time
from tests.helpers.fuzz import mutants
from genimage_core.images.load import load_image, count_pixels
from genimage_core.provenance import read_provenance
from genimage_core.utils.errors import ImageReadError

def highest():
    \"\"\"Most resident memory since the process started; getrusage would count its parent's, too.\"\"\"
    line = next(l for l in open("/proc/self/status") if l.startswith("VmHWM"))
    return int(line.split()[1]) * 1024

start, count, seed = map(int, sys.argv[1:])
read_provenance(b"")  # what is imported late counts for no file
base = highest()
slowest, read, refused, failures = (0.0, ""), 0, 0, []
for name, data in mutants(start, count, seed):
    began = time.perf_counter()
    try:
        count_pixels(data)
        loaded = None
        try:
            loaded = load_image(data, name=name)
            read += 1
        except ImageReadError as error:
            refused += 1
            assert error.message and error.hint, "an error that does not say what to do"
        found = read_provenance(data, name, pixels=loaded.pixels if loaded else None)
        assert found.explanation
        found.model_dump_json()
    except BaseException as error:
        failures.append(f"{name}: {type(error).__name__}: {error}")
    slowest = max(slowest, (time.perf_counter() - began, name))
peak = highest()
print(json.dumps({"slowest": slowest, "read": read, "refused": refused, "failures": failures[:20],
                  "added": peak - base}))
"""


@pytest.mark.parametrize("batch", range(BATCHES))
def test_damaged_files(batch: int) -> None:
    size = FILES // BATCHES
    arguments = [str(batch * size), str(size), str(SEED)]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WORKER, *arguments],
        capture_output=True,
        timeout=3000,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found = json.loads(done.stdout.decode().splitlines()[-1])
    print(found)
    assert found["failures"] == []
    assert found["read"] + found["refused"] == size
    assert found["read"] > size // 20, "nearly nothing is read: the mutations test the first check alone"
    assert found["slowest"][0] < SLOWEST
    assert found["added"] < LARGEST
