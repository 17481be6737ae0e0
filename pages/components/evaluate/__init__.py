"""Components of the evaluate page."""
