"""Side by side with what else could be used: `python -m benchmarks`, or `make bench`."""
