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


def test_a_title_has_the_name_of_the_backbone():
    register_method("mine", Method("{backbone}, by {backbone}", role="control"))
    assert title("FM", "mine") == "FM, by FM"


BEFORE_COMPARE = """
from recbole_decrs import DecRSError
from recbole_decrs.rerank import RERANKERS, reranker

def mine(*arguments): ...
def all(*arguments): ...
def tame(*arguments): ...
reranker(title="FairCo", default=0.1, grid=[0.1])(mine)
reranker(title="All", default=0.1, grid=[0.1])(all)
reranker(title="Tame", default=0.1, grid=[0.1])(tame)

from recbole_decrs.compare.method_registry import enter_rerankers
from recbole_decrs.compare.methods import METHODS

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
