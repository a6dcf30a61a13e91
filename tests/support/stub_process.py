"""What a StubJob runs: `stub_process.py BEHAVIOUR RESULT RUN RECORD`."""

import sys
import time
from pathlib import Path

behaviour, result, run = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
with (run / "starts").open("a") as starts:
    starts.write(f"{time.monotonic()}\n")
sys.stdout.write("so it began\n")
if behaviour == "fail":
    sys.stdout.write("it broke: no luck [today]\n")
    sys.exit(3)
if behaviour == "busy" and (run / "busy").exists():
    sys.exit(75)
if behaviour == "wait":
    sys.stdin.read()
    (run / "stopped").touch()
    sys.exit(130)
time.sleep(0.3)
result.parent.mkdir(parents=True, exist_ok=True)
result.write_text(sys.argv[4])
(run / "end").write_text(f"{time.monotonic()}\n")
