import pytest
from omegaconf import OmegaConf

from facenet_lit.config_values import override_value, plain


@pytest.mark.parametrize(
    "value",
    [
        "it's",
        "a b",
        "x=y",
        "a\\b",
        "a\\",
        "a\\'b",
        "${no}",
        "[1,2]",
        "null",
        None,
        True,
        3,
        1e-5,
        [1, "a,b", None],
        "",
    ],
)
def test_an_override_value_is_read_back_as_it_was(value: object) -> None:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parsed = OverridesParser.create().parse_override(f"name={override_value(value)}")
    read = parsed.value()
    assert (read if not isinstance(read, list) else list(read)) == value


def test_a_config_as_plain_values() -> None:
    config = OmegaConf.create({"a": {"b": "${c}"}, "c": [1, 2]})
    assert plain(config) == {"a": {"b": [1, 2]}, "c": [1, 2]}
    assert type(plain(config)["a"]["b"]) is list
