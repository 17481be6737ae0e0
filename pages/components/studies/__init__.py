"""Components of the studies page."""
