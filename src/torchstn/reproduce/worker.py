"""`python -m torchstn.reproduce.worker WORDS`: `torchstn WORDS`, which stops when standard input closes.

Whoever started it holds the other end of the input. When that process lets go of it, or dies in whatever way,
the training is interrupted as by Ctrl-C, so that none goes on without anyone who knows of it.
"""

import os
import runpy
import signal
import sys
import threading
import time

_PATIENCE = 30.0
"""Seconds to stop by oneself; a run may be cut off at any point, and resumes all the same."""


def _stop_at_the_end_of(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_PATIENCE)
    os._exit(1)


if __name__ == "__main__":
    # Of a shell that starts jobs in the background one inherits that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_stop_at_the_end_of, args=(sys.stdin.fileno(),), daemon=True).start()
    sys.argv[0] = "torchstn"
    runpy.run_module("torchstn", run_name="__main__")
