"""What a comparison refuses, in one sentence."""

from pathlib import Path

import pytest

from recbole_decrs import FM, DecRSError
from recbole_decrs.cli import main
from recbole_decrs.compare import run_comparison
from recbole_decrs.compare.methods import PARTNER
from recbole_decrs.compare.plan import _check_nothing_in_common

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--methods=calibraton"], "no method calibraton; did you mean calibration?"),
        (["--backbones=FMM"], "no model named FMM; did you mean"),
        (["--backbones=DecFM"], "name the conventional FM"),
        (["--model=FM"], "takes no --model; did you mean --backbones?"),
        (["--method=fairco"], "takes no --method; did you mean --methods?"),
        (["--seed=3"], "takes no --seed; did you mean --seeds?"),
        (["--out=x"], "takes no --out; did you mean --output?"),
        (["--folder=x"], "takes no --folder; it takes --backbones, --methods, --seeds, --output, --lists,"),
        (["--users=100"], "takes no --users; it takes"),
        (["--seeds=no"], "seeds must be"),
        (["--seeds=0"], "seeds must be"),
        (["--seeds=20202021"], "seeds: 20202021 are too many; for the seed of that number write [20202021]"),
        (["--seeds=[0,0,2021]"], "seeds: 0 stands there twice; keep one"),
        (["--seeds=[4294967290]"], "seeds must be"),
        (["--seeds=[7,2020,1007]"], "seeds: 7 and 1007 are 1000 apart, so that the second model of seed 7"),
        (["--reranker_candidates=9", "--methods=fairco"], "9 are fewer than the 10 that topk asks for; raise it"),
        (["--backbones=,"], "backbones names no model"),
        (["--epochs=0"], "epochs must be a whole number >= 1, not 0"),
        (["--eval_step=0"], "eval_step must be at least 1"),
        (["--backdoor_operator=product"], "leave backdoor_operator out"),
        (["--confounder_prior=learned"], "leave confounder_prior out"),
        (["--unused_col={'item': ['genre']}"], "unawareness leaves it out by itself"),
        (["--metrics=['Recall','NDCG','CKL','GAUC']"], "GAUC ranks all items"),
        (["--lists=a|b=a.csv"], "NAME=file.csv"),
        (["--lists=FM=a.csv"], "is taken"),
        (["--lists=a.csv"], "NAME=file.csv"),
        (["--lists=decrs=a.csv"], "is taken"),
        (["--reranker=fairco"], "leave reranker out"),
        (["--drift_alpha=0.3"], "leave it out"),
        (["--metrics=['Recall']"], "need NDCG"),
        (["--group_field="], "group_field"),
    ],
)
def test_one_sentence_for_what_cannot_be_used(tiny, capsys, arguments, message):
    typed = [f"--{key}={value}" for key, value in tiny.items() if key not in ("data_path", "topk")]
    data = [f"--data_path={tiny['data_path']}", "--topk=[5,10]"]
    given = {argument.partition("=")[0] for argument in arguments}
    typed = [argument for argument in typed if argument.partition("=")[0] not in given]
    assert main(["compare", "--dataset=tiny", *typed, *data, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not Path("results").exists()


def test_seeds_a_shift_apart_matter_where_a_method_shifts_them():
    _check_nothing_in_common([7, 1007], {0})
    with pytest.raises(DecRSError, match="seeds: 7 and 1007 are 1000 apart"):
        _check_nothing_in_common([2020, 7, 1007], {0, PARTNER})
    with pytest.raises(DecRSError, match="seeds: 0 and 1000 are 1000 apart"):
        _check_nothing_in_common([0, 1000], {PARTNER})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"backbones": 5}, "backbones must be names, not 5"),
        ({"backbones": ["FM", FM]}, "backbones must be names, not <class .*; register_model"),
        ({"methods": [None]}, "methods must be names, not None"),
        ({"lists": {5: "a.csv"}}, "lists: a name must be a text, not 5"),
    ],
)
def test_what_is_no_name(tiny, given, message):
    with pytest.raises(DecRSError, match=message):
        run_comparison(dataset="tiny", config_dict=tiny, **given)


def test_lists_from_python(tiny):
    for lists, message in (
        ({"FM": "a.csv"}, "the name FM is taken"),
        ({"DecRS": "a.csv"}, "the name DecRS is taken"),
        ({"a": "a.csv", "A": "a.csv"}, "the name A is taken"),
        (["a.csv"], "lists must be CSV files by the names"),
    ):
        with pytest.raises(DecRSError, match=message):
            run_comparison(["FM"], "tiny", ["decrs"], 1, lists=lists, config_dict=tiny)


def test_what_the_system_refuses_is_one_sentence(tiny, capsys):
    Path("out").mkdir()
    Path("out/pieces").write_text("")
    typed = [f"--{key}={value}" for key, value in tiny.items()]
    assert main(["compare", "--dataset=tiny", "--backbones=BPR", "--output=out", *typed]) == 2
    assert "is a file; move it away, or name another" in capsys.readouterr().err
