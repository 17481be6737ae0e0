"""Linear heads on a frozen trunk's features."""
