"""Components of the dataset page."""
