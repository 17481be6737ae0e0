"""Components of the benchmark page."""
