"""A teacher's predictions, and the training of students on them."""
