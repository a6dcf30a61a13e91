"""What a StubJob runs: `stub_process.py BEHAVIOUR RESULT RUN RECORD`."""

import json
import os
import sys
import time
from pathlib import Path

behaviour, result, run = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
around = {"process": os.getpid(), "session": os.getsid(0), "threads": os.environ["OMP_NUM_THREADS"]}
(run / "around").write_text(json.dumps(around))
with (run / "starts").open("a") as starts:
    starts.write(f"{time.monotonic()}\n")
sys.stdout.write("so it began\n")
sys.stdout.flush()
if behaviour == "fail":
    sys.stderr.write("it broke: no luck [today]\n")
    sys.exit(3)
if behaviour == "rant":
    sys.stdout.writelines(f"{number}\n" for number in range(20))
    sys.exit(3)
if behaviour == "busy" and (run / "busy").exists():
    sys.exit(75)
if behaviour == "wait":
    sys.stdin.read()
    (run / "stopped").touch()
    sys.exit(130)
if behaviour == "stay":
    time.sleep(60)
time.sleep(0.3)
result.parent.mkdir(parents=True, exist_ok=True)
result.write_text(sys.argv[4])
(run / "end").write_text(f"{time.monotonic()}\n")
sys.exit(behaviour == "stumble")
