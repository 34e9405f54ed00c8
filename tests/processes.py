"""Calls functions in several processes of one run, and what the tests let these processes do."""

import os
import signal
import warnings
from functools import partial

import torch

from recbole_decrs.distributed.group import connect, is_first, joined, one_before_others, place, told_by_first
from recbole_decrs.distributed.launch import launch
from recbole_decrs.distributed.layers import Part, WholeBatchNorm, WholeDropout
from recbole_decrs.distributed.settings import Layout
from recbole_decrs.dropout import QuickDropout

PAPER = {
    "learner": "adagrad",
    "learning_rate": 0.05,
    "adagrad_initial_accumulator": 1e-8,
    "embedding_init_std": 0.01,
    "loss_reduction": "sum",
    "embedding_norm_weight": 0.1,
    "bi_batch_norm": True,
    "dropout_prob": 0.3,
}
"""The paper's options of training."""
PAPERS_LAYERS = {"mlp_hidden_size": [8], "mlp_activation": "relu", "mlp_dropout_prob": 0.3}
"""Those of NFM's layers."""


def in_processes(n, function, *arguments):
    """Call a function of a module in ``n`` processes; with one, here."""
    call = partial(function, *arguments)
    return call() if n == 1 else launch(call, Layout(n, n))


def trained(runs):
    """Train models for two epochs in float64: the state after it and the loss of each epoch, by name.

    Args:
        runs: name -> (model, settings).
    """
    from recbole_decrs.config import DecRSConfig
    from recbole_decrs.data.id_loader import IdLoader
    from recbole_decrs.epoch import train_epoch
    from recbole_decrs.making import make_data, make_model
    from recbole_decrs.randomness import start_anew
    from recbole_decrs.single_trainer import trainer_for

    warnings.simplefilter("ignore")
    connect(torch.device("cpu"))
    found = {}
    for name, (model_name, settings) in runs.items():
        config = DecRSConfig(model_name, "tiny", config_dict=settings)
        data = make_data(config)
        model = make_model(config, data.part, both=False).double()
        trainer = trainer_for(config)(config, model)
        start_anew(config, data.train)
        model.train()
        torch.set_default_dtype(torch.float64)  # of labels
        try:
            losses = [
                train_epoch(model, trainer.optimizer, IdLoader(data.train), config["clip_grad_norm"], gradients).item()
                for gradients in [trainer._set_gradients] * 2
            ]
            found[name] = {**model.state_dict(), "losses": torch.tensor(losses)}
        finally:
            torch.set_default_dtype(torch.float32)
    return found


def normed(cases, momentum):
    """Put rows through BatchNorm: output, gradients and running statistics, of all rows, for each case.

    Args:
        cases: (rows, gradients by the output, numbers of rows of each process).
        momentum: of the running statistics.
    """
    connect(torch.device("cpu"))
    found = []
    for rows, gradient, lengths in cases:
        layer = torch.nn.BatchNorm1d(rows.shape[1], momentum=momentum).double()
        with torch.no_grad():
            layer.weight.copy_(torch.linspace(0.5, 2, rows.shape[1]))
        if place() is not None:
            layer = WholeBatchNorm(layer)
            rows, gradient = rows.split(lengths)[place().rank], gradient.split(lengths)[place().rank]
        rows = rows.clone().requires_grad_()
        output = layer(rows)
        output.backward(gradient)
        of_layer = torch.stack([layer.weight.grad, layer.bias.grad])
        if place() is not None:
            torch.distributed.all_reduce(of_layer)
        running = torch.stack([layer.running_mean, layer.running_var])
        found.append([joined(output.detach()), joined(rows.grad), of_layer, running])
    return found


def dropped(cases):
    """Put ones through dropout at a seed: what comes out of it of the whole batch, for each case (p, times, whole)."""
    connect(torch.device("cpu"))
    found = []
    for p, times, whole in cases:
        torch.manual_seed(0)
        if place() is None:
            rows = QuickDropout(p)(torch.ones(times * whole, 3)).view(times, whole, 3).transpose(0, 1)
        else:
            start, stop = whole * place().rank // place().size, whole * (place().rank + 1) // place().size
            part = Part(start, stop, whole, times)
            own = WholeDropout(p, part).train()(torch.ones(times * (stop - start), 3))
            rows = joined(own.view(times, stop - start, 3).transpose(0, 1).contiguous())
        found.append((rows, torch.rand(1)))
    return found


def together(folder):
    """Try out what processes do together: rows of uneven number and any type, words of the first, one before others."""
    connect(torch.device("cpu"))
    rank = place().rank
    rows = [joined(torch.full((rank + 1, 2), rank, dtype=kind)) for kind in (torch.bool, torch.int64, torch.float32)]
    empty = joined(torch.zeros(0, 3))
    told = told_by_first(lambda: {"rank": rank, "nested": told_by_first(lambda: [1.5, None, "a"])})
    with one_before_others(True):
        path = os.path.join(folder, "file")
        before = os.path.exists(path)
        with open(path, "a", encoding="utf-8") as file:
            file.write("x")
    return rows, empty, told, joined(torch.tensor([before])), is_first()


def downloaded(url, settings):
    """Make data that are not there yet: the numbers of clicks that the processes read, in the order of processes."""
    from recbole.data.dataset import Dataset

    from recbole_decrs.config import DecRSConfig
    from recbole_decrs.making import make_data

    warnings.simplefilter("ignore")
    connect(torch.device("cpu"))
    Dataset._get_download_url = lambda self, file, allow_none=False: url
    data = make_data(DecRSConfig("DecFM", "ml-1m", config_dict=settings))
    return joined(torch.tensor([len(data.train._dataset)]))


def one_fails(how):
    """Let the second process fail while the first one waits for it."""
    connect(torch.device("cpu"))
    if not is_first():
        if how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        raise {"told": ValueError, "memory": MemoryError}[how]("the second process has had enough")
    told_by_first(lambda: None)
    joined(torch.ones(1))
