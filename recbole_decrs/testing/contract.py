"""Asks of every recommender what it must do, as a class of tests that a test class of one's own inherits."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from unittest import SkipTest

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import AbstractRecommender
from recbole.utils import ModelType
from recbole.utils.case_study import full_sort_topk

from recbole_decrs.causal import BackdoorOperator
from recbole_decrs.config import DecRSConfig
from recbole_decrs.errors import DecRSError
from recbole_decrs.making import make_data, make_model, make_trainer
from recbole_decrs.model.deconfound import deconfound
from recbole_decrs.model.fused import FusedRecommender
from recbole_decrs.quick_start import run_recbole_decrs
from recbole_decrs.randomness import at_seed
from recbole_decrs.saved_model import load_data_and_model
from recbole_decrs.testing.tiny_data import tiny_settings, tiny_tables, write_tables

TOLERANCE = 1e-5
"""Scores that lie no further apart differ by rounding."""
WEIGHTS_STD = 0.3
"""Random weights spread by this; under them no gradient is zero by chance, as it may be under initial ones."""


class ModelContract:
    """Holds the tests that every model passes; pytest finds them in a class whose name begins with ``Test``.

    A class trains its model once, for one epoch on two dozen users, before its first test::

        from recbole_decrs.testing import ModelContract


        class TestMyModel(ModelContract):
            model = MyModel
            config = {"mlp_hidden_size": [8]}

    A test that does not apply to a model is skipped, and says why. Knowledge-based models need files that these small
    data have not.

    Attributes:
        model: a model's class, or the name by which ``run_recbole_decrs`` knows it.
        config: settings over those of :func:`~recbole_decrs.testing.tiny_data.tiny_settings`.
        tolerance: how far apart scores may lie that are the same but for rounding.
        result: what ``run_recbole_decrs`` has returned of the training.
    """

    model: ClassVar[str | type]
    config: ClassVar[dict[str, Any]] = {}
    tolerance: ClassVar[float] = TOLERANCE

    @classmethod
    def setup_class(cls) -> None:
        """Make the data, train the model, and load it from its checkpoint."""
        cls._folder = TemporaryDirectory()
        folder = write_tables(Path(cls._folder.name), tiny_tables())
        # RecBole evaluates DIN and DIEN on sampled items.
        modes = {"eval_args": {"mode": {"valid": "full", "test": "full"}}}
        cls.settings = tiny_settings(folder, **({"epochs": 1} | modes | cls.config))
        with cls._in_its_folder():
            cls.result = run_recbole_decrs(cls.model, "tiny", config_dict=cls.settings)
        cls._loaded = cls._load()

    @classmethod
    def teardown_class(cls) -> None:
        """Remove what was written."""
        cls._folder.cleanup()

    @classmethod
    @contextmanager
    def _in_its_folder(cls) -> Iterator[None]:
        """Keep the logs and checkpoints of a run out of where pytest was started."""
        with chdir(cls._folder.name):
            yield

    @classmethod
    def _load(cls, **changed: Any) -> tuple:
        """Load config, model, dataset and the three loaders from the checkpoint."""
        own = {} if isinstance(cls.model, str) else {"model": cls.model}
        with cls._in_its_folder():
            return load_data_and_model(cls.result["saved_model_file"], own | changed)

    def test_training_moves_its_parameters(self) -> None:
        """Training changes parameters, and makes none of them infinite or not a number."""
        config, trained, _, train_data, _, _ = self._loaded
        if config["MODEL_TYPE"] == ModelType.TRADITIONAL:
            raise SkipTest("it is not trained by gradients")
        at_seed(config)
        untrained = make_model(config, train_data._dataset)
        for before, after in zip(_parts(untrained), _parts(trained), strict=True):
            pairs = list(zip(before.parameters(), after.parameters(), strict=True))
            name = type(after).__name__
            assert any(not torch.equal(one, other) for one, other in pairs), f"training changes no parameter of {name}"
            assert all(other.isfinite().all() for _, other in pairs), f"a parameter of {name} is not finite"

    def test_its_scores_are_finite_numbers_that_differ(self) -> None:
        """No score is infinite or not a number, and items are not all alike."""
        _, model, dataset, _, _, test_data = self._loaded
        for one in _all(model):
            scores = _scores(one, dataset, _users_of(test_data))[:, 1:]
            assert scores.isfinite().all(), f"a score of {type(one).__name__} is not finite"
            assert (scores.std(dim=1) > 0).any(), f"{type(one).__name__} scores all items alike"

    def test_full_sort_equals_predict_on_every_pair(self) -> None:
        """``full_sort_predict`` gives what ``predict`` gives of a pair, or its logits.

        Of a fused model its two parts are asked: on probabilities of a softmax over all items, pairs have no score.
        """
        _, model, dataset, _, _, test_data = self._loaded
        users = _users_of(test_data)
        for one in _parts(model):
            with torch.no_grad():
                scores, expected = _full_sort(one, users), _pair_by_pair(one, dataset, users)
            same = [
                torch.allclose(found[:, 1:], expected[:, 1:], atol=self.tolerance, rtol=self.tolerance)
                for found in (scores, scores.sigmoid())
            ]
            assert any(same), f"full_sort_predict of {type(one).__name__} is not its predict"

    def test_the_scores_of_a_user_do_not_depend_on_the_others(self) -> None:
        """Scoring some users in another order gives each the same scores as scoring them all."""
        _, model, dataset, _, _, test_data = self._loaded
        users = _users_of(test_data)
        some = torch.tensor([3, 0])
        for one in _all(model):
            all_scores, few = _scores(one, dataset, users), _scores(one, dataset, users[some])
            assert torch.allclose(few, all_scores[some], atol=self.tolerance, rtol=self.tolerance), (
                f"{type(one).__name__} scores a user otherwise beside others"
            )

    def test_scoring_leaves_the_model_as_it_was(self) -> None:
        """A second full sort gives the same scores, and no parameter or buffer is another."""
        _, model, dataset, _, _, test_data = self._loaded
        users = _users_of(test_data)
        before = copy.deepcopy(model.state_dict())
        first, second = (_scores(model, dataset, users) for _ in range(2))
        assert torch.equal(first, second), "scoring twice gives other scores"
        for name, value in model.state_dict().items():
            assert torch.equal(value, before[name]), f"scoring has changed {name}"

    def test_the_same_seed_gives_the_same_result(self) -> None:
        """A second training from the same seed ends with the same numbers, to the last digit."""
        with self._in_its_folder():
            again = run_recbole_decrs(self.model, "tiny", config_dict=self.settings, saved=False)
        assert again["test_result"] == self.result["test_result"], "the same seed gives another result"

    def test_its_checkpoint_holds_all_of_it(self) -> None:
        """Loaded into a model that was made from another seed, a checkpoint gives the scores and the result it had."""
        config, model, dataset, _, _, test_data = self._loaded
        other = self._load(seed=config["seed"] + 1)[1]
        users = _users_of(test_data)
        assert torch.equal(_scores(other, dataset, users), _scores(model, dataset, users)), (
            "what was drawn when the model was made is not in its checkpoint: make it a parameter or a buffer"
        )
        with self._in_its_folder():
            result = make_trainer(config, model).evaluate(test_data, load_best_model=False)
        assert result == self.result["test_result"], "the loaded model has another result"

    def test_it_recommends_neither_padding_nor_training_items(self) -> None:
        """No list holds item 0, which is RecBole's padding, nor, but for sequential models, an item of the user's."""
        config, model, dataset, train_data, _, test_data = self._loaded
        users = test_data._dataset.inter_feat[dataset.uid_field].unique()
        _, lists = full_sort_topk(users.numpy(), model.eval(), test_data, k=5)
        assert (lists > 0).all(), "padding is recommended"
        if config["MODEL_TYPE"] != ModelType.SEQUENTIAL:
            clicks = train_data._dataset.inter_feat
            for user, items in zip(users, lists.cpu(), strict=True):
                clicked = clicks[dataset.iid_field][clicks[dataset.uid_field] == user]
                assert not torch.isin(items, clicked).any(), f"user {int(user)} is recommended a training item"

    def test_its_deconfounded_twin_learns_the_groups(self) -> None:
        """The group embeddings of the model, or of the deconfounded model that is made of it, get a gradient."""
        if self._loaded[0].deconfounded:
            twin = self.model
        else:
            try:
                twin = f"Dec{self.model}" if isinstance(self.model, str) else deconfound(self.model)
                DecRSConfig(twin, "tiny", config_dict=self.settings)
            except DecRSError as error:
                raise SkipTest(str(error)) from error
        config = DecRSConfig(twin, "tiny", config_dict=self.settings)
        data = make_data(config)
        model = config.model_class(config, data.part).to(config["device"])
        torch.manual_seed(0)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(std=WEIGHTS_STD)
        loss = model.calculate_loss(next(iter(data.train)).to(config["device"]))
        sum(loss if isinstance(loss, tuple) else [loss]).backward()
        operators = [module for module in model.modules() if isinstance(module, BackdoorOperator)]
        assert operators, f"{type(model).__name__} has no BackdoorOperator"
        for operator in operators:
            gradient = operator.group_embeddings.grad
            assert gradient is not None, f"{type(model).__name__} does not use its operator"
            assert gradient.any(), f"the group embeddings of {type(model).__name__} get no gradient"


def _parts(model: AbstractRecommender) -> list[AbstractRecommender]:
    """List the two models that a fused one is made of; else the model itself."""
    return [model.conventional, model.deconfounded] if isinstance(model, FusedRecommender) else [model]


def _all(model: AbstractRecommender) -> list[AbstractRecommender]:
    """List the model, and the two that it is made of if it is a fused one."""
    return [model, *_parts(model)] if isinstance(model, FusedRecommender) else [model]


def _users_of(test_data) -> Interaction:
    """Take what the test part says of its first users: features, or a sequence of clicks."""
    return next(iter(test_data))[0]


@torch.no_grad()
def _scores(model: AbstractRecommender, dataset, users: Interaction) -> torch.Tensor:
    """Score every item for the users, shape [n users, n items]."""
    try:
        return _full_sort(model, users)
    except SkipTest:
        return _pair_by_pair(model, dataset, users)


def _full_sort(model: AbstractRecommender, users: Interaction) -> torch.Tensor:
    try:
        return model.eval().full_sort_predict(users.to(_device_of(model))).view(len(users), -1).double().cpu()
    except NotImplementedError as error:
        raise SkipTest("it has no full_sort_predict, so RecBole scores each pair by predict") from error


def _pair_by_pair(model: AbstractRecommender, dataset, users: Interaction) -> torch.Tensor:
    items = dataset.get_item_feature()
    pairs = users.repeat_interleave(len(items))
    pairs.update(items.repeat(len(users)))
    return model.eval().predict(pairs.to(_device_of(model))).view(len(users), -1).double().cpu()


def _device_of(model: AbstractRecommender) -> torch.device:
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
