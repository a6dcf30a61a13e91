"""What a StubJob runs: `stub_process.py BEHAVIOUR RESULT RUN`."""

import json
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
record = {"metric": "test error (%)", "value": 1.25, "paper": 0.5, "wall_seconds": 90.0}
result.write_text(json.dumps(record))
(run / "end").write_text(f"{time.monotonic()}\n")
