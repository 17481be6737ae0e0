"""Components of the about page."""
