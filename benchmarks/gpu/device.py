"""The device that is measured, and its clock."""

from time import perf_counter

import torch

from torchstn.sampler.triton.loading import INTERPRETING


def find_device() -> torch.device | None:
    """A GPU; the CPU where Triton interprets, which shows that everything works; or None."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("cpu") if INTERPRETING else None


def name_of(device: torch.device) -> str:
    """For people."""
    if device.type == "cpu":
        return "no GPU: interpreted, times mean nothing"
    properties = torch.cuda.get_device_properties(device)
    return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB, CUDA {torch.version.cuda}"


class Clock:
    """Seconds that have passed on a device, by its own events."""

    def __init__(self, device: torch.device) -> None:
        self._on_gpu = device.type == "cuda"
        self._seconds = 0.0
        self._last = self._event() if self._on_gpu else None

    def __call__(self) -> float:
        if self._last is None:
            return perf_counter()
        now = self._event()
        self._seconds += self._last.elapsed_time(now) / 1e3
        self._last = now
        return self._seconds

    def _event(self) -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        event.synchronize()
        return event


def copy_bandwidth(device: torch.device, bytes_each: int = 2**30, times: int = 9) -> float:
    """Bytes read plus bytes written a second by `copy_` between tensors larger than any cache."""
    source = torch.zeros(bytes_each // 4, device=device)
    target = torch.empty_like(source)
    clock = Clock(device)
    target.copy_(source)
    seconds = []
    for _ in range(times):
        start = clock()
        target.copy_(source)
        seconds.append(clock() - start)
    return 2 * source.nbytes / sorted(seconds)[times // 2]
