"""A run of two processes has the parameters, lists and tables of a run of one."""

import glob
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from kills import Killed, killed_at
from processes import PAPER, PAPERS_LAYERS, in_processes, trained
from recbole_decrs import run_recbole_decrs
from recbole_decrs.errors import DecRSError

STEADY = PAPER | {"adagrad_initial_accumulator": 0.1}
"""The paper's options with an accumulator that does not make whole steps of what rounding leaves of a gradient of 0,
such as that of a bias before BatchNorm."""


def test_two_epochs_of_training(settings):
    runs = {
        name: (name, settings | PAPER | (PAPERS_LAYERS if "NFM" in name else {}))
        for name in ("FM", "DecFM", "NFM", "DecNFM")
    }
    runs["mean"] = ("DecNFM", settings | STEADY | PAPERS_LAYERS | {"loss_reduction": "mean", "weight_decay": 0.01})
    runs["clipped"] = ("FM", settings | PAPER | {"clip_grad_norm": {"max_norm": 1}, "train_batch_size": 26})
    runs["ips"] = ("FM", settings | {"ips": "item", "train_neg_sample_args": {"sample_num": 3}})
    whole, shared = (in_processes(n, trained, runs) for n in (1, 2))
    for name, state in whole.items():
        for key, value in state.items():
            torch.testing.assert_close(shared[name][key], value, rtol=1e-5, atol=1e-5, msg=f"{name} {key}")


def test_a_whole_run(settings):
    settings |= STEADY | PAPERS_LAYERS | {"save_topk": 5, "save_user_metrics": True}
    one = run_recbole_decrs("DecNFM", "tiny", config_dict=settings | {"checkpoint_dir": "one"})
    two = run_recbole_decrs("DecNFM", "tiny", config_dict=settings | {"checkpoint_dir": "two", "nproc": 2})
    for key in ("conventional_test_result", "deconfounded_test_result", "test_result", "best_valid_result"):
        assert two[key] == pytest.approx(one[key], abs=1e-6)
    assert two["by_drift"].keys() == one["by_drift"].keys()
    assert two["table"] == one["table"]
    for ending in ("-user-metrics.csv", "-top5.csv"):
        tables = [pd.read_csv(result["saved_model_file"].replace(".pth", ending)) for result in (one, two)]
        pd.testing.assert_frame_equal(*tables, rtol=0, atol=1e-5)
    assert len(glob.glob("two/*")) == 5
    assert len(glob.glob("log/*/*")) == 2
    assert len(glob.glob("log_tensorboard/*")) == 2


@pytest.mark.slow
def test_a_training_goes_on_in_another_number_of_processes(settings, monkeypatch):
    settings |= STEADY | {"epochs": 4}
    whole = run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"checkpoint_dir": "whole"})
    with monkeypatch.context() as patched:
        killed_at(patched, 3, False)
        with pytest.raises(Killed):
            run_recbole_decrs("DecFM", "tiny", config_dict=settings)
    resumed = run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"resume": "auto", "nproc": 2})
    assert len(glob.glob("saved/*.pth")) == 1
    assert resumed["test_result"] == pytest.approx(whole["test_result"], abs=1e-6)
    assert run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"resume": "auto"})["table"] == resumed["table"]


@pytest.mark.slow
def test_sampled_candidates(settings):
    settings |= STEADY | {"eval_args": {"mode": "uni10"}}
    one, two = (run_recbole_decrs("FM", "tiny", config_dict=settings | {"nproc": n}) for n in (1, 2))
    assert two["test_result"] == pytest.approx(one["test_result"], abs=1e-6)


@pytest.mark.slow
def test_labels_are_not_trained_by_ids(settings):
    settings |= {"eval_args": {"mode": "labeled"}, "metrics": ["AUC", "LogLoss"], "valid_metric": "AUC"}
    settings |= {"threshold": {"rating": 5}, "train_neg_sample_args": None, "nproc": 2}
    with pytest.raises(DecRSError, match="nproc: several processes train by ids alone"):
        run_recbole_decrs("FM", "tiny", config_dict=settings)


def test_a_model_that_is_not_trained_by_ids(settings):
    with pytest.raises(DecRSError, match="nproc: several processes train FM, NFM, DecFM and DecNFM, not BPR"):
        run_recbole_decrs("BPR", "tiny", config_dict=settings | {"nproc": 2})
    assert glob.glob("saved") + glob.glob("log") == []


@pytest.mark.slow
def test_torchrun(settings):
    settings |= {"seed": 2021}  # with 2020, two scores lie within rounding of each other
    keys = [f"--{key}={value}" for key, value in (settings | STEADY | {"dataset": "tiny"}).items()]
    start = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--nproc_per_node=2", "--standalone"]
    command = [*start, "-m", "recbole_decrs.cli", "--model=DecFM", *keys]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    one = run_recbole_decrs("DecFM", "tiny", config_dict=settings | STEADY)
    assert done.stdout.strip() == one["table"]
    assert len(glob.glob("saved/*.pth")) == 2
    done = subprocess.run([*command, "--stopping_step=x"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr.count("recbole-decrs: error: ") == 1


@pytest.mark.slow
def test_the_command_line(settings):
    keys = [f"--{key}={value}" for key, value in (settings | STEADY | {"dataset": "tiny", "nproc": 2}).items()]
    script = str(Path(__file__).parents[2] / "run_recbole_decrs.py")
    done = subprocess.run([sys.executable, script, "--model=FM", *keys], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("| FM ") == 1
    done = subprocess.run(
        [sys.executable, script, "--model=FM", *keys, "--stopping_step=x"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
