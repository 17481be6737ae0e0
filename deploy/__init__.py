"""Preparing a server, and the hosted Spaces."""
