"""`python -m benchmarks.training.worker SIDE DISTORTION MODEL PRESET THREADS DATA`: one side in a process.

A number of steps comes as a line of standard input; the seconds by part go out as a line of JSON. It ends
with its input.
"""

import json
import sys
import time

from torchstn.recipes.distorted_mnist import Config

from .sides import run


def main(words: list[str]) -> None:
    """Trains as ordered."""
    side, distortion, model, preset, threads, data = words
    start = 0.0

    def order(parts: dict[str, float] | None) -> int:
        nonlocal start
        seconds = time.perf_counter() - start
        sys.stdout.write(json.dumps({"seconds": seconds, "parts": parts}) + "\n")
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            raise SystemExit
        start = time.perf_counter()
        return int(line)

    config = Config.make(
        preset, distortion=distortion, model=model, threads=int(threads), data_dir=data or None
    )
    run(side, config, order)


if __name__ == "__main__":
    main(sys.argv[1:])
