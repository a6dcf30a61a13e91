"""Random calls of the compiled kernels against the reference, value and every gradient.

    python tests/fuzz_native.py --cases 100000 --seed 0

A case is a pure function of its number: a run goes through seed .. seed + cases - 1, `--seed N --cases 1`
repeats the one that failed, and several runs over ranges of their own can go on at once.
"""
# ruff: noqa: T201 - it speaks to whoever started it

import argparse
import random
import sys
import time
import traceback
from typing import Any

import torch
from support.agreement import DTYPES, KERNELS, KINDS, LAYOUTS, PADDINGS, Case, UncertainError, check

from torchstn.sampler.native.extension import loaded


def random_case(number: int) -> Case:
    """Case `number` of the endless list."""
    draw = random.Random(number)
    dims = draw.choice((2, 2, 3))
    longest = draw.choice((4, 9, 9, 40)) if dims == 2 else draw.choice((3, 6, 12))
    images = draw.choice((1, 1, 2, 3))
    kind, dtype = draw.choice(KINDS), draw.choice((torch.float32, *DTYPES))
    return Case(
        kind=kind,
        kernel=draw.choice(KERNELS),
        padding=draw.choice(PADDINGS),
        align_corners=draw.random() < 0.5,
        dtype=dtype,
        wide=draw.random() < 0.15,
        layout=draw.choice(LAYOUTS),
        size=tuple(draw.randint(1, longest) for _ in range(dims)),
        out=tuple(draw.randint(1, longest) for _ in range(dims)),
        images=images,
        grids=draw.choice((1, images if images > 1 else 3)),
        channels=draw.choice((1, 2, 3, 4, 5, 8, 11, 16, 21)) if longest < 40 else draw.choice((1, 3, 4)),
        spread=draw.choice((0.01, 0.2, 0.5, 2.0)),
        bad=draw.random() < 0.15,
        zoom=draw.choice((1.0, 1.0, 4.0)),
        seed=number,
    )


def run_case(number: int) -> bool:
    """Checks a case on instructions and threads of its own; says whether anything could be checked."""
    native: Any = loaded()
    draw = random.Random(-number - 1)
    instructions, threads = native.instruction_set(), torch.get_num_threads()
    native.use_instruction_set(draw.choice(native.instruction_sets()))
    torch.set_num_threads(draw.choice((1, 1, 2, 3)))
    try:
        check(random_case(number))
    except UncertainError:
        return False
    finally:
        native.use_instruction_set(instructions)
        torch.set_num_threads(threads)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000, help="how many (default 10,000)")
    parser.add_argument("--seed", type=int, default=0, help="the number of the first (default 0)")
    options = parser.parse_args()
    started, failed, checked = time.monotonic(), 0, 0
    for number in range(options.seed, options.seed + options.cases):
        try:
            checked += run_case(number)
        except Exception:  # noqa: BLE001 - whatever it is, it is reported, and the next case runs
            failed += 1
            print(f"\ncase {number}: {random_case(number)}\n{traceback.format_exc(limit=-1)}", flush=True)
        done = number + 1 - options.seed
        if done % 1000 == 0 or done == options.cases:
            rate = done / (time.monotonic() - started)
            undecided = done - checked - failed
            print(
                f"up to {number}: {checked} agree, {failed} fail, {undecided} lie on lines, {rate:.0f}/s",
                flush=True,
            )
        if failed == 20:
            print("20 failures: that will do", flush=True)
            break
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
