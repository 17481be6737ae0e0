"""From a data set to rows of scores, and from rows to metrics."""
