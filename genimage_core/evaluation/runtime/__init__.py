"""Which precision and runtime each detector can use on a CPU, measured."""
