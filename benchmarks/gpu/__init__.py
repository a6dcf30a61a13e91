"""The same question on a GPU: `python -m benchmarks` asks it where it finds one."""
