"""Where a number came from: the machine and the version of the code."""

import os
import platform
import re
import subprocess
from pathlib import Path

import torch


def machine(*, threads: bool = True) -> str:
    """One line on the processor, its instructions, the accelerator if any, and the versions.

    Args:
        threads: Say also with how many threads this process computes.
    """
    parts = [
        # Processors of one name differ by what they multiply at a time, and so in speed.
        f"{_processor()} ({torch.backends.cpu.get_cpu_capability()})",
        f"{cores()} cores",
        *([f"{torch.get_num_threads()} threads"] if threads else []),
        platform.system(),
        f"Python {platform.python_version()}",
        f"torch {torch.__version__}",
    ]
    if torch.cuda.is_available():
        parts.insert(0, torch.cuda.get_device_name())
    return ", ".join(parts)


def machine_slug() -> str:
    """The machine as the name of a file: processor, instructions and cores, or accelerator and processor."""
    return re.sub(r"[^a-z0-9]+", "-", " ".join(machine().split(", ")[:2]).lower()).strip("-")


def commit(folder: Path | None = None) -> str | None:
    """The git commit the code stands at, with a `+` if files differ from it.

    Args:
        folder: Somewhere in the checkout; default, where this package lies.

    Returns:
        The commit, or None if the code lies in no git checkout, or in one that does not hold it, as in an
        ignored virtual environment of another project.
    """
    folder = folder or Path(__file__).parents[1]
    head = _git(folder, "rev-parse", "HEAD")
    if not head or not _git(folder, "ls-files", "--", "."):
        return None
    return head + ("+" if _git(folder, "status", "--porcelain", "--", ".") else "")


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
