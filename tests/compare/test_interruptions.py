"""Comparisons that are killed, fail, or find damaged pieces go on and give the same."""

import errno
import json
from collections import Counter
from pathlib import Path

import pytest
import torch

from kills import Killed, killed_at
from recbole_decrs import DecRSError
from recbole_decrs.checkpoint_file import read_checkpoint, write_checkpoint
from recbole_decrs.compare import run as run_module
from recbole_decrs.compare import run_comparison
from recbole_decrs.compare.models import Models
from recbole_decrs.compare.pieces import Pieces
from recbole_decrs.single_trainer import SingleTrainer

pytestmark = pytest.mark.slow
TABLES = ("table3.csv", "table3-tests.csv", "table4.csv", "table5.csv", "tradeoff.csv", "figure1b.csv", "table3.md")


def frames(folder):
    return {name: (folder / name).read_text() for name in TABLES}


@pytest.mark.parametrize("writes", [1, 9, 30])
def test_killed_and_restarted_it_gives_the_same(whole, tiny, writes):
    _, folder = whole
    written = []
    write = Pieces.write

    def killed(self, path, *content):
        if len(written) == writes:
            raise KeyboardInterrupt
        written.append(path)
        write(self, path, *content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pieces, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            run_comparison(["FM"], "tiny", "all", 2, "out", config_dict=tiny)
    kept = {path: path.stat().st_mtime_ns for path in written}
    broken = written[-1]
    for path in (broken, broken.with_suffix(".pth")):
        if path.exists():
            path.write_bytes(path.read_bytes()[:50])
    run_comparison(["FM"], "tiny", "all", 2, "out", config_dict=tiny)
    assert frames(Path("out")) == frames(folder)
    for path, time in kept.items():
        assert (path.stat().st_mtime_ns == time) == (path != broken)


def test_killed_inside_a_training_it_goes_on_from_the_last_epoch(tiny, monkeypatch):
    """Killed at every second checkpoint, again and again, it gives the same; each kill costs one epoch at most."""
    settings, epochs = tiny | {"epochs": 4, "stopping_step": 9}, []
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "undisturbed", config_dict=settings)
    train_epoch = SingleTrainer._train_epoch

    def counting(self, train_data, epoch, *others, **more):
        loss = train_epoch(self, train_data, epoch, *others, **more)
        epochs.append((self.saved_model_file, epoch))
        return loss

    monkeypatch.setattr(SingleTrainer, "_train_epoch", counting)
    kills = 0
    while kills < 30:
        with monkeypatch.context() as patch:
            killed_at(patch, 2, before=True)
            try:
                run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "killed", config_dict=settings)
                break
            except Killed:
                kills += 1
    assert 3 < kills < 30
    assert sum(count - 1 for count in Counter(epochs).values()) <= kills
    for name in ("table3.csv", "table4.csv", "table3.md"):
        assert Path("killed", name).read_text() == Path("undisturbed", name).read_text()
    assert not list(Path("killed").rglob("*-last.pth"))
    damaged = next(Path("killed", "pieces").glob("*backbone*.trained"))
    damaged.unlink()
    checkpoint = damaged.with_suffix(".pth")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1000])
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "killed", config_dict=settings)
    assert Path("killed", "table3.csv").read_text() == Path("undisturbed", "table3.csv").read_text()


def test_killed_while_it_trains_again_what_has_lost_its_checkpoint(tiny, monkeypatch):
    """The note of the first training does not make a whole of the half that the second one leaves."""
    settings = tiny | {"epochs": 4, "stopping_step": 9}
    run_comparison(["FM"], "tiny", ["decrs_wo", "constant"], 1, "undisturbed", config_dict=settings)
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "killed", config_dict=settings)
    for checkpoint in Path("killed/pieces").glob("*.pth"):
        checkpoint.unlink()
    for place in (2, 5):
        with monkeypatch.context() as patch:
            killed_at(patch, place, before=False)
            with pytest.raises(Killed):
                run_comparison(["FM"], "tiny", ["decrs_wo", "constant"], 1, "killed", config_dict=settings)
        assert list(Path("killed/pieces").glob("*.pth"))
    run_comparison(["FM"], "tiny", ["decrs_wo", "constant"], 1, "killed", config_dict=settings)
    assert [read_checkpoint(str(path))["finished"] for path in Path("killed/pieces").glob("*.pth")] == [True, True]
    for name in ("table3.csv", "table4.csv", "table3.md"):
        assert Path("killed", name).read_text() == Path("undisturbed", name).read_text()


def test_a_training_that_fails_leaves_the_others(tiny, monkeypatch, caplog):
    train = Models.train

    def fail(self, model, tell):
        if "wide" in model.name or "ips_user-2" in model.name:
            raise DecRSError("the training loss is not a number any more")
        return train(self, model, tell)

    monkeypatch.setattr(Models, "train", fail)
    results = run_comparison(["FM"], "tiny", ["wide", "ips_user", "decrs"], 1, "out", config_dict=tiny)
    assert results.methods["FM"] == ["backbone", "ips_user", "decrs"]
    assert "not a number" in caplog.text
    left_out = json.loads(Path("out/run.json").read_text())["left_out"]
    assert left_out["FM-2020-wide"] == left_out["FM-2020-ips_user-2"] == "the training loss is not a number any more"


@pytest.mark.parametrize("workers", [1, 2])
def test_data_that_change_meanwhile_stop_it(settings, monkeypatch, workers):
    """In place of leaving out, one by one, the methods for which they are read again."""
    jobs_of = run_module._jobs

    def changed_after(experiments, plan):
        jobs = jobs_of(experiments, plan)
        experiments["FM", 2020].models.cache.loaders.clear()  # as those of two others take the place of
        ratings = Path(settings["data_path"], "tiny", "tiny.inter")
        ratings.write_text("".join(ratings.read_text().splitlines(keepends=True)[:-1]))
        return jobs

    monkeypatch.setattr(run_module, "_jobs", changed_after)
    with pytest.raises(DecRSError, match=r"^data_path: tiny is not what it was .*; the comparison stops; finished"):
        run_comparison(["FM"], "tiny", ["unawareness"], 1, "out", config_dict=settings | {"epochs": 1}, workers=workers)
    assert not Path("out/table3.md").exists()


def test_a_disk_that_is_full_while_a_piece_is_written(settings, monkeypatch):
    def fail(*arguments, **others):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("recbole_decrs.compare.pieces.np.savez_compressed", fail)
        with pytest.raises(DecRSError, match="No space left on device: out/pieces/FM-"):
            run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings | {"epochs": 1})
    assert not list(Path("out").rglob("*.tmp"))


def test_a_model_that_turns_out_to_be_damaged_is_trained_again(settings, caplog):
    """Its parts are all there, and one is not of this model; the figure of shares needs it."""
    settings |= {"epochs": 1}

    def forget_the_figure():
        (scores,) = Path("out/pieces").glob("FM-2020-rated-*.npz")
        scores.unlink()

    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    before = {path.name: path.read_bytes() for path in Path("out").glob("*.csv")}
    (path,) = Path("out/pieces").glob("FM-2020-backbone-*.pth")
    content = read_checkpoint(str(path))
    name = next(iter(content["state_dict"]))
    write_checkpoint(str(path), content | {"state_dict": content["state_dict"] | {name: torch.zeros(2)}})
    forget_the_figure()
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    assert {path.name: path.read_bytes() for path in Path("out").glob("*.csv")} == before
    assert "FM-2020-backbone is trained anew" in caplog.text
    assert torch.equal(read_checkpoint(str(path))["state_dict"][name], content["state_dict"][name])
    path.write_bytes(path.read_bytes()[:-1000])
    forget_the_figure()
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    assert {path.name: path.read_bytes() for path in Path("out").glob("*.csv")} == before
    assert torch.equal(read_checkpoint(str(path))["state_dict"][name], content["state_dict"][name])


def test_a_finished_comparison_needs_no_model(settings, monkeypatch, reads):
    """Neither the tables, nor the figure of shares, nor lists made elsewhere: it may have lost all checkpoints."""
    settings |= {"epochs": 1}
    Path("mine.csv").write_text("user_id,item_id,rank\nu1,i1,1\nu2,i2,1\n")

    def compare(*methods):
        run_comparison(["FM"], "tiny", methods, 1, "out", {"mine": "mine.csv"}, config_dict=settings)
        return {path.name: path.read_bytes() for path in Path("out").iterdir() if path.suffix in (".csv", ".md")}

    before = compare("decrs", "ips_user")
    assert {"figure1b.csv", "table3.csv"} <= set(before)
    trained = json.loads(Path("out/run.json").read_text())["seconds"]
    for checkpoint in Path("out/pieces").glob("*.pth"):
        checkpoint.unlink()
    reads.clear()
    with monkeypatch.context() as patched:
        patched.setattr(Models, "train", lambda *arguments: pytest.fail("it trains"))
        assert compare("decrs", "ips_user") == before
        assert json.loads(Path("out/run.json").read_text())["seconds"] == trained
    assert not reads
    models = []
    train = Models.train
    monkeypatch.setattr(
        Models, "train", lambda self, model, tell: models.append(model.name) or train(self, model, tell)
    )
    compare("decrs", "ips_user", "constant")  # what is new trains again the two that it fuses
    assert models == ["FM-2020-backbone", "FM-2020-decrs"]
    models.clear()
    for checkpoint in Path("out/pieces").glob("*.pth"):
        checkpoint.unlink()
    compare("decrs", "ips_user", "constant", "wide")  # and what ranks by its own model alone trains no other
    assert models == ["FM-2020-wide"]
