"""What the benchmarks' command lines have in common."""

import tempfile
from pathlib import Path

from torchstn.training.provenance import cores


def threads_of(text: str) -> list[int]:
    """Numbers of threads, as `--threads` has them: empty for one, and all cores.

    Raises:
        ValueError: If they are no numbers from 1 on.
    """
    if not text:
        return sorted({1, cores()})
    try:
        counts = sorted({int(word) for word in text.split(",")})
    except ValueError:
        counts = []
    if not counts or min(counts) < 1:
        raise ValueError(f"`--threads` must be numbers as 1,2; got {text!r}.")
    return counts


def scratch() -> Path:
    """Where a record goes whose times mean nothing."""
    return Path(tempfile.mkdtemp(prefix="torchstn-bench-")) / "quick.json"
