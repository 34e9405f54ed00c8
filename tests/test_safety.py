"""No file runs code: checkpoints, things that lie in folders, settings. Each attempt would leave a file ``ran``."""

import os
import pickle
import re
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import recbole
import torch
import yaml

from recbole_decrs import DecRSError, load_data_and_model, run_recbole_decrs
from recbole_decrs.checkpoint_file import read_checkpoint, write_checkpoint
from recbole_decrs.cli import main
from recbole_decrs.compare import run_comparison
from recbole_decrs.compare.pieces import Pieces
from recbole_decrs.key_facts import NOT_KEPT_IN_CHECKPOINTS

RECBOLE = Path(recbole.__file__).parent

RUNS_CODE = (
    r"(?<![.\w])eval\(|(?<![.\w])exec\(|pickle\.load|torch\.load|np\.load|__import__|"
    r"yaml\.(load|full_load|unsafe_load)\("
)
PLACES = {
    # Where RecBole would run what a file or a setting says, and why it does not here
    "model/general_recommender/convncf.py": 1,  # torch.load: since torch 2.6 plain data alone
    "model/general_recommender/nais.py": 1,  # torch.load
    "model/general_recommender/ract.py": 2,  # torch.load
    "model/general_recommender/neumf.py": 2,  # torch.load
    "model/sequential_recommender/s3rec.py": 1,  # torch.load
    "model/general_recommender/ldiffrec.py": 1,  # np.load: looked at before, data/preparation.py
    "model/context_aware_recommender/kd_dagfm.py": 2,  # eval of the key teacher: one of two names, recbole_checks.py
    "config/configurator.py": 3,  # eval of settings: literals alone; YAML: plain data alone, config_files.py
    "trainer/hyper_tuning.py": 1,  # eval of parameter files: literals alone, tune.py
    "trainer/trainer.py": 4,  # torch.load: plain data; __import__ of two packages by their names
    "data/dataset/dataset.py": 1,  # YAML of RecBole's own
    "data/utils.py": 2,  # pickle of datasets and loaders: where a key names the file alone, data/preparation.py
    "quick_start/quick_start.py": 1,  # not used
}


def test_the_places_where_recbole_would_run_code():
    """Another release may have more of them: each is to be looked at."""
    found = {}
    for file in RECBOLE.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if number := len(re.findall(RUNS_CODE, text)):
            found[file.relative_to(RECBOLE).as_posix()] = number
    assert found == PLACES


class Attempt:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return open, (os.path.abspath("ran"), "w")


@pytest.fixture(autouse=True)
def _nothing_ran():
    yield
    assert not Path("ran").exists()


def files_with_code(folder, names):
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        with open(Path(folder) / name, "wb") as file:
            pickle.dump([(Attempt(), None)], file)


LYING_AROUND = [
    "-",
    "tiny-DecRSDataset.pth",
    "tiny-Dataset.pth",
    "tiny-for-BPR-dataloader.pth",
    "tiny-for-DecFM-dataloader.pth",
    "BPR-tiny-1.pth",
    "BPR-evil.pth",
    "BPR-evil-last.pth",
    "DecFM-evil.pth",
    "item_emb.npy",
    "matplotlibrc",
    "sitecustomize.py",
]


@pytest.mark.parametrize("model", ["BPR", "DecFM"])
@pytest.mark.parametrize("resume", [None, "auto"])
def test_what_lies_in_folders(settings, data_folder, model, resume):
    for folder in (".", "saved", "log", "dataset", data_folder / "tiny"):
        files_with_code(folder, LYING_AROUND)
    run_recbole_decrs(model, "tiny", config_dict=settings | {"epochs": 1, "resume": resume})


def test_pieces_with_code(settings):
    settings |= {"epochs": 1}
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    before = Path("out/table3.csv").read_text()
    for piece in list(Path("out/pieces").iterdir()):
        files_with_code("out/pieces", [piece.name, piece.stem + "-last.pth"])
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    assert Path("out/table3.csv").read_text() == before
    piece = next(Path("out/pieces").glob("*.npz"))
    np.savez(piece, info=np.array([Attempt()], dtype=object), allow_pickle=True)
    assert Pieces("out/pieces").read(piece) is None


@pytest.fixture
def checkpoint(settings):
    def make(model="BPR", **others):
        return run_recbole_decrs(model, "tiny", config_dict=settings | {"epochs": 1} | others)["saved_model_file"]

    return make


@pytest.mark.parametrize("use", [load_data_and_model, "resume", "backbone_checkpoint"])
def test_a_checkpoint_that_is_a_pickle(settings, checkpoint, use):
    path = checkpoint("FM")
    content = read_checkpoint(path)
    evil = {**content, "config": Attempt()}
    torch.save(evil, path)
    given = {"epochs": 1, "resume" if use == "resume" else "backbone_checkpoint": path}
    run = partial(run_recbole_decrs, "FM" if use == "resume" else "DecFM", "tiny", config_dict=settings | given)
    load = partial(load_data_and_model, path) if use is load_data_and_model else run
    with pytest.raises(DecRSError, match="does not hold plain data"):
        load()


def test_settings_of_a_checkpoint_neither_read_nor_write_files(settings, checkpoint, tmp_path):
    files_with_code("evil", ["a", "item_emb.npy"])
    evil = dict.fromkeys(NOT_KEPT_IN_CHECKPOINTS, "evil/a") | {
        "save_dataset": True,
        "save_dataloaders": True,
        "log_wandb": True,
        "checkpoint_dir": "evil/made",
    }
    path = checkpoint()
    content = read_checkpoint(path)
    content["config"] |= {key: value for key, value in evil.items() if key != "data_path"}
    write_checkpoint(path, content)
    before = sorted(Path().rglob("*"))
    load_data_and_model(path)
    assert sorted(Path().rglob("*")) == before
    content["config"]["data_path"] = "evil/nowhere"  # to which RecBole would download
    write_checkpoint(path, content)
    with pytest.raises(DecRSError):
        load_data_and_model(path)
    assert sorted(Path().rglob("*")) == before
    load_data_and_model(path, {"data_path": settings["data_path"]})


CODE = "__import__('pathlib').Path('ran').touch()"


@pytest.mark.parametrize("where", ["command line", "config file", "config_dict", "checkpoint"])
@pytest.mark.parametrize(
    "key", ["teacher", "learning_rate", "topk", "eval_args", "load_col", "mlp_hidden_size", "alpha"]
)
def test_settings_that_are_code(settings, tmp_path, where, key, capsys, request):
    settings |= {"epochs": 1, "embedding_size": 4}
    if where == "config_dict":
        with suppress(DecRSError):
            run_recbole_decrs("KD_DAGFM", "tiny", config_dict=settings | {key: CODE})
    elif where == "checkpoint":
        path = run_recbole_decrs("KD_DAGFM", "tiny", config_dict=settings)["saved_model_file"]
        content = read_checkpoint(path)
        content["config"][key] = CODE
        write_checkpoint(path, content)
        with suppress(DecRSError):
            load_data_and_model(path)
    else:
        extra = {key: CODE} if where == "config file" else {}
        Path("c.yaml").write_text(yaml.safe_dump(settings | extra))
        arguments = [f"--{key}={CODE}"] if where == "command line" else []
        main(["--model=KD_DAGFM", "--dataset=tiny", "--config_files=c.yaml", *arguments])


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch ran']",
        "!!python/object/new:os.system ['touch ran']",
        "!!python/name:os.system",
        "!!python/module:os",
        "!!python/object:pathlib.Path {}",
        "!!python/tuple [1, 2]",
    ],
)
def test_yaml_that_is_no_plain_data(tag, capsys):
    Path("c.yaml").write_text(f"topk: {tag}\n")
    assert main(["--model=BPR", "--config_files=c.yaml"]) == 2
    assert "the config file c.yaml, line 1 is not valid YAML" in capsys.readouterr().err


def test_yaml_that_stands_for_more_than_a_memory_holds(capsys):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    Path("c.yaml").write_text("\n".join(lines))
    assert main(["--config_files=c.yaml"]) == 2
    assert "stands for more than 1000000 values" in capsys.readouterr().err
    Path("c.yaml").write_text("a: &a [*a]\n")
    assert main(["--config_files=c.yaml"]) == 2
    assert "a part of itself" in capsys.readouterr().err


def test_pickles_that_a_key_names_are_told(settings, caplog):
    settings |= {"epochs": 1, "save_dataset": True, "save_dataloaders": True}
    run_recbole_decrs("BPR", "tiny", config_dict=settings)
    saved = {path.name: str(path) for path in Path("saved").iterdir()}
    named = {
        "dataset_save_path": saved["tiny-DecRSDataset.pth"],
        "dataloaders_save_path": saved["tiny-for-BPR-dataloader.pth"],
    }
    for key, path in named.items():
        caplog.clear()
        run_recbole_decrs("BPR", "tiny", config_dict=settings | {key: path})
        assert f"{key}: {path} is unpickled, which can run any code" in caplog.text


def test_embeddings_of_items_that_are_a_pickle(settings, data_folder):
    files_with_code(data_folder / "tiny", ["item_emb.npy"])
    with pytest.raises(DecRSError, match=r"item_emb\.npy holds no plain array of numbers"):
        run_recbole_decrs("LDiffRec", "tiny", config_dict=settings | {"train_neg_sample_args": None, "n_cate": 2})


def test_pre_trained_parameters_that_are_a_pickle(settings):
    files_with_code(".", ["pre.pth"])
    others = {"use_pretrain": True, "mf_pretrain_path": "pre.pth", "mlp_pretrain_path": "pre.pth"}
    with pytest.raises(DecRSError, match="the pre-trained parameters of NeuMF are not plain data"):
        run_recbole_decrs("NeuMF", "tiny", config_dict=settings | others)


@pytest.mark.parametrize("key", ["dataset_save_path", "dataloaders_save_path"])
@pytest.mark.parametrize("content", [b"", b"text", pickle.dumps([1, 2, 3])])
def test_what_a_key_names_is_no_pickle_of_the_plugins(settings, key, content):
    Path("named").write_bytes(content)
    with pytest.raises(DecRSError, match=f"{key}: named"):
        run_recbole_decrs("BPR", "tiny", config_dict=settings | {"epochs": 1, key: "named"})
