"""Components of the detect page."""
