"""What a file says of DHCP's options is refused, or is what dnsmasq takes; nothing in between."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.companion.providers.commands import require
from dvr_ryu.topology.spec.dhcp_options import OPTIONS, number_of, option_name, value_of

scalars = st.one_of(
    st.text(max_size=20),
    st.integers(-5, 1 << 33),
    st.booleans(),
    st.none(),
    st.ip_addresses(v=4).map(str),
    st.sampled_from(["01:02:ff", "0a", "1.2.3", "example.org", "a,b", '"', "\\", "#x", "12", ""]),
)
values = st.one_of(scalars, st.lists(scalars, max_size=3), st.dictionaries(st.text(), st.none()))
numbers = st.one_of(
    st.sampled_from([number for number, _ in OPTIONS.values()]), st.integers(224, 254)
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(numbers, values), min_size=10, max_size=40))
def test_dnsmasq_takes_what_is_not_refused(options: list[tuple[int, object]]) -> None:
    arguments = []
    for number, value in options:
        try:
            text = value_of(number, value)
        except ValueError:
            continue
        assert text.isprintable() and text
        arguments.append(f"--dhcp-option=tag:t,{option_name(number)},{text}")
    done = subprocess.run(
        [require("dnsmasq"), "--test", "--conf-file=/dev/null", *arguments],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("number", "value", "text"),
    [
        (6, "9.9.9.9", "9.9.9.9"),
        (6, ["9.9.9.9", "9.9.9.10"], "9.9.9.9,9.9.9.10"),
        (26, 1400, "1400s"),
        (19, True, "1b"),
        (15, "it's, #1", '"it\'s, #1"'),
        (67, 'a"\\', '"a\\"\\\\"'),
        (119, ["a.example", "b.example"], "a.example,b.example"),
        (224, 7, "7b"),
        (224, 256, "256s"),
        (224, 65536, "65536i"),
        (224, "7", '"7"'),
        (224, "1.2.3.4", "1.2.3.4"),
        (224, "01:FF", "01:ff"),
        (224, "0a", '"0a"'),
    ],
)
def test_values(number: int, value: object, text: str) -> None:
    assert value_of(number, value) == text


def test_names_and_numbers() -> None:
    assert number_of("ntp-server") == number_of("42") == 42
    assert option_name(42) == "option:ntp-server"
    assert option_name(224) == "224"
