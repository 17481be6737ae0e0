"""Components of the degrade page."""
