"""Every cell of the paper's tables is there, under the name that its result will have."""

from dataclasses import asdict

import pytest

from torchstn.reproduce import EXPERIMENTS, Cell, beside, paper_numbers, select

COUNTS = {
    "table-1": 32,
    "cluttered": 8,
    "addition": 8,
    "co-localisation": 20,
    "volumes": 3,
    "svhn": 6,
    "birds": 5,
}


def test_every_experiment_has_its_cells() -> None:
    assert {name: len(cells) for name, cells in EXPERIMENTS.items()} == COUNTS | {"readings": 15, "beyond": 5}
    assert len(select("all")) == sum(COUNTS.values()) == len(set(select("all")))


@pytest.mark.parametrize(
    "cell",
    [*select("all"), *select("readings"), *select("beyond")],
    ids=lambda cell: f"{cell.recipe}/{cell.name}",
)
def test_a_cell_has_the_name_that_its_recipe_gives_its_result(cell: Cell) -> None:
    assert cell.config("paper").cell == cell.name


def test_the_papers_numbers_are_found() -> None:
    numbers = paper_numbers(select("table-1"))["distorted-mnist"]
    assert len(numbers) == 32
    assert numbers["rts/st-cnn-tps"] == 0.5
    assert None not in numbers.values()
    assert paper_numbers(select("cluttered"))["distorted-mnist"]["tc/st-cnn-tps"] is None
    assert paper_numbers(select("addition"))["mnist-addition"]["rts/2xst-fcn-tps"] == 5.8
    assert paper_numbers(select("co-localisation"))["co-localisation"]["tc/digit-4"] == 94


def test_beyond_the_paper_stands_its_best_number() -> None:
    cells = select("beyond")
    assert {cell.usual_preset for cell in cells} == {"best"}
    assert [cell.paper for cell in cells] == [0.7, 0.5, 0.8, 1.1, 1.7]
    assert {cell.usual_preset for cell in select("table-1")} == {"quick"}


def test_other_readings_stand_beside_the_ones_taken() -> None:
    taken = [cell.name for cell in beside(select("readings"))]
    assert taken[:4] == ["r/cnn", "r/st-cnn-affine", "rts/cnn", "rts/st-cnn-affine"]
    assert taken[4:] == [f"tc/digit-{digit}" for digit in range(10)]
    numbers = paper_numbers(select("readings"))
    assert set(numbers["distorted-mnist"].values()) == {None}
    assert numbers["co-localisation"]["tc-stride-1/digit-4"] == 94


def test_patterns_choose_cells_in_any_case() -> None:
    names = [cell.name for cell in select("table-1", ("R/st-cnn-*", "rts/fcn"))]
    assert names == ["r/st-cnn-affine", "r/st-cnn-projective", "r/st-cnn-tps", "rts/fcn"]
    assert {cell.recipe for cell in select("all", ("rts/*",))} == {"distorted-mnist", "mnist-addition"}
    assert {cell.recipe for cell in select("all", ("mnist-addition/rts/*",))} == {"mnist-addition"}


@pytest.mark.parametrize(
    ("experiment", "patterns", "message"),
    [
        ("table-9", (), "must be one of table-1, cluttered, addition, .*all, got 'table-9'"),
        ("cluttered", ("tc/*", "rts/*"), "No cell of cluttered matches 'rts/\\*'; there are tc/fcn, tc/cnn"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(
    experiment: str, patterns: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        select(experiment, patterns)


@pytest.mark.parametrize(
    "words", [("--seed", "5"), ("--preset=full",), ("--distortion", "R"), ("--out", "x"), ("--resume",)]
)
def test_an_option_that_makes_it_another_training_is_refused(words: tuple[str, ...]) -> None:
    (cell,) = select("table-1", ("rts/cnn",))
    with pytest.raises(ValueError, match=f"{words[0].partition('=')[0]} must not be among the options"):
        cell.config("quick", 0, ("--batch", "8", *words))


def test_so_is_one_by_which_a_cell_reads_the_paper_otherwise() -> None:
    once = next(cell for cell in select("readings") if cell.name == "r-once/cnn")
    with pytest.raises(ValueError, match="--drawn must not be among"):
        once.config("quick", 0, ("--drawn", "anew"))
    assert asdict(select("table-1", ("r/cnn",))[0].config("quick", 0, ("--drawn", "once")))["drawn"] == "once"


def test_a_folder_may_be_called_as_such_an_option_is() -> None:
    (cell,) = select("table-1", ("rts/cnn",))
    assert asdict(cell.config("quick", 0, ("--data-dir", "results")))["data_dir"] == "results"
