"""The experiments, one folder each; run through the command line or from Python."""
