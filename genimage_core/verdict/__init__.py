"""From one image to its report: scores, their combination, and what must be known about the image."""
