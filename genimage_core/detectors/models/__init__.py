"""One network a file, with its model card beside it."""
