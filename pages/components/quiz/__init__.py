"""Components of the quiz page."""
