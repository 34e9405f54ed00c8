"""The plugin's models keep the contract of every model, and the contract notices one that does not."""

import subprocess
import sys

import pytest
import torch
from one_layer import OneLayer

from recbole_decrs.model.catalogue import deconfounded_names
from recbole_decrs.testing import ModelContract
from tiny_data import ALL_TYPES, SHORT_SEQUENCES

pytestmark = pytest.mark.slow


def contract_of(name, **config):
    """A test class of a model; a deconfounded one has its backbone in it."""
    return type(f"Test{name}", (ModelContract,), {"model": name, "config": ALL_TYPES | config})


SEQUENTIAL = ("DecSASRec", "DIEN", "DIN")
for _name in sorted({*deconfounded_names(), *SEQUENTIAL, "FFM", "LR"}):
    globals()[f"Test{_name}"] = contract_of(_name, **(SHORT_SEQUENCES if _name in SEQUENTIAL else {}))


class TestOneLayer(ModelContract):
    """A class of one's own, which has no full sort and a twin that is made of it."""

    model = OneLayer


class Stuck(OneLayer):
    def calculate_loss(self, interaction):
        return 0 * super().calculate_loss(interaction)


class Forgetful(OneLayer):
    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.drawn = torch.rand(1).item()

    def predict(self, interaction):
        return super().predict(interaction) * self.drawn


class Counting(OneLayer):
    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.register_buffer("asked", torch.zeros(()))

    def predict(self, interaction):
        self.asked += 1
        return super().predict(interaction)


class LookingAtOthers(OneLayer):
    def predict(self, interaction):
        logits = self.forward(interaction)
        return (logits - logits.mean()).sigmoid()


class SortingOtherwise(OneLayer):
    def full_sort_predict(self, interaction):
        return torch.rand(len(interaction), self.n_items, generator=torch.Generator().manual_seed(0))

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.n_items = dataset.item_num


class Restless(OneLayer):
    def predict(self, interaction):
        return super().predict(interaction) * torch.rand(1, generator=self.generator)

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.generator = torch.Generator()
        self.generator.seed()


@pytest.mark.parametrize(
    ("broken", "test", "message"),
    [
        (Stuck, "training_moves_its_parameters", "training changes no parameter of Stuck"),
        (SortingOtherwise, "full_sort_equals_predict_on_every_pair", "full_sort_predict of SortingOtherwise is not"),
        (LookingAtOthers, "the_scores_of_a_user_do_not_depend_on_the_others", "otherwise beside others"),
        (Counting, "scoring_leaves_the_model_as_it_was", "scoring has changed asked"),
        (Restless, "scoring_leaves_the_model_as_it_was", "scoring twice gives other scores"),
        (Forgetful, "its_checkpoint_holds_all_of_it", "is not in its checkpoint"),
    ],
)
def test_a_broken_model_is_noticed(broken, test, message):
    contract = type("Contract", (ModelContract,), {"model": broken})
    contract.setup_class()
    try:
        with pytest.raises(AssertionError, match=message):
            getattr(contract(), f"test_{test}")()
    finally:
        contract.teardown_class()


def test_the_contract_needs_no_pytest():
    code = "import sys; sys.modules['pytest'] = None; import recbole_decrs.testing"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
