"""What finished models do, as markdown: which channel a transformer takes, how digits or parts are seen."""

from collections.abc import Mapping, Sequence

from .markdown import markdown_table
from .results import Result


def settled_table(results: Sequence[Result]) -> str:
    """One row a run whose transformers see several channels: which of them each has settled on.

    A transformer has settled on the channel in which it raises the most what the digit's class explains of
    the variance between pictures. Each has a channel of its own if no two take the same.

    Args:
        results: Those that were not measured so, or have a single channel, are left out.
    """
    rows = [
        (f"`{one.cell.rpartition('/')[2]}`", one.seed, one.preset, *_settled(one))
        for one in results
        if len(one.measured.get("straight_before", ())) > 1 and one.measured.get("straight_after")
    ]
    head = (
        "network",
        "seed",
        "preset",
        "explained of the input",
        "transformer 1",
        "transformer 2",
        "each its own",
    )
    return markdown_table(head, rows) if rows else "No results yet.\n"


def _settled(result: Result) -> tuple[str, str, str, str]:
    before = result.measured["straight_before"]
    after = result.measured["straight_after"]
    taken = [_most([share - base for share, base in zip(shares, before, strict=True)]) for shares in after]
    told = [f"channel {channel + 1}: {_shares(shares)}" for channel, shares in zip(taken, after, strict=True)]
    own = "-" if len(after) < 2 else "yes" if len(set(taken)) == len(taken) else "no"
    return _shares(before), told[0], told[1] if len(told) > 1 else "", own


def _most(values: Sequence[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


def _shares(shares: Sequence[float]) -> str:
    return ", ".join(f"{100 * share:.1f} %" for share in shares)


def view_table(results: Sequence[Result]) -> str:
    """One row a run on digits in space: from where they are seen, as they come and behind the transformer.

    Args:
        results: Those that were not measured so are left out.
    """
    seen = [one for one in results if "transformed" in one.measured.get("view", {})]
    if not seen:
        return "No results yet.\n"
    names = list(seen[0].measured["view"]["transformed"])
    rows = []
    for one in seen:
        view = one.measured["view"]
        pairs = [f"{view['untransformed'][name]:.1f} to {view['transformed'][name]:.1f}" for name in names]
        rows.append((f"`{one.cell.rpartition('/')[2]}`", one.seed, one.preset, *pairs))
    return markdown_table(("network", "seed", "preset", *names), rows)


def parts_table(results: Sequence[Result]) -> str:
    """One row a transformer of a run on birds: what of their heads and bodies lies in its box.

    Each number is what the moving box holds, and in brackets what it would hold at its mean position, and at
    the one where training began.

    Args:
        results: Those that were not measured so are left out.
    """
    rows = [
        (
            f"`{one.cell}`",
            one.seed,
            one.preset,
            number,
            *(_held(kinds[kind], what) for kind in ("head", "body") for what in ("held", "whole")),
        )
        for one in results
        for number, kinds in enumerate(one.measured.get("parts", ()), 1)
    ]
    head = ("network", "seed", "preset", "transformer", "head", "whole head", "body", "whole body")
    return markdown_table(head, rows) if rows else "No results yet.\n"


def _held(ways: Mapping[str, Mapping[str, float]], what: str) -> str:
    moving, fixed, start = (ways[way][what] for way in ("moving", "fixed", "start"))
    return f"{moving:.1f} ({fixed:.1f}, {start:.1f})"
