"""What a GPU computes is what the processor computes: `pytest -m gpu` on a machine that has one."""

import pytest
import torch

from kills import Killed, killed_at
from recbole_decrs import load_data_and_model, run_recbole_decrs
from recbole_decrs.compare import run_comparison
from recbole_decrs.data.id_loader import IdLoader
from recbole_decrs.epoch import train_epoch
from recbole_decrs.jensen import measure_jensen_gap
from recbole_decrs.model.catalogue import find_model
from recbole_decrs.optimizer import fitted_optimizer
from recbole_decrs.rerank import RERANKERS
from test_devices import OPTIONS, options_of, trained

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
]
CPU = {"use_gpu": False}
MODELS = ["FM", "NFM", "DecFM", "DecNFM", "DeepFM", "DecDeepFM", "BPR", "DecBPR"]


@pytest.fixture
def no_waiting():
    """An error for whatever makes the processor wait for the GPU."""
    before = torch.cuda.get_sync_debug_mode()

    def switch(on):
        torch.cuda.set_sync_debug_mode("error" if on else before)

    yield switch
    switch(False)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", ["FM", "DecFM", "NFM", "DecNFM"])
def test_no_step_waits_for_the_gpu(prepared, no_waiting, name, options):
    config, train_data, *_ = prepared(name, learner="adagrad", **options_of(name, options))
    model = find_model(name)(config, train_data.dataset).to("cuda").train()
    optimizer = fitted_optimizer(torch.optim.Adagrad(model.parameters(), lr=0.1), model, config)
    batches = list(IdLoader(train_data, "cuda"))
    train_epoch(model, optimizer, batches[:1], config["clip_grad_norm"])  # which may set up something
    no_waiting(True)
    train_epoch(model, optimizer, batches, config["clip_grad_norm"])


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", ["FM", "DecFM", "NFM", "DecNFM"])
def test_training_and_full_sort_are_those_of_the_processor(prepared, name, options):
    scores = {}
    for device in ("cpu", "cuda"):
        losses, model, part = trained(prepared, name, options, device)
        scores[device] = losses, model.full_sort_logits(part.get_user_feature().to(torch.device(device))).cpu()
    assert scores["cuda"][0] == pytest.approx(scores["cpu"][0], rel=1e-4)
    torch.testing.assert_close(scores["cuda"][1][1:], scores["cpu"][1][1:], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", ["FM", "DecFM", "NFM", "DecNFM"])
def test_recorded_steps_are_those_launched_one_by_one(prepared, name, options):
    (losses, model, _), (found, recorded, _) = (
        trained(prepared, name, options, "cuda", recorded, train_batch_size=64) for recorded in (False, True)
    )
    assert found == pytest.approx(losses, rel=1e-4)
    for key, value in model.state_dict().items():
        torch.testing.assert_close(recorded.state_dict()[key], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_a_run(settings, name):
    result = run_recbole_decrs(name, "tiny", config_dict=settings)
    path = result["saved_model_file"]
    _, model, *_ = load_data_and_model(path)
    assert {parameter.device.type for parameter in model.parameters()} == {"cuda"}
    again = run_recbole_decrs(name, "tiny", config_dict=settings)
    assert again["test_result"] == pytest.approx(result["test_result"], abs=0.02)
    on_cpu = load_data_and_model(path, CPU)
    users = on_cpu[2].get_user_feature()[1:]
    with torch.no_grad():
        here = on_cpu[1].eval().full_sort_predict(users).view(-1)
        there = model.eval().full_sort_predict(users.to(torch.device("cuda"))).view(-1).cpu()
    torch.testing.assert_close(there, here, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["FM", "DecFM"])
def test_resumed(settings, monkeypatch, name):
    settings |= {"epochs": 3, "learning_rate": 0.5}
    whole = run_recbole_decrs(name, "tiny", config_dict=settings | {"checkpoint_dir": "whole"})
    with monkeypatch.context() as patched:
        killed_at(patched, 2, False)
        with pytest.raises(Killed):
            run_recbole_decrs(name, "tiny", config_dict=settings)
    resumed = run_recbole_decrs(name, "tiny", config_dict=settings | {"resume": "auto"})
    assert resumed["test_result"] == pytest.approx(whole["test_result"], abs=0.02)


@pytest.mark.parametrize("name", RERANKERS)
def test_a_reranker(settings, name):
    others = {"reranker": name, "reranker_candidates": 20, "save_topk": 5}
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings | others)
    assert 0 < result["test_result"]["recall@10"] <= 1


def test_a_comparison(settings):
    run_comparison(["FM", "NFM"], "tiny", "all", 2, "out", config_dict=settings | {"drift_alpha_grid": [0.2, 1.0]})


def test_the_jensen_gap(settings):
    path = run_recbole_decrs("DecFM", "tiny", config_dict=settings)["saved_model_file"]
    on_gpu, on_cpu = (measure_jensen_gap(path, n_users=5, k=3, config_dict=others) for others in ({}, CPU))
    for scale, gap in on_gpu.items():
        assert gap.mean == pytest.approx(on_cpu[scale].mean, abs=1e-4)
