"""A method and a figure of one's own, each added in one place, from outside of the package."""

import contextlib
import functools
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from recbole_decrs import DecRSError
from recbole_decrs.compare import (
    METHODS,
    OUTPUTS,
    Method,
    Output,
    Results,
    register_method,
    register_output,
    run_comparison,
)
from recbole_decrs.compare.methods import title
from recbole_decrs.compare.weights import check_weights
from recbole_decrs.config import DecRSConfig
from recbole_decrs.rerank import reranker
from registries import registries_as_before


@pytest.fixture(autouse=True)
def _as_before():
    """Takes out again what a test has registered."""
    with registries_as_before():
        yield


def half_of_all(confounder, alphas, seed):
    """Half of each model for the users with more clicks than the median, else the backbone alone."""
    eager = confounder.n_clicks > np.median(confounder.n_clicks)
    return {share: share * eager for share in (0.25, 0.5)}


def test_a_control_of_ones_own(settings):
    register_method("narrow", Method("Half as wide", role="control", settings_of=lambda config: {"embedding_size": 4}))
    register_method(
        "eager",
        Method("Eager users", role="control", parameter="share", weights=half_of_all, twin=True, trains="decrs"),
    )
    settings |= {"epochs": 1}
    results = run_comparison(["FM", "EASE"], "tiny", ["narrow", "eager"], 1, "out", config_dict=settings)
    table = pd.read_csv("out/table3.csv")
    assert table.groupby("backbone")["method"].unique().map(list).to_dict() == {
        "FM": ["backbone", "narrow", "eager"],
        "EASE": ["backbone", "narrow"],  # has no twin
    }
    assert set(table[table["method"] != "backbone"]["role"]) == {"control"}
    assert results.outcomes["FM", "eager", 2020].info["chosen"] in (0.25, 0.5)
    text = Path("out/table3.md").read_text()
    assert "| Half as wide " in text
    assert "| share 0." in text


def mean_recall(results: Results) -> pd.DataFrame:
    """The recall of every backbone."""
    metric = f"recall@{results.longest_list}"
    rows = [[backbone, results.mean(backbone, "backbone", metric)] for backbone in results.methods]
    return pd.DataFrame(rows, columns=["backbone", "recall"])


def draw_bars(numbers: pd.DataFrame):
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().bar(numbers["backbone"], numbers["recall"])
    return figure


def test_a_figure_and_a_table_of_ones_own(settings, caplog):
    register_output(Output("bars", numbers=mean_recall, draw=draw_bars))
    register_output(Output("words", numbers=mean_recall, text=lambda results, numbers: f"{len(numbers)} backbones\n"))
    register_output(Output("never", numbers=mean_recall, lacks=lambda results: "it needs more than there is"))
    Path("out").mkdir()
    Path("out/never.csv").write_text("of an earlier comparison")
    results = run_comparison(["FM"], "tiny", [], 1, "out", config_dict=settings | {"epochs": 1})
    assert pd.read_csv("out/bars.csv")["recall"][0] == pytest.approx(results.mean("FM", "backbone", "recall@10"))
    assert Path("out/bars.png").read_bytes().startswith(b"\x89PNG")
    assert Path("out/words.md").read_text() == "1 backbones\n"
    assert not Path("out/never.csv").exists()
    assert "never is not made: it needs more than there is" in caplog.text


def test_a_fault_in_one_figure_leaves_the_others(settings, caplog):
    register_output(Output("faulty", numbers=lambda results: 1 / 0))
    register_output(Output("blank", numbers=mean_recall, draw=lambda numbers: numbers.loc["nowhere"]))
    run_comparison(["FM"], "tiny", [], 1, "out", config_dict=settings | {"epochs": 1})
    assert "faulty is not made, by a fault in it: ZeroDivisionError" in caplog.text
    assert "blank.png is not made, by a fault in it: KeyError" in caplog.text
    assert {"table3.md", "blank.csv"} <= {file.name for file in Path("out").iterdir()}


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({}, "has no weights to choose from"),
        (None, "must be a dictionary, from each value .*, not a NoneType"),
        (np.zeros(4), "must be a dictionary, .*, not a ndarray"),
        ([0.5], "must be a dictionary, .*, not a list"),
        ({0.5: list("abcd")}, "those for 0.5 are of the type <U1"),
        ({0.5: [None] * 4}, "those for 0.5 are of the type object"),
        ({0.5: [[1], [1, 2], [1], [1]]}, "for 0.5 are no array of numbers"),
        ({(0.5, 1): np.zeros(4)}, r"a value of the weights of mine must be a number, or a text .*, not \(0.5, 1\)"),
        ({0.5: np.zeros(3)}, r"one in \[0, 1\] for each of 4 user ids, .* those for 0.5 have shape \(3,\)"),
        ({0.5: np.array([0, 1, 2, 0.5])}, r"those for 0.5 lie in \[0, 2\]"),
        ({0.5: np.array([0, 1, np.nan, 0.5])}, r"those for 0.5 lie in \[nan, nan\]"),
    ],
)
def test_weights_that_cannot_be_those_of_eq_11(weights, said):
    with pytest.raises(DecRSError, match=f"methods: (.*the weights of )?mine.*{said}|methods: {said}"):
        check_weights("mine", weights, 4)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a,b", "fairco", "DecRS", "all"])
def test_names_of_methods_that_cannot_be(name):
    with pytest.raises(DecRSError, match="is taken; take another|letters, digits and underscores"):
        register_method(name, Method("Mine", role="control"))
    with pytest.raises(DecRSError, match="the name FairCo is taken"):
        register_method("mine", Method("FairCo", role="control"))


@pytest.mark.parametrize("name", ["", "a/b", "../a", "Table3", "tradeoff"])
def test_names_of_outputs_that_cannot_be(name):
    with pytest.raises(DecRSError, match="there is a table or figure named .* already|letters, digits"):
        register_output(Output(name, numbers=mean_recall))


def test_what_is_no_output_is_not_registered():
    with pytest.raises(DecRSError, match="register_output takes an Output, such as .*, not 5"):
        register_output(5)
    with pytest.raises(DecRSError, match="outputs: 5 is no name of a file"):
        register_output(Output(5, numbers=mean_recall))


def test_one_that_is_defined_again_takes_the_place_of_the_former():
    for role in ("competitor", "control"):
        register_method("mine", Method("Mine", role=role))
    assert METHODS["mine"].role == "control"
    for draw in (None, draw_bars):
        register_output(Output("bars", numbers=mean_recall, draw=draw))
    assert OUTPUTS["bars"].draw is draw_bars


def test_a_reranker_that_is_registered_late_is_a_method(settings):
    @reranker(title="Backwards", default=1.0, grid=[1.0])
    def backwards(scores, items, confounder, users, weight, length):
        return scores.masked_fill(scores == -torch.inf, torch.inf).argsort(dim=1)[:, :length]

    results = run_comparison(["FM"], "tiny", ["backwards"], 1, "out", config_dict=settings | {"epochs": 1})
    assert list(results.methods["FM"]) == ["backbone", "backwards"]
    names = list(METHODS)
    assert METHODS[names[names.index("backwards") - 1]].reranker


def test_methods_that_cannot_be():
    with pytest.raises(DecRSError, match="the role of the method Mine is 'best'; take one of backbone, competitor"):
        Method("Mine", role="best")
    with pytest.raises(DecRSError, match="weights for one model, and 2 models in grid; leave one of them"):
        Method("Mine", role="control", weights=half_of_all, grid=((1, {}), (2, {})))
    with pytest.raises(DecRSError, match="has the re-ranker calibratoin, and .*; did you mean calibration"):
        Method("Mine", role="control", reranker="calibratoin")
    with pytest.raises(DecRSError, match="mine trains the models of dcrs, and .*; did you mean decrs"):
        register_method("mine", Method("Mine", role="control", trains="dcrs"))
    with pytest.raises(DecRSError, match="the models of theirs, and there is no such method; take one of backbone, un"):
        register_method("mine", Method("Mine", role="control", trains="theirs"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reranker": "fairco", "weights": half_of_all}, "the method Mine has reranker and weights"),
        ({"grid": ()}, "the grid of the method Mine is empty"),
        ({"grid": ((1, {"ips_cap": 2}), (1.0, {"ips_cap": 3}))}, "the grid of the method Mine has the value 1.0 twice"),
        ({"grid": ((1, {"ips_cap": 2}), ("1", {}))}, "the grid of the method Mine has the value 1 twice"),
        ({"grid": (1, 2)}, "each model in the grid of the method Mine must be a value and a dictionary .*, not 1"),
        ({"grid": ((1, None),)}, "each model in the grid of the method Mine must be a value and a dictionary"),
        ({"grid": 5}, "each model in the grid of the method Mine must be a value and a dictionary .*, not 5"),
        ({"grid": (("a/b", {}),)}, "a value in the grid of the method Mine must be a number, or a text without / and"),
        ({"grid": (((8, 4), {}),)}, "a value in the grid of the method Mine must be a number, or a text without / and"),
        ({"title": 5}, "the title of a method must be a text, not 5"),
        ({"seed_shift": "1"}, "seed_shift of the method Mine must be a whole number >= 0, not '1'"),
        ({"title": "Mine {x}"}, "the title of the method Mine {x} has braces other than those of {backbone}"),
        ({"title": "{backbone} {"}, "the title of the method {backbone} { has braces"),
        ({"title": "{backbone:{x}}"}, "the title of the method .* has braces"),
        ({"title": "{backbone.name}"}, "the title of the method .* has braces"),
    ],
)
def test_fields_of_methods_that_cannot_be(fields, said):
    with pytest.raises(DecRSError, match=said):
        Method(**{"title": "Mine", "role": "control", **fields})


def test_a_comparison_has_one_backbone():
    with pytest.raises(DecRSError, match="methods: the role of mine is 'backbone', .*; take competitor, decrs or"):
        register_method("mine", Method("Mine", role="backbone"))


def test_what_is_no_method_is_not_registered():
    for other in (None, {"title": "Mine"}, Method):
        with pytest.raises(DecRSError, match="register_method takes a Method, such as .*, not "):
            register_method("mine", other)
    with pytest.raises(DecRSError, match="methods: 5 is no name of a method"):
        register_method(5, Method("Mine", role="control"))


@pytest.mark.parametrize("returned", [None, ["embedding_size"], {5: 1}])
def test_settings_of_that_are_none(settings, returned):
    register_method("mine", Method("Mine", role="control", settings_of=lambda config: returned))
    with pytest.raises(DecRSError, match="what settings_of of mine returns must be a dictionary of settings by key"):
        run_comparison(["FM"], "tiny", ["mine"], 1, "out", config_dict=settings)


def test_a_remark_that_is_none_leaves_its_method_out(settings, caplog):
    register_method("mine", Method("Mine", role="control", trains="backbone", remark=lambda chosen, confounder: None))
    results = run_comparison(["FM"], "tiny", ["mine"], 1, "out", config_dict=settings | {"epochs": 1})
    assert list(results.methods["FM"]) == ["backbone"]
    assert "FM-2020-mine is left out: methods: what remark of mine returns must be a dictionary" in caplog.text


@pytest.mark.parametrize("nothing", [None, "", False])
def test_a_method_with_nothing_against_a_backbone_goes_with_it(settings, nothing):
    method = Method("Mine", role="control", why_not=lambda config: nothing)
    assert method.left_out_because(DecRSConfig("FM", "tiny", config_dict=settings), None) is None


def test_a_title_has_the_name_of_the_backbone():
    register_method("mine", Method("{backbone}, by {backbone}", role="control"))
    assert title("FM", "mine") == "FM, by FM"


def test_a_value_that_a_grid_has_twice_counts_once():
    models = ((1, {"ips_cap": 2}), (2, {"ips_cap": 3}))
    assert Method("Mine", role="control", grid=(*models, *models)).grid == models
    assert len(Method("Mine", role="control", weights=half_of_all, grid=((None, {}), (None, {}))).grid) == 1


BEFORE_COMPARE = """
from recbole_decrs import DecRSError
from recbole_decrs.rerank import RERANKERS, reranker

def mine(*arguments): ...
def all(*arguments): ...
def tame(*arguments): ...
reranker(title="FairCo", default=0.1, grid=[0.1])(mine)
reranker(title="All", default=0.1, grid=[0.1])(all)
reranker(title="Tame", default=0.1, grid=[0.1])(tame)

from recbole_decrs.compare.methods import METHODS, enter_rerankers

for name in ("mine", "all"):
    try:
        enter_rerankers()
    except DecRSError as error:
        print(error)
    del RERANKERS[name]
enter_rerankers()
print(*METHODS)
"""


def test_rerankers_are_held_against_methods_whatever_is_imported_first():
    command = [sys.executable, "-W", "ignore", "-c", BEFORE_COMPARE]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(BEFORE_COMPARE, {"__name__": "late"})
    assert done.stdout == printed.getvalue()
    first, second, names = done.stdout.splitlines()
    assert first == "methods: the name FairCo is taken; take another"
    assert second == "methods: the name all is taken; take another"
    assert names.split()[4:7] == ["diversity", "tame", "ips_user"]


def test_every_method_and_output_of_the_package_says_what_it_is():
    assert [name for name, entry in [*METHODS.items(), *OUTPUTS.items()] if not entry.about] == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), DecRSError("measured on other users")])
def test_a_full_disk_or_a_refusal_in_a_figure_is_no_fault_of_it(settings, error):
    def fail(numbers):
        raise error

    settings |= {"epochs": 1}
    run_comparison(["FM"], "tiny", [], 1, "out", config_dict=settings)
    before = {file.name: file.read_bytes() for file in Path("out").glob("*.*")}
    register_output(Output("bars", numbers=mean_recall, draw=fail))
    with pytest.raises(DecRSError, match="No space left|measured on other users"):
        run_comparison(["FM"], "tiny", [], 1, "out", config_dict=settings)
    assert {file.name: file.read_bytes() for file in Path("out").glob("*.*")} == before


@pytest.mark.parametrize("key", ["train_batch_size", "val_interval", "load_col", "test_candidates"])
def test_a_method_cannot_set_what_shapes_the_data(settings, key):
    register_method("mine", Method("Mine", role="control", settings_of=lambda config: {key: config[key]}))
    with pytest.raises(DecRSError, match=f"methods: mine sets {key}, which shapes the data"):
        run_comparison(["FM"], "tiny", ["mine"], 1, "out", config_dict=settings | {"epochs": 1})


def of_none():
    """Takes less than any function of a method or an output is given."""


TOLD = r"^of_none \(.*test_extending\.py, line \d+\), {} of the {}, is called with \({}.*\), in this order"


@pytest.mark.parametrize("field", ["weights", "settings_of", "why_not", "remark", "remark_text"])
def test_a_function_of_a_method_that_does_not_take_what_it_is_given_is_refused(field):
    with pytest.raises(DecRSError, match=TOLD.format(field, "method Mine", "(confounder|config|chosen|infos)")):
        Method("Mine", role="control", **{field: of_none})


@pytest.mark.parametrize("field", ["numbers", "text", "draw", "lacks"])
def test_a_function_of_an_output_that_does_not_take_what_it_is_given_is_refused(field):
    with pytest.raises(DecRSError, match=TOLD.format(field, "output bars", "(results|numbers)")):
        Output("bars", **{"numbers": mean_recall, field: of_none})


def test_what_is_no_function_is_refused():
    with pytest.raises(
        DecRSError, match=r"weights of the method Mine must be a function of \(confounder, alphas, seed"
    ):
        Method("Mine", role="control", weights={0.5: 1})
    with pytest.raises(DecRSError, match=r"numbers of the output bars must be a function of \(results\), not None"):
        Output("bars", numbers=None)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (torch.no_grad()(of_none), ", weights of the method Mine, is called with (confounder, alphas, seed), in this"),
        (lambda *_: None, "the weights of mine must be a dictionary, from each value"),
    ],
)
def test_a_method_of_weights_that_cannot_be_is_left_out(settings, weights, said, caplog):
    register_method("mine", Method("Mine", role="control", weights=weights, seed_shift=1))
    results = run_comparison(["FM"], "tiny", ["mine"], 1, "out", config_dict=settings | {"epochs": 1})
    assert list(results.methods["FM"]) == ["backbone"]
    assert said in next(line for line in caplog.messages if line.startswith("FM-2020-mine is left out: "))


def recall_of(metric: str, results: Results) -> pd.DataFrame:
    """The numbers of a partial."""
    return mean_recall(results)


def test_an_output_of_a_partial_takes_the_place_of_the_former():
    for metric in ("recall", "ndcg"):
        register_output(Output("bars", numbers=functools.partial(recall_of, metric)))
    assert OUTPUTS["bars"].numbers.args == ("ndcg",)
    with pytest.raises(DecRSError, match="there is a table or figure named bars already, in test_extending"):
        register_output(Output("bars", numbers=functools.partial(mean_recall)))
