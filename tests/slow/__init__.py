"""Tests that take minutes: `make slow-test`."""
