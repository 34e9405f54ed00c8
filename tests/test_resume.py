"""A training that is killed anywhere and resumed ends as one that was not, to the last digit."""

import os
from pathlib import Path

import pytest
import torch
import yaml

from kills import Killed, killed_at
from recbole_decrs import DecRSError, run_recbole_decrs
from recbole_decrs.checkpoint_file import read_checkpoint, write_checkpoint
from recbole_decrs.cli import main
from recbole_decrs.resume import last_path
from recbole_decrs.single_trainer import SingleTrainer
from tiny_data import SHORT_SEQUENCES, tiny_tables, write_tables


def parameters(path):
    """The parameters in a checkpoint, and what else is to be as in an undisturbed training."""
    content = read_checkpoint(path)
    states = [content[half] for half in ("conventional", "deconfounded") if half in content] or [content]
    return [
        {**state["state_dict"], **{key: state[key] for key in ("epoch", "cur_step", "best_valid_score", "finished")}}
        for state in states
    ]


def assert_same(one, other):
    for mine, theirs in zip(one, other, strict=True):
        assert mine.keys() == theirs.keys()
        for key, value in mine.items():
            assert torch.equal(value, theirs[key]) if isinstance(value, torch.Tensor) else value == theirs[key], key


def numbers(result):
    return {key: value for key, value in result.items() if key != "saved_model_file"}


def run(model, settings, **others):
    return run_recbole_decrs(model, "tiny", config_dict=settings | others)


def run_until_it_ends(model, settings, monkeypatch, place, before):
    """A run that is killed at its n-th write, and the same command again, and again; and how many it took."""
    for starts in range(1, 30):
        with monkeypatch.context() as patched:
            killed_at(patched, place, before)
            try:
                return run(model, settings, resume="auto"), starts
            except Killed:
                continue
    raise AssertionError("it never ends")


@pytest.mark.slow
@pytest.mark.parametrize("model", ["DecFM", "FM"])
def test_each_file_is_read_once_before_the_training_goes_on(settings, monkeypatch, reads, model):
    settings |= {"epochs": 3, "learning_rate": 0.5}
    with monkeypatch.context() as patched:
        killed_at(patched, 3, False)
        with pytest.raises(Killed):
            run(model, settings)
    (path,) = (str(file) for file in Path("saved").glob("*.pth") if not file.stem.endswith("-last"))
    assert os.path.isfile(last_path(path))
    reads.clear()

    def go_on(*_, **__):
        raise Killed

    monkeypatch.setattr(SingleTrainer, "fit_to_best", go_on)
    with pytest.raises(Killed):
        run(model, settings, resume=path)
    assert reads == [path, last_path(path)]


SAMPLED = {"eval_args": {"mode": "uni5"}}


@pytest.mark.slow
@pytest.mark.parametrize(("place", "before"), [(1, False), (3, True)])
@pytest.mark.parametrize(
    ("model", "others"),
    [
        ("DecFM", {"drift_alpha": "auto"}),
        ("DecFM", {"eval_step": 2}),
        ("DecNFM", SAMPLED),
        ("NFM", {"stopping_step": 0, "epochs": 9}),
        ("DecBPR", {}),
        ("BPR", SAMPLED),
        ("MultiVAE", {"train_neg_sample_args": None, "learning_rate": 0.01}),
        ("SASRec", {"train_neg_sample_args": None, "learning_rate": 0.01}),
        # These keep what a new model has not, or has as None.
        ("SGL", {"learning_rate": 0.01}),
        ("DMF", {"learning_rate": 0.01}),
        ("RepeatNet", SHORT_SEQUENCES | {"train_neg_sample_args": None, "learning_rate": 0.01}),
    ],
)
def test_killed_again_and_again(settings, monkeypatch, model, others, place, before):
    settings |= {"epochs": 3, "stopping_step": 2, "learning_rate": 0.5} | others
    whole = run(model, settings, checkpoint_dir="whole")
    resumed, starts = run_until_it_ends(model, settings, monkeypatch, place, before)
    assert starts > 2
    assert numbers(resumed) == numbers(whole)
    assert_same(parameters(resumed["saved_model_file"]), parameters(whole["saved_model_file"]))
    assert checkpoints() == [os.path.basename(resumed["saved_model_file"])]


def checkpoints():
    """The files in saved/ but the results and cards of runs that have ended."""
    return [name for name in os.listdir("saved") if not name.endswith((".json", ".md"))]


def killed_in_training(model, settings, monkeypatch, place=2, **others):
    """The folder of a run that was killed at its n-th write."""
    with monkeypatch.context() as patched:
        killed_at(patched, place, before=False)
        with pytest.raises(Killed):
            run(model, settings, **others)


def test_a_path_resumes_with_the_settings_of_then(settings, monkeypatch, capsys):
    settings |= {"epochs": 4, "stopping_step": 9}
    whole = run("FM", settings, checkpoint_dir="whole")
    killed_in_training("FM", settings, monkeypatch)
    best, last = (os.path.join("saved", name) for name in sorted(checkpoints(), key=len))
    assert last == last_path(best)
    for others, message in (
        ({"resume": "nowhere.pth"}, "resume: there is no checkpoint nowhere.pth; check its path"),
        ({"resume": best, "seed": 7}, f"resume: {best} was trained with seed: 2020, not 7; give the settings of then"),
        ({"resume": best, "epochs": 2}, f"resume: {best} was trained with epochs: 4, not 2"),
    ):
        with pytest.raises(DecRSError, match=message):
            run("FM", settings, **others)
    with pytest.raises(DecRSError, match="resume: goes on from what is saved, and this run saves nothing"):
        run_recbole_decrs("FM", "tiny", config_dict=settings | {"resume": "auto"}, saved=False)
    for path in (last, best):  # to the end, and once more
        resumed = run("FM", settings, resume=path, show_progress=True)
        assert numbers(resumed) == numbers(whole)
        assert resumed["saved_model_file"] == best
    assert checkpoints() == [os.path.basename(best)]
    longer = run("FM", settings, resume=best, epochs=6)
    assert_same(
        parameters(longer["saved_model_file"]),
        parameters(run("FM", settings, epochs=6, checkpoint_dir="longer")["saved_model_file"]),
    )


def test_two_recommenders_are_not_trained_for_longer(settings):
    """The conventional one would stay as it is, or the deconfounded one be lost."""
    path = run("DecFM", settings, epochs=2)["saved_model_file"]
    with pytest.raises(DecRSError, match=f"resume: {path} was trained with epochs: 2, not 4; give"):
        run("DecFM", settings, epochs=4, resume=path)


def test_auto_takes_the_training_with_these_settings(settings, monkeypatch, caplog):
    settings |= {"epochs": 3}
    first = run("BPR", settings, resume="auto")["saved_model_file"]
    other = run("BPR", settings, resume="auto", embedding_size=4)["saved_model_file"]
    killed_in_training("BPR", settings, monkeypatch, seed=3)
    assert len(checkpoints()) == 4
    (Path("saved") / "BPR-damaged.pth").write_bytes(b"no checkpoint")
    assert run("BPR", settings, resume="auto")["saved_model_file"] == first
    assert "resume: the checkpoint saved/BPR-damaged.pth is damaged, or does not hold plain data" in caplog.text
    assert run("BPR", settings, resume="auto", embedding_size=4)["saved_model_file"] == other
    assert run("BPR", settings, resume="auto", seed=3)["saved_model_file"] not in (first, other)
    assert len(checkpoints()) == 4
    assert run("BPR", settings)["saved_model_file"] != first


@pytest.mark.parametrize("resume", ["auto", "path"])
def test_a_damaged_last_state_says_where_the_training_goes_on(settings, monkeypatch, caplog, resume):
    settings |= {"epochs": 4, "stopping_step": 9}
    whole = run("FM", settings, checkpoint_dir="whole")
    killed_in_training("FM", settings, monkeypatch)
    best, last = (os.path.join("saved", name) for name in sorted(checkpoints(), key=len))
    Path(last).write_bytes(b"no checkpoint")
    assert numbers(run("FM", settings, resume=resume if resume == "auto" else best)) == numbers(whole)
    fault = f"the checkpoint {last} is truncated or no checkpoint at all"
    assert f"{fault}; training goes on from what {best} holds" in caplog.text
    assert "train again" not in caplog.text
    assert ("passed over" in caplog.text) == (resume == "auto")


def test_without_a_last_state_training_goes_on_from_the_best_one(settings, monkeypatch):
    settings |= {"epochs": 4, "stopping_step": 9, "save_last": False}
    whole = run("FM", settings, checkpoint_dir="whole")
    killed_in_training("FM", settings, monkeypatch, place=1)
    assert len(checkpoints()) == 1
    assert numbers(run("FM", settings, resume="auto")) == numbers(whole)


def test_other_data_are_refused(settings, data_folder, monkeypatch, capsys):
    killed_in_training("FM", settings, monkeypatch, epochs=3)
    path = os.path.join("saved", min(checkpoints(), key=len))
    clicks = data_folder / "tiny" / "tiny.inter"
    clicks.write_text("\n".join(clicks.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(DecRSError, match="was made for other data: its users, items, groups or training clicks"):
        run("FM", settings, resume=path, epochs=3)


def test_the_command_line(tmp_path, settings, monkeypatch, capsys):
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(settings | {"epochs": 3}))
    arguments = ["--model=DecFM", "--dataset=tiny", "--config_files=c.yaml"]
    assert main([*arguments, "--checkpoint_dir=whole"]) == 0
    table = capsys.readouterr().out
    with monkeypatch.context() as patched:
        killed_at(patched, 3, before=True)
        with pytest.raises(Killed):
            main([*arguments, "--resume=auto"])
    assert main([*arguments, "--resume=auto"]) == 0
    assert capsys.readouterr().out == table


def test_settings_of_another_kind_in_a_damaged_checkpoint(settings):
    settings |= {"epochs": 1}
    path = run("BPR", settings)["saved_model_file"]
    content = torch.load(path, weights_only=True)
    content["config"]["epochs"] = {}
    torch.save(content, path)
    with pytest.raises(DecRSError, match="is damaged: its settings"):
        run("BPR", settings, resume=path)
    del content["digest"]
    torch.save(content, path)
    with pytest.raises(DecRSError, match=r"was trained with epochs: \{\}, not 1"):
        run("BPR", settings, resume=path)


def test_a_training_that_was_validated_where_a_longer_one_is_not_is_not_trained_for_longer(settings):
    few = {"epochs": 1, "eval_step": 2}
    path = run("BPR", settings, **few)["saved_model_file"]
    with pytest.raises(DecRSError, match="was trained with epochs: 1, not 4"):
        run("BPR", settings, **few | {"epochs": 4, "resume": path})


def test_auto_passes_over_what_it_cannot_go_on_with(settings, data_folder, caplog):
    settings |= {"epochs": 1}
    path = Path(run("BPR", settings)["saved_model_file"])
    os.mkfifo("saved/BPR-pipe.pth")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    damaged = Path("saved/BPR-damaged.pth")
    damaged.write_bytes(content)
    assert run("BPR", settings, resume="auto")["saved_model_file"] == str(path)
    assert "BPR-damaged.pth is corrupt" in caplog.text
    clicks = data_folder / "tiny" / "tiny.inter"
    clicks.write_text("\n".join(clicks.read_text().splitlines()[:-1]) + "\n")
    assert run("BPR", settings, resume="auto")["saved_model_file"] != str(path)
    assert "was made for other data, and is passed over" in caplog.text


def test_files_that_a_kill_left_half_written_are_taken_away(settings):
    path = run("BPR", settings)["saved_model_file"]
    for name in (path, last_path(path)):
        Path(f"{name}.123.tmp").touch()
    run("BPR", settings, resume=path)
    assert checkpoints() == [os.path.basename(path)]


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_state": {":forward": 5}},
        {"other_parameter": {"full_sort_predict": 5}},
        {"optimizer": {"model": {}}},
        {"epoch": -(10**9)},
        {"n_epochs": "x"},
        {"finished": torch.zeros(2)},
        "learning rate",
        "shape",
        "complex",
    ],
)
def test_states_that_are_none_of_the_model(settings, change):
    """Each has a digest that is right, as whoever makes it up can have."""
    path = run("BPR", settings, epochs=1)["saved_model_file"]
    content = read_checkpoint(path)
    if change == "learning rate":
        content["optimizer"]["optimizer"]["param_groups"][0]["lr"] = "x"
    elif change == "shape":
        content["optimizer"]["optimizer"]["state"][0]["exp_avg"] = torch.zeros(1)
    elif change == "complex":
        content["state_dict"] = {name: value.to(torch.complex64) for name, value in content["state_dict"].items()}
    else:
        content |= change
    write_checkpoint(path, content)
    with pytest.raises(DecRSError, match=r"is damaged|does not fit"):
        run("BPR", settings, epochs=3, resume=path)
    assert checkpoints() == [os.path.basename(path)]


@pytest.mark.parametrize("what", ["order", "groups"])
def test_a_training_on_other_rows_is_not_taken_up(tmp_path, settings, monkeypatch, caplog, what):
    """Clicks in another order, and groups that are no feature, leave what parameters mean as it is, and no more."""
    model, others = ("SASRec", SHORT_SEQUENCES) if what == "order" else ("DecBPR", {})
    settings |= {"epochs": 3, **others}
    if what == "groups":
        settings |= {"load_col": {"inter": ["user_id", "item_id", "timestamp"]}, "numerical_features": []}
    killed_in_training(model, settings, monkeypatch)
    (killed,) = [name for name in checkpoints() if name.endswith("-last.pth")]
    tables = tiny_tables()
    if what == "order":
        times = tables["inter"]["timestamp:float"].to_numpy(copy=True).reshape(24, 12)
        times[:, :9] = times[:, 8::-1].copy()
        tables["inter"]["timestamp:float"] = times.ravel()
    else:
        tables["item"]["genre:token_seq"] = tables["item"]["genre:token_seq"].to_numpy()[::-1]
    write_tables(tmp_path / "data", tables)
    with pytest.raises(DecRSError, match="was made for other data"):
        run(model, settings, resume=os.path.join("saved", killed))
    found = run(model, settings, resume="auto")
    assert "has these settings, but was made for other data, and is passed over" in caplog.text
    assert numbers(found) == numbers(run(model, settings, checkpoint_dir="whole"))
