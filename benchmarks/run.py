"""One case from its inputs to its entry in the record."""

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict

import torch

from . import record
from .case import OURS, PASSES, Case
from .checking import check
from .memory import peak_memory
from .peers import PEERS, Call
from .peers.torchstn_itself import native_refusal
from .problem import Problem, make_problem
from .record import Json
from .solution import DisagreementError, Solution, solve
from .timing import Effort, measure

Report = Callable[[str], None]


def set_threads(count: int) -> None:
    """The same number for everyone who has threads."""
    torch.set_num_threads(count)
    try:
        import cv2
    except ImportError:
        return
    cv2.setNumThreads(count)


def run_case(
    case: Case,
    threads: Sequence[int],
    effort: Effort,
    *,
    without: Sequence[str] = (),
    quick: bool = False,
    report: Report = lambda _: None,
) -> Json:
    """Checks everyone, then times everyone, then measures memory.

    Args:
        case: What to solve.
        threads: For each of these numbers of threads.
        effort: How long.
        without: Peers to leave out.
        quick: Whether the case is a shrunk one.
        report: Told what is being done; called once before each check, each pass, and the memory.
    """
    problem = make_problem(case)
    entry: Json = {"title": case.title, **record.provenance()}
    reason = native_refusal(case, problem.image, problem.parameter)
    entry |= {"backend": "native" if reason is None else "reference", "why": reason}
    entry |= {"absent": {}, "failed": {}, "agreement": {}, "threads": {}}
    peers = [name for name in case.peers if name not in without]
    solutions = solutions_of(case, problem, peers, entry, PEERS[OURS](case))
    watched = (OURS, case.target.peer) if case.target else (OURS,)
    for count in threads:
        set_threads(count)
        report(f"{case.name}: checking, {count} thread(s)")
        _check(case, solutions, entry, count)
        entry["threads"][str(count)] = {}
        for which in PASSES:
            report(f"{case.name}: {which}, {count} thread(s)")
            tasks = {name: task for name, one in solutions.items() if (task := one.timed(which)) is not None}
            order = random.Random(case.name)  # noqa: S311  # turns, not secrets
            values = measure(tasks, effort, watched=watched, order=order)
            entry["threads"][str(count)][which] = record.timings(values)
    report(f"{case.name}: memory")
    return entry | _memory(case, list(solutions), quick)


def solutions_of(
    case: Case, problem: Problem, peers: Sequence[str], entry: Json, ours: Call
) -> dict[str, Solution]:
    """Ours, and everyone else who can solve the case; who cannot is noted with the reason."""
    found = {OURS: Solution(ours, problem)}
    for name in peers:
        try:
            found[name] = Solution(PEERS[name](case), problem)
        except (ImportError, NotImplementedError) as error:
            entry["absent"][name] = str(error)
    return found


def _check(case: Case, solutions: dict[str, Solution], entry: Json, threads: int) -> None:
    """Takes out who disagrees with us, or fails: that is an error, not a number."""
    ours = solve(case, solutions[OURS])
    for name in [name for name in solutions if name != OURS]:
        try:
            agreement = check(case, ours, solve(case, solutions[name]), name)
        except Exception as error:  # noqa: BLE001  # another library's, of whatever kind
            kind = "" if isinstance(error, DisagreementError) else f"{type(error).__name__}: "
            entry["failed"][name] = f"with {threads} thread(s), {kind}{error}".splitlines()[0]
        else:
            entry["agreement"][name] = asdict(agreement)
            continue
        del solutions[name]


def _memory(case: Case, names: Sequence[str], quick: bool) -> Json:
    """Of matrix grids; why not, where measuring it failed: the times stand without it."""
    wanted = [name for name in names if name in (OURS, "torch")]
    try:
        found = peak_memory(case, wanted, quick=quick) if case.is_matrix else {}
    except RuntimeError as error:
        return {"memory": {}, "memory_failed": str(error).splitlines()[-1]}
    return {"memory": found, "memory_failed": None}
