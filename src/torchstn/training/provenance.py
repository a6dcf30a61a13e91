"""Where a number came from: the machine and the version of the code."""

import os
import platform
import subprocess
from pathlib import Path

import torch


def machine() -> str:
    """One line on the processor, the accelerator if any, and the versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parts = [
        _processor(),
        f"{cores} cores",
        f"{torch.get_num_threads()} threads",
        platform.system(),
        f"Python {platform.python_version()}",
        f"torch {torch.__version__}",
    ]
    if torch.cuda.is_available():
        parts.insert(0, torch.cuda.get_device_name())
    return ", ".join(parts)


def commit(folder: Path | None = None) -> str | None:
    """The git commit the code stands at, with a `+` if files differ from it.

    Args:
        folder: Somewhere in the checkout; default, where this package lies.

    Returns:
        The commit, or None if the code lies in no git checkout.
    """
    folder = folder or Path(__file__).parents[1]
    head = _git(folder, "rev-parse", "HEAD")
    if not head:
        return None
    return head + ("+" if _git(folder, "status", "--porcelain", "--", ".") else "")


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
