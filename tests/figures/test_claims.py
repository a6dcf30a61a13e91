"""Claims hold, or do not, or have not been run, by numbers written down here."""

import json
from pathlib import Path

import pytest

from torchstn.figures import claims_table, read_results
from torchstn.figures.claims import CLAIMS, Claim, Pair
from torchstn.reproduce import paper_numbers, select

from .test_results_table import RESULT

MEAN = Claim("co-localisation", "the mean", (Pair("tc/mean"),))
BETTER = Claim("distorted-mnist", "better", (Pair("r/a", "r/c"), Pair("r/b", "r/c")))


def verdict(folder: Path, claim: Claim, judged: int | None = None, **values: float) -> tuple[str, str]:
    """What the table says of a claim where the cells "r/<name>" came to these values."""
    for name, value in values.items():
        write(folder, cell=f"r/{name}", value=value, judged=judged)
    return row(folder, claim)


def write(folder: Path, **changes: object) -> None:
    record = RESULT | changes
    path = folder / str(record["cell"]) / f"seed-{record['seed']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record))


def row(folder: Path, claim: Claim) -> tuple[str, str]:
    line = claims_table(read_results(folder), [claim]).splitlines()[-1]
    _, text, holds, numbers, _ = (part.strip() for part in line.split("|"))
    assert text == claim.text
    return holds, numbers


def test_every_comparison_must_hold(tmp_path: Path) -> None:
    assert verdict(tmp_path, BETTER, a=0.5, b=0.6, c=0.7) == ("yes", "a 0.50, b 0.60 against c 0.70")
    assert verdict(tmp_path, BETTER, b=0.8) == ("no", "a 0.50, **b 0.80** against c 0.70")
    assert verdict(tmp_path, BETTER, b=0.7)[0] == "no"


def test_what_has_not_been_trained_is_counted(tmp_path: Path) -> None:
    assert verdict(tmp_path, BETTER, c=0.7) == ("not yet run", "")
    assert verdict(tmp_path, BETTER, a=0.5) == ("yes (1 of 2 run)", "a 0.50 against c 0.70")
    three = Claim("distorted-mnist", "three", (*BETTER.pairs, Pair("r/d", "r/c")))
    assert verdict(tmp_path, three)[0] == "yes (1 of 3 run)"


def test_claims_that_no_result_bears_on_stand_under_the_main_preset_alone(tmp_path: Path) -> None:
    other = Claim("distorted-mnist", "other", (Pair("r/a", "r/b"),))
    for name in ("a", "c"):
        write(tmp_path, cell=f"r/{name}", value=1.0)
    for name in ("a", "b", "c"):
        write(tmp_path / "main", cell=f"r/{name}", value=0.9, preset="main")
    table = claims_table(read_results(tmp_path), [BETTER, other])
    main, rest = (part.splitlines() for part in table.split("Preset ")[1:])
    assert main[0] == "`main`:"
    assert [line.split("|")[1].strip() for line in main[4:] if line] == ["better", "other"]
    assert [line.split("|")[1].strip() for line in rest[4:] if line] == ["better"]


# Of 10,000 digits at 1 % the standard error of a difference is sqrt(2 * 0.01 * 0.99 / 10000), 0.141 points.
@pytest.mark.parametrize(
    ("value", "holds", "number"),
    [
        (0.70, "yes", "a 0.70"),
        (0.75, "yes (1 within chance)", "_a 0.75_"),
        (1.00, "no (1 within chance)", "**_a 1.00_**"),
        (1.20, "no (1 within chance)", "**_a 1.20_**"),
        (1.31, "no", "**a 1.31**"),
    ],
)
def test_what_may_be_chance_is_said(tmp_path: Path, value: float, holds: str, number: str) -> None:
    claim = Claim("distorted-mnist", "better", (Pair("r/a", "r/c"),))
    assert verdict(tmp_path, claim, judged=10_000, a=value, c=1.0) == (holds, f"{number} against c 1.00")


@pytest.mark.parametrize(("value", "holds"), [(1.2, "yes (1 within chance)"), (1.31, "no")])
def test_to_keep_up_is_to_do_worse_by_chance_at_most(tmp_path: Path, value: float, holds: str) -> None:
    claim = Claim("distorted-mnist", "keeps up", (Pair("r/a", "r/c", keeps_up=True),))
    assert verdict(tmp_path, claim, judged=10_000, a=value, c=1.0)[0] == holds


def test_the_chance_of_a_mean_is_that_of_all_its_classes(tmp_path: Path) -> None:
    """Ten classes of a hundred pictures are a thousand: at 90 % a standard error of 0.95 points."""
    claim = Claim("co-localisation", "harder", (Pair("t/mean", "tc/mean"),))
    for better, holds in ((91.0, "yes (1 within chance)"), (93.0, "yes")):
        for cell, value in (
            (f"{data}/digit-{k}", v) for k in range(10) for data, v in (("t", better), ("tc", 90.0))
        ):
            write(tmp_path, recipe="co-localisation", cell=cell, metric="found (%)", value=value, judged=100)
        assert row(tmp_path, claim)[0] == holds


def test_nothing_is_called_chance_where_nobody_knows_how_many_were_judged(tmp_path: Path) -> None:
    assert verdict(tmp_path, BETTER, a=0.69, b=0.6, c=0.7)[0] == "yes"
    write(tmp_path, cell="r/a", value=0.69, seed=1, judged=10_000)
    write(tmp_path, cell="r/c", value=0.7, judged=10_000)
    assert row(tmp_path, BETTER)[0] == "yes"


def test_what_may_be_chance_may_be_it_with_a_second_seed(tmp_path: Path) -> None:
    """Both are judged by the same samples: the standard error stays at 0.13 points."""
    claim = Claim("distorted-mnist", "better", (Pair("r/a", "r/c"),))
    for name, value in (("a", 0.75), ("c", 1.0)):
        write(tmp_path, cell=f"r/{name}", value=value, seed=1, judged=10_000)
    assert verdict(tmp_path, claim, judged=10_000, a=0.75, c=1.0)[0] == "yes (1 within chance)"


def test_seeds_are_averaged(tmp_path: Path) -> None:
    claim = Claim("distorted-mnist", "better", (Pair("r/a", "r/c"),))
    write(tmp_path, cell="r/a", value=0.4, seed=1)
    assert verdict(tmp_path, claim, a=0.8, c=0.7) == ("yes", "a 0.60 against c 0.70")


@pytest.mark.parametrize(("value", "holds"), [(0.4, "yes"), (0.5, "yes"), (0.51, "no")])
def test_the_papers_number_is_reached_or_not(tmp_path: Path, value: float, holds: str) -> None:
    claim = Claim("distorted-mnist", "reaches", (Pair("r/a"),))
    assert verdict(tmp_path, claim, a=value)[0] == holds


def test_more_is_better_where_the_metric_is_no_error(tmp_path: Path) -> None:
    for digit in range(2):
        write(
            tmp_path,
            recipe="co-localisation",
            cell=f"tc/digit-{digit}",
            metric="boxes with IoU > 0.5 (%)",
            value=90 - digit,
            paper=85.0,
        )
    assert row(tmp_path, MEAN) == ("yes", "tc/mean 89.50 against the paper's 85")


def test_validation_proves_nothing(tmp_path: Path) -> None:
    for name, value in (("a", 0.5), ("c", 0.7)):
        write(tmp_path, cell=f"r/{name}", value=value, metric="validation error (%)")
    assert claims_table(read_results(tmp_path), [BETTER]) == ""


@pytest.mark.parametrize(
    ("recipe", "metric", "claims"),
    [
        ("distorted-mnist", "test error (%)", 18),
        ("mnist-addition", "test error (%)", 4),
        ("co-localisation", "found (%)", 3),
        ("svhn", "test error (%)", 3),
    ],
)
def test_the_papers_own_numbers_bear_out_its_claims(
    recipe: str, metric: str, claims: int, tmp_path: Path
) -> None:
    """Tables as printed; that the paper's own rows pass shows that each comparison points the right way."""
    for cell, number in paper_numbers(select("all"))[recipe].items():
        if number is not None:
            same = {"recipe": recipe, "metric": metric, "judged": 10_000}
            write(tmp_path, cell=cell, value=number, paper=number, **same)
    table = claims_table(read_results(tmp_path))
    judged = {line.split("|")[1].strip(): line.split("|")[2].strip() for line in table.splitlines()[4:]}
    assert list(judged) == [claim.text for claim in CLAIMS if claim.recipe == recipe]
    ran = {text: holds for text, holds in judged.items() if holds != "not yet run"}
    assert len(ran) >= claims
    assert {text for text, holds in ran.items() if not holds.startswith("yes")} == set()
    # Of the paper's own numbers none is missing where ours are held against them.
    assert {holds for text, holds in judged.items() if "the paper's" in text} <= {"yes"}


@pytest.mark.parametrize(
    ("text", "better", "than"),
    [
        ("Addition: one transformer beats none", "rts/st-fcn-?", "rts/fcn"),
        ("Addition: two transformers beat one", "rts/2xst-fcn-?", "rts/st-fcn-?"),
        ("Addition: two transformers beat cnn", "rts/2xst-fcn-?", "rts/cnn"),
        ("TC: st-fcn beats cnn", "tc/st-fcn-?", "tc/cnn"),
        ("E: st-cnn beats st-fcn", "e/st-cnn-?", "e/st-fcn-?"),
    ],
)
def test_a_claim_is_made_of_every_transformation(text: str, better: str, than: str) -> None:
    (claim,) = (one for one in CLAIMS if one.text == text)
    kinds = ("affine", "projective", "tps")
    assert claim.pairs == tuple(Pair(better.replace("?", kind), than.replace("?", kind)) for kind in kinds)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("Volumes: the transformer beats the same network without it", {("3d/st", "3d/projection")}),
        ("Volumes: the transformer beats a 3-D cnn of the same size", {("3d/st", "3d/cnn-3d")}),
        ("Co-localisation, T: every box is found", {(f"t/digit-{digit}", None) for digit in range(10)}),
        (
            "E: the thin plate spline is the best transformation",
            {
                (f"e/{net}-tps", f"e/{net}-{other}")
                for net in ("st-fcn", "st-cnn")
                for other in ("affine", "projective")
            },
        ),
    ],
)
def test_a_claim_compares_what_it_speaks_of(text: str, pairs: set[tuple[str, str | None]]) -> None:
    (claim,) = (one for one in CLAIMS if one.text == text)
    assert {(pair.cell, pair.than) for pair in claim.pairs} == pairs
