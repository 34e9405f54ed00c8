import os
import random

import numpy as np
import pytest
import torch
from scipy import sparse

from recbole_decrs import DecRSError
from recbole_decrs.checkpoint_file import new_checkpoint_path, read_checkpoint, write_checkpoint
from recbole_decrs.plain_data import decode, encode
from recbole_decrs.randomness import random_state, restore_random_state
from recbole_decrs.training_state import HiddenState, forget_kept_embeddings

STATE = {
    "epoch": 0,
    "cur_step": 0,
    "best_valid_score": 0.5,
    "best_valid_result": {},
    "state_dict": {},
    "other_parameter": {},
    "optimizer": {},
    "random_state": {},
    "loader_states": [],
}
WHOLE = {"config": {"model": "FM", "dataset": "tiny"}, "fingerprint": "", "confounder": None, **STATE}


def test_arrays_and_sparse_matrices_go_through_plain_data(tmp_path):
    value = {
        "array": np.arange(6, dtype=np.float32).reshape(2, 3),
        "matrix": np.asmatrix([[1.0, 2.0]]),
        "text": np.array(["a", "b"]),
        "csr": sparse.csr_matrix([[0, 1.5], [2, 0]]),
        "coo": sparse.coo_matrix([[0, 1], [2, 0]]),
        "nested": [(1, None, True, "x"), {"t": torch.ones(2)}],
        5: np.float64(2.5),
    }
    write_checkpoint("c.pth", {"value": encode(value)})
    again = decode(torch.load("c.pth", weights_only=True)["value"])
    np.testing.assert_array_equal(again["array"], value["array"])
    assert again["array"].dtype == np.float32
    assert isinstance(again["matrix"], np.matrix)
    assert again["text"].tolist() == ["a", "b"]
    for name in ("csr", "coo"):
        assert again[name].format == name
        np.testing.assert_array_equal(again[name].toarray(), value[name].toarray())
    assert again["nested"][0] == (1, None, True, "x")
    assert again[5] == 2.5


def test_what_is_not_plain_is_refused():
    with pytest.raises(TypeError, match="cannot save a object"):
        encode({"a": object()})


def test_random_states_are_restored():
    state = random_state()
    write_checkpoint("c.pth", {"state": state})
    drawn = random.random(), np.random.rand(), torch.rand(3)
    restore_random_state(torch.load("c.pth", weights_only=True)["state"])
    again = random.random(), np.random.rand(), torch.rand(3)
    assert drawn[:2] == again[:2]
    assert torch.equal(drawn[2], again[2])


@pytest.mark.parametrize("moment", ["save", "fsync", "replace"])
def test_a_kill_while_writing_leaves_the_previous_checkpoint_whole(tmp_path, monkeypatch, moment):
    write_checkpoint("c.pth", WHOLE | {"version": 1})

    def killed(*arguments, **keywords):
        if moment == "save":
            arguments[1].write(b"half a checkpoi")
        raise KeyboardInterrupt

    where = {"save": (torch, "save"), "fsync": (os, "fsync"), "replace": (os, "replace")}[moment]
    monkeypatch.setattr(*where, killed)
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint("c.pth", WHOLE | {"version": 2})
    monkeypatch.undo()
    assert read_checkpoint(tmp_path / "c.pth")["version"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["c.pth"]


def damaged(path, how):
    content = bytearray(path.read_bytes())
    if how == "truncated":
        del content[len(content) // 2 :]
    elif how == "flipped":
        content[content.find(b"\x3f\x80") if b"\x3f\x80" in content else len(content) // 3] ^= 0xFF
    elif how == "text":
        content = bytearray(b"no checkpoint")
    elif how == "empty":
        content = bytearray()
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["truncated", "flipped", "text", "empty"])
def test_a_damaged_checkpoint_is_one_sentence(tmp_path, how):
    path = tmp_path / "c.pth"
    write_checkpoint(str(path), {"tensor": torch.ones(1000)})
    damaged(path, how)
    with pytest.raises(DecRSError, match="c.pth (is truncated or no checkpoint|is corrupt|does not hold)") as caught:
        read_checkpoint(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", WHOLE)
def test_a_checkpoint_that_lacks_a_part(key):
    write_checkpoint("c.pth", {name: value for name, value in WHOLE.items() if name != key})
    with pytest.raises(DecRSError, match=rf"c\.pth is damaged: it has no {key}"):
        read_checkpoint("c.pth")


def test_pickled_objects_are_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, ("owned",)

    torch.save({"config": Evil()}, "evil.pth")
    with pytest.raises(DecRSError, match="was not written by recbole_decrs"):
        read_checkpoint("evil.pth")
    assert not (tmp_path / "owned").exists()


def test_other_files_of_plain_data():
    torch.save({"a": 1}, "other.pth")
    with pytest.raises(DecRSError, match="not written by this version"):
        read_checkpoint("other.pth")
    with pytest.raises(DecRSError, match=r"there is no checkpoint none\.pth"):
        read_checkpoint("none.pth")


def test_checkpoints_of_the_same_second_differ(prepared):
    config, *_ = prepared("FM")
    assert len({new_checkpoint_path(config) for _ in range(50)}) == 50


def test_embeddings_kept_for_prediction_are_no_state_and_are_forgotten():
    model = torch.nn.Linear(1, 1)
    before = HiddenState(model)
    model.restore_user_e, model.counter = torch.ones(2), 3
    assert "restore_user_e" not in str(before.changed())
    assert ":counter" in before.changed()
    forget_kept_embeddings(model)
    assert (model.restore_user_e, model.counter) == (None, 3)


def test_a_checkpoint_without_the_right_to_read_it_is_not_called_damaged(tmp_path, monkeypatch):
    (tmp_path / "a.pth").write_bytes(b"")

    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("zipfile.ZipFile", refuse)
    with pytest.raises(DecRSError, match=r"a\.pth may not be read by this user; change its rights"):
        read_checkpoint(str(tmp_path / "a.pth"))
