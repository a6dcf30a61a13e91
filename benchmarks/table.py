"""The record as Markdown: targets, every time, what was lost, and by what it was made."""

from collections.abc import Sequence
from pathlib import Path

import torch

from torchstn.figures.markdown import markdown_table
from torchstn.training import atomic_write

from .case import OURS, PASS_TITLES, PASSES, Case, Pass
from .cases import CASES
from .record import MEMORY, Json, derive, short_commit

CHART = """```{image} images/speed.png
:alt: How many times faster than its peers, case by case, forward and with backward
```
"""
Entries = list[tuple[Case, Json]]


def tables(record: Json) -> str:
    """Everything between the markers of the documentation's page."""
    entries = measured(record)
    if not entries:
        return "No measurements yet.\n"
    parts = [
        CHART,
        _machine(record, entries),
        "### Targets, one thread\n\n" + _targets(entries),
        "### Where a peer is faster\n\n" + _losses(entries),
    ]
    for threads in sorted({count for _, entry in entries for count in entry["threads"]}, key=int):
        for which in PASSES:
            title = f"### {PASS_TITLES[which].capitalize()}, {_threads(threads)}\n\n"
            parts.append(title + _times(entries, threads, which))
    parts.append("### Threads, bandwidth and memory\n\n" + _resources(entries))
    parts.append(_absent(entries))
    return "\n".join(part for part in parts if part)


def summary(record: Json) -> str:
    """The README's lines: the chart, and how many targets were reached."""
    targets = [(case, each) for case, entry in measured(record) for each in entry["targets"].values()]
    if not targets:
        return "No measurements yet.\n"
    met = sum(each["met"] is True for _, each in targets)
    where = record["machine"].split(", Linux")[0]
    ranges = [
        f"{faster(min(ratios))} to {faster(max(ratios))} against {whom}"
        for whom, torchs in (("PyTorch", True), ("other libraries", False))
        if (
            ratios := [
                each["reached"] for case, each in targets if each["reached"] and _torchs(case) == torchs
            ]
        )
    ]
    return (
        "[![How many times faster than its peers, case by case](docs/images/speed.png)]"
        "(docs/images/speed.svg)\n\n"
        f"{where}, one thread: {', '.join(ranges)}; {met} of {len(targets)} speeds aimed at are reached.\n"
    )


def _torchs(case: Case) -> bool:
    return case.target is None or case.target.peer == "torch"


def measured(record: Json) -> Entries:
    """The cases in the record, in their order here, with what follows from their times."""
    cases = record["cases"]
    return [
        (case, derive(case, cases[case.name], record.get("bandwidth", {})))
        for case in CASES
        if case.name in cases and cases[case.name].get("threads")
    ]


def write_between_markers(path: Path, text: str, name: str = "benchmarks") -> None:
    """Replaces what stands between the markers of a page, `<!-- name:begin -->` and `<!-- name:end -->`.

    Raises:
        ValueError: If the page has no markers.
    """
    page = path.read_text(encoding="utf-8")
    head, begin, rest = page.partition(f"<!-- {name}:begin -->")
    _, end, tail = rest.partition(f"<!-- {name}:end -->")
    if not begin or not end:
        raise ValueError(f"{path} must hold <!-- {name}:begin --> and <!-- {name}:end -->, and does not.")
    atomic_write(path, f"{head}{begin}\n\n{text}\n{end}{tail}")


def _machine(record: Json, entries: Entries) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items() if number)
    capability = record["capability"]
    commits = sorted({short_commit(entry["commit"]) for _, entry in entries})
    days = sorted({entry["measured"][:10] for _, entry in entries})
    ours = capability["torchstn"] or "none (reference backend)"
    return (
        f"{record['machine']}. {versions}. Instruction sets: torch {capability['torch']}, "
        f"torchstn {ours}. Copies: {_bandwidth(record, entries) or 'not measured'}. "
        f"Commit {', '.join(commits)}; {', '.join(days)}.\n"
    )


def _bandwidth(record: Json, entries: Entries) -> str:
    """Of each number of threads, as measured beside the cases."""
    copies = [record.get("bandwidth", {}) | entry.get("bandwidth", {}) for _, entry in entries]
    counts = sorted({count for each in copies for count in each}, key=int)
    return ", ".join(
        f"{gigabytes([each[count] for each in copies if count in each])} with {_threads(count)}"
        for count in counts
    )


def _targets(entries: Entries) -> str:
    rows = []
    for case, entry in entries:
        if not entry["targets"]:
            continue
        cells = [case.title, case.target.peer if case.target else ""]
        for which in PASSES:
            found = entry["targets"].get(which)
            cells += ["-", "-"] if found is None else [_reached(found), f"{found['wanted']:g}x"]
        rows.append(cells)
    return markdown_table(("case", "against", "forward", "wanted", "forward + backward", "wanted"), rows)


def _reached(found: Json) -> str:
    if found["reached"] is None:
        return "not measured"
    return f"**{faster(found['reached'])}**" if found["met"] else f"{faster(found['reached'])}, missed"


def _losses(entries: Entries) -> str:
    """Every place where someone else is faster, the worst first."""
    lost = sorted(
        (ratio, case.title, name, which, threads)
        for case, entry in entries
        for threads, passes in entry["ratios"].items()
        for which, ratios in passes.items()
        for name, ratio in ratios.items()
        if ratio < 1
    )
    if not lost:
        return "Nowhere in these tables.\n"
    rows = [
        (title, name, PASS_TITLES[which], threads, f"{1 / ratio:.2f} times as fast as torchstn")
        for ratio, title, name, which, threads in lost
    ]
    return markdown_table(("case", "who", "pass", "threads", ""), rows)


def _times(entries: Entries, threads: str, which: Pass) -> str:
    """Milliseconds of everyone, and in brackets how much faster we are."""
    present = {name for _, entry in entries for name in entry["threads"].get(threads, {}).get(which, {})}
    names = [name for name in dict.fromkeys(("torch", *_all_peers())) if name in present]
    rows = []
    for case, entry in entries:
        times = entry["threads"].get(threads, {}).get(which, {})
        if not times:
            continue
        cells = [case.title, _time(times[OURS])]
        for name in names:
            ratio = entry["ratios"][threads][which].get(name)
            cells.append("" if ratio is None else f"{milliseconds(times[name]['median'])} ({faster(ratio)})")
        rows.append(cells)
    return markdown_table(("case", OURS, *names), rows)


def _resources(entries: Entries) -> str:
    rows = []
    for case, entry in entries:
        scaling, share = entry["scaling"], entry["bandwidth_share"].get("1", {})
        cells = [case.title]
        cells += [_scaled(scaling.get(which)) for which in PASSES]
        cells += [f"{share[which]:.0%}" if which in share else "" for which in PASSES]
        ours, peer = (entry["memory"].get(name) or {} for name in (OURS, "torch"))
        cells += [_memory(ours.get(which), case.dtype == torch.float32) for which in PASSES]
        cells += [_memory(peer.get(which), False) for which in PASSES]
        rows.append(cells)
    most = max((each["threads"] for _, entry in entries for each in entry["scaling"].values()), default=1)
    head = (
        "case",
        f"{most} threads over one, forward",
        "with backward",
        "copy bandwidth, forward",
        "with backward",
        "memory, forward",
        "with backward",
        "torch's, forward",
        "with backward",
    )
    return markdown_table(head, rows)


def _scaled(found: Json | None) -> str:
    if found is None:
        return ""
    return f"{found['ratio']:.2f}x" + (", missed" if found["met"] is False else "")


def _memory(found: int | None, limited: bool) -> str:
    if found is None:
        return ""
    text = f"{found / 1e6:.2f} MB"
    return f"{text}, missed" if limited and found >= MEMORY else text


def _absent(entries: Entries) -> str:
    """Who did not take part, and why; who failed the check; whose memory is unknown."""
    lines = []
    for word, meaning in (("absent", "takes no part"), ("failed", "failed the check and was not timed")):
        reasons: dict[tuple[str, str], list[str]] = {}
        for case, entry in entries:
            for name, reason in entry[word].items():
                reasons.setdefault((name, reason), []).append(case.name)
        lines += [
            f"- {name} {meaning} in {', '.join(names)}: {reason}" for (name, reason), names in reasons.items()
        ]
    lines += [
        f"- memory was not measured in {case.name}: {entry['memory_failed']}"
        for case, entry in entries
        if entry.get("memory_failed")
    ]
    slow = [f"{case.name} ({entry['why']})" for case, entry in entries if entry["backend"] != "native"]
    if slow:
        lines.append(f"- torchstn runs on its reference backend in {'; '.join(slow)}")
    return "\n".join(lines) + "\n" if lines else ""


def _all_peers() -> list[str]:
    return [name for case in CASES for name in case.peers]


def _threads(count: str) -> str:
    return "one thread" if count == "1" else f"{count} threads"


def _time(time: Json) -> str:
    spread = (time["upper"] - time["lower"]) / 2 / time["median"]
    return f"**{milliseconds(time['median'])}** ± {spread:.0%}"


def milliseconds(seconds: float) -> str:
    """Three digits of it."""
    value = seconds * 1e3
    return f"{value:.3f}" if value < 1 else f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def faster(ratio: float) -> str:
    """Times faster."""
    return f"{ratio:.1f}x" if ratio >= 2 else f"{ratio:.2f}x"


def gigabytes(speeds: Sequence[float]) -> str:
    """Of bytes a second: one number, or the least and the most."""
    return " to ".join(dict.fromkeys(f"{each(speeds) / 1e9:.1f}" for each in (min, max))) + " GB/s"
