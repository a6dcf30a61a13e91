"""The record of a GPU as Markdown."""

from torchstn.figures.markdown import markdown_table

from ..case import OURS, PASS_TITLES, PASSES
from ..record import Json
from ..table import faster, gigabytes, milliseconds
from .cases import CASES, SHARE_WANTED
from .measure import DETERMINISTIC, SLOWEST
from .step import TUTORIAL


def table(found: Json) -> str:
    """Everything that is known."""
    cases = [case for case in CASES if case.name in found["cases"]]
    if not cases and not found.get("step"):
        return "No measurements yet.\n"
    rows = [row for case in cases for row in _rows(found["cases"][case.name])]
    head = ("case", "pass", OURS, "times faster than", "share of copy bandwidth", "target")
    copies = [found["cases"][case.name]["bandwidth"] for case in cases]
    told = f"; copies at {gigabytes(copies)}" if copies else ""
    parts = [f"{found['machine']}{told}. {_versions(found)}\n", markdown_table(head, rows)]
    shares = [(case.name, SHARE_WANTED[case.name]) for case in cases if case.name in SHARE_WANTED]
    for name, wanted in shares:
        share = found["cases"][name]["bandwidth_share"]["forward"]
        parts.append(
            f"{found['cases'][name]['title']}: {share:.0%} of copy bandwidth forward, {wanted:.0%} wanted.\n"
        )
    slow = [
        f"{entry['title']}: deterministic {entry['ratios']['both'][DETERMINISTIC]:.2f} times as long, "
        f"{SLOWEST:g} allowed, the same bits again: {'yes' if entry['same_bits'] else 'NO'}.\n"
        for entry in (found["cases"][case.name] for case in cases)
    ]
    return "\n".join(
        [*parts, "".join(f"- {line}" for line in slow), _step(found.get("step")), _failed(found)]
    )


def _rows(entry: Json) -> list[tuple[str, ...]]:
    rows = []
    for which in PASSES:
        others = [
            f"{name} {faster(value)} ({milliseconds(entry['times'][which][name]['median'])})"
            for name, value in entry["ratios"][which].items()
            if name != DETERMINISTIC
        ]
        ours = milliseconds(entry["times"][which][OURS]["median"])
        share = f"{entry['bandwidth_share'][which]:.0%}"
        rows.append(
            (
                entry["title"],
                PASS_TITLES[which],
                f"**{ours}** ms",
                ", ".join(others),
                share,
                _target(entry, which),
            )
        )
    return rows


def _target(entry: Json, which: str) -> str:
    target = entry["targets"].get(which)
    if target is None:
        return ""
    if target["reached"] is None:
        return f"{target['wanted']:g}x {target['peer']}, not measured"
    met = "reached" if target["met"] else "missed"
    return f"{target['wanted']:g}x {target['peer']}, {met}"


def _step(step: Json | None) -> str:
    if step is None:
        return ""
    times = ", ".join(f"{name} {milliseconds(time['median'])} ms" for name, time in step["times"].items())
    return (
        f"A step of training of RTS ST-CNN, batch {step['batch']}: {times}; {faster(step['reached'])} "
        f"{TUTORIAL}, {faster(step['wanted'])} wanted.\n"
    )


def _versions(found: Json) -> str:
    return ", ".join(f"{name} {number}" for name, number in found["versions"].items() if number)


def _failed(found: Json) -> str:
    lines = [
        f"- {name} {meaning} in {case}: {reason}\n"
        for case, entry in found["cases"].items()
        for word, meaning in (("absent", "takes no part"), ("failed", "failed the check"))
        for name, reason in entry[word].items()
    ]
    return "".join(lines)
