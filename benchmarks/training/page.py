"""The record of trainings as Markdown: images a second of each side, and where the time goes."""

from collections.abc import Sequence

from torchstn.figures.markdown import markdown_table

from ..record import short_commit
from .clock import PARTS
from .measure import CASES, Json
from .sides import EXACT, OURS, SIDES, TUTORIAL

WANTED = {"rts/st-cnn-affine": 2.0}
"""How many times the tutorial's speed is aimed at."""
DATA = 0.05
"""The largest share of a step that making the data should take."""


def tables(record: Json) -> str:
    """Everything between the markers of the documentation's page."""
    parts = [_of(record, threads) for threads in sorted(record["threads"], key=int)]
    if not parts:
        return "No measurements yet.\n"
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items() if number)
    measured = [case for cases in record["threads"].values() for case in cases.values()]
    commits = sorted({short_commit(case["commit"]) for case in measured})
    days = sorted({case["measured"][:10] for case in measured})
    about = f"{record['machine']}. {versions}. Preset `{record['preset']}`. "
    return "\n".join([f"{about}Commit {', '.join(commits)}; {', '.join(days)}.\n", *parts])


def _of(record: Json, threads: str) -> str:
    cases = record["threads"][threads]
    names = [case.name for case in CASES if case.name in cases]
    word = "one thread" if threads == "1" else f"{threads} threads"
    word += f" of {record['machine'].split(', ')[0]}"
    return "\n".join(
        [
            f"### Images a second in training, {word}\n\n" + _speed(cases, names),
            f"### Where the time of a step goes, {word}\n\n" + _shares(cases, names),
        ]
    )


def _speed(cases: Json, names: Sequence[str]) -> str:
    rows = []
    for name in names:
        rates = {side: cases[name]["sides"][side]["images_per_second"] for side in SIDES}
        ratios = [rates[side]["median"] / rates[TUTORIAL]["median"] for side in (OURS, EXACT)]
        wanted = WANTED.get(name)
        verdict = "" if wanted is None else f"{wanted:g}x, {'met' if ratios[0] >= wanted else 'missed'}"
        told = (f"{rate['median']:,.0f} ± {_spread(rate):.0%}" for rate in rates.values())
        rows.append((name, *told, *(f"**{ratio:.2f}x**" for ratio in ratios), verdict))
    head = ("cell", *SIDES, f"{OURS} over {TUTORIAL}", f"{EXACT} over {TUTORIAL}", "wanted")
    return markdown_table(head, rows)


def _spread(rate: Json) -> float:
    return float((rate["upper"] - rate["lower"]) / 2 / rate["median"])


def _shares(cases: Json, names: Sequence[str]) -> str:
    rows = []
    for name in names:
        for side in (OURS, TUTORIAL):
            parts = cases[name]["sides"][side]["seconds_a_step"]
            whole = sum(parts.values())
            told = [f"{parts[part] * 1e3:.3g} ({parts[part] / whole:.0%})" for part in PARTS]
            if side == OURS and parts["data"] > DATA * whole:
                told[0] += f", more than {DATA:.0%}"
            rows.append((name, side, f"{whole * 1e3:.3g}", *told))
    return markdown_table(("cell", "", "ms a step", *PARTS), rows)
