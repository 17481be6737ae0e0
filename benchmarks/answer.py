"""How long the detectors take to answer: the command `python -m genimage_core benchmark` under its old name.

python -m benchmarks.answer
"""

from __future__ import annotations

import argparse

from genimage_core.cli_runtime import benchmark


def main() -> None:
    """Measure and print milliseconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0: torch's default")
    options = parser.parse_args()
    benchmark(threads=options.threads, rounds=options.rounds)


if __name__ == "__main__":
    main()
