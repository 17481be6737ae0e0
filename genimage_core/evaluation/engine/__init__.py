"""The evaluation engine: records and detectors in, rows of scores out."""
