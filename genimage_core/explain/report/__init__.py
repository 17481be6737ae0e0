"""One picture's result as a file: HTML and PDF."""
