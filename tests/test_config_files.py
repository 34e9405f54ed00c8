import pytest
import yaml

from recbole_decrs import DecRSError
from recbole_decrs.config import DecRSConfig
from recbole_decrs.tune import read_params_file


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", r"the config file c.yaml, line 1 is not valid YAML \(expected"),
        ("a: 1\nb: 2\na: 3\n", r"the config file c.yaml, line 3 is not valid YAML \(the key a is there twice\)"),
        (
            "a: 1\nnote: 2024-13-45\n",
            r"the config file c.yaml cannot be read \(a value is none of its type: month must",
        ),
        ("a: " + 3000 * "[", r"the config file c.yaml cannot be read \(it is nested too deeply"),
        ("a: !!timestamp 'x'", r"the config file c.yaml cannot be read \(a value is none of its type"),
        (f"seed: {'1' * 5000}", r"the config file c.yaml cannot be read \(a value is none of its type"),
        (
            "load_col:\n  inter: [a]\n  inter: [b]\n",
            r"c.yaml, line 3 is not valid YAML \(the key inter is there twice\)",
        ),
        ("- a\n- b\n", "c.yaml must hold 'key: value' lines"),
    ],
)
def test_bad_config_files(tmp_path, text, message):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(DecRSError, match=message):
        DecRSConfig(config_file_list=["c.yaml"])


def test_a_missing_config_file():
    with pytest.raises(DecRSError, match=r"the config file none\.yaml cannot be read \(No such file or directory\)"):
        DecRSConfig(config_file_list=["none.yaml"])


def test_an_empty_config_file(tmp_path):
    (tmp_path / "c.yaml").write_text("")
    assert DecRSConfig(config_file_list=["c.yaml"])["model"] == "DecFM"


def test_a_text_file_in_another_encoding_is_told_from_one_that_is_not_there(tmp_path):
    (tmp_path / "a.yaml").write_bytes("model: FM # caf\xe9".encode("latin-1"))
    with pytest.raises(DecRSError, match="the config file a.yaml is not text in UTF-8; save it as such"):
        DecRSConfig(config_file_list=["a.yaml"])
    (tmp_path / "a.hyper").write_bytes("# caf\xe9".encode("latin-1"))
    with pytest.raises(DecRSError, match="params_file: a.hyper is not text in UTF-8; save it as such"):
        read_params_file("a.hyper")
    (tmp_path / "a.hyper").write_text("train_batch_size quniform 1,9,0")
    with pytest.raises(DecRSError, match="takes 3 numbers, the low before the high and a step above 0, not '1,9,0'"):
        read_params_file("a.hyper")
    with pytest.raises(DecRSError, match="the config file b.yaml cannot be read .*; check its path"):
        DecRSConfig(config_file_list=["b.yaml"])
    with pytest.raises(DecRSError, match="params_file: b.hyper cannot be read .*; check its path"):
        read_params_file("b.hyper")


def test_merged_keys_are_no_keys_that_are_there_twice(tmp_path):
    text = "a: &a {x: 1}\nouter:\n  inner: &b\n    <<: *a\n    x: 2\nc:\n  <<: *b\n"
    (tmp_path / "c.yaml").write_text(text)
    (tmp_path / "d.yaml").write_text(text + "  x: 1\n  x: 2\n")
    with pytest.raises(DecRSError, match="there twice"):
        DecRSConfig(config_file_list=["d.yaml"])
    assert DecRSConfig(config_file_list=["c.yaml"])["c"] == yaml.full_load(text)["c"]
