import re
from difflib import unified_diff
from pathlib import Path

import pytest
import yaml

from recbole_decrs import key_facts, recbole_keys
from recbole_decrs.keys import KEYS, SECTIONS
from recbole_decrs.options import CHECKS
from recbole_decrs.recbole_keys import READ_KEY, recboles_keys
from write_keys import OVERALL, ROOT, WRITTEN

CODE = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "recbole_decrs").rglob("*.py"))
READ = set(re.findall(READ_KEY, CODE))
OTHER_DEFAULTS = sorted((ROOT / "properties").glob("*/*.yaml"))


@pytest.mark.parametrize("file", WRITTEN, ids=[file.name for file in WRITTEN])
def test_a_file_says_what_the_code_says(file: Path):
    text, written = file.read_text(encoding="utf-8"), WRITTEN[file]
    difference = unified_diff(text.splitlines(), written(text).splitlines(), file.name, "the code", n=0, lineterm="")
    assert not (lines := list(difference)), "python docs/write_keys.py writes them:\n" + "\n".join(lines)


def test_the_defaults_of_the_list_are_read():
    defaults = yaml.safe_load(OVERALL.read_text(encoding="utf-8"))
    assert {name: defaults[name] for name in KEYS} == {name: key.default for name, key in KEYS.items()}


def test_the_list_names_a_key_once():
    assert len(KEYS) == sum(map(len, SECTIONS.values()))
    assert not KEYS.keys() & recboles_keys()


def test_every_key_of_the_code_is_in_the_list():
    assert READ - recboles_keys() - KEYS.keys() == set()


def test_every_key_of_the_list_is_read():
    assert KEYS.keys() - READ == set()


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_key_is_checked_and_takes_its_default(key):
    assert CHECKS[key.name] is key.check
    assert key.check.passes(key.default)
    assert not key.check.passes(object())


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_meaning_names_all_that_a_key_takes(key):
    listed = re.fullmatch(r"one of (.*?)( or none)?", key.check.takes)
    for choice in listed[1].split(", ") if listed else ():
        assert f"`{choice}`" in key.meaning


def test_a_meaning_names_no_key_that_is_unknown():
    named = {name for key in KEYS.values() for name in re.findall(r"`(\w+_\w+)`", key.meaning)}
    choices = {"fm_all_pairs", "token_seq", "float_seq"}
    assert named - choices - KEYS.keys() - recboles_keys() == set()


def test_facts_are_about_keys_that_there_are():
    assert recboles_keys() >= recbole_keys.CHANGE_NO_NUMBER | recbole_keys.NOT_KEPT_IN_CHECKPOINTS
    assert key_facts.CHANGE_NO_NUMBER - recboles_keys() == {
        "verbose",
        "save_last",
        "resume",
        "report",
        "save_user_metrics",
        "save_topk",
        "user_groups",
    }
    assert key_facts.NOT_KEPT_IN_CHECKPOINTS - recboles_keys() == {"backbone_checkpoint", "resume"}
    assert {"drift_history", "drift_periods", "drift_smoothing"} == key_facts.DRIFT_KEYS < set(key_facts.DATASET_KEYS)


@pytest.mark.parametrize(("name", "values"), key_facts.LEFT_BY_COMPARE.items(), ids=key_facts.LEFT_BY_COMPARE)
def test_compare_leaves_the_default_and_more_that_a_key_takes(name, values):
    assert KEYS[name].default in values
    assert all(map(KEYS[name].check.passes, values))


@pytest.mark.parametrize(("name", "other"), key_facts.USED_WITH.items(), ids=key_facts.USED_WITH)
def test_a_key_that_another_does_not_use_changes_no_number(name, other):
    key, value = other
    assert KEYS[key].check.passes(value)
    assert KEYS[key].default != value
    used = {key: value, name: 1, "seed": 1, "save_last": True}
    assert key_facts.change_numbers(used) == {key: value, name: 1, "seed": 1}
    assert key_facts.change_numbers({**used, key: None}) == {key: None, "seed": 1}


@pytest.mark.parametrize("file", OTHER_DEFAULTS, ids=[file.name for file in OTHER_DEFAULTS])
def test_defaults_of_a_model_or_dataset_pass_and_leave_the_explanation_to_the_list(file):
    for name, value in yaml.safe_load(file.read_text(encoding="utf-8")).items():
        assert name not in CHECKS or CHECKS[name].passes(value), name
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.partition(":")[0] in KEYS:
            assert "# (" not in line
