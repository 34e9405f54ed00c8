"""RecBole's own run, to hold the plugin's against."""

import sys
import types

import pytest


def run_recbole(model, dataset, config_dict):
    """RecBole's function of this name, without a checkpoint, which it cannot read again from torch 2.6 on.

    Its module imports Ray, which only the search of hyper-parameters needs.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["test"])
        if "recbole.quick_start" not in sys.modules:
            patch.setitem(sys.modules, "ray", types.SimpleNamespace(tune=None))
        from recbole.quick_start import run_recbole as recboles

        return recboles(model, dataset, config_dict=config_dict, saved=False)
