"""`python -m genimage_core ...`."""

from genimage_core.cli import main

main()
