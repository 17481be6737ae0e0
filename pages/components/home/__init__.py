"""Components of the home page."""
