"""TLS as resources: an edit of the file's `controller` is a difference, made in the right order."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from dvr_ryu.companion.change import change
from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.desired.tls import DEFAULTS, TlsOptions
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.tls import SwitchTls
from dvr_ryu.topology.controller import Controller
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

HOST = "server-64"


def view(article: Topology, tls: bool) -> HostView:
    return HostView(evolve(article, controller=Controller("10.0.44.1", 6653, tls)), HOST)


def test_a_file_that_says_ssl_has_open_vswitch_set_for_it(article: Topology) -> None:
    before, after = (desired_resources(view(article, tls), "netdev") for tls in (False, True))
    edit = change(after, before)
    (made,) = edit.added
    assert isinstance(made, SwitchTls)
    assert made.settings == {
        "private_key": "/etc/dvr_ryu/pki/server-64-privkey.pem",
        "certificate": "/etc/dvr_ryu/pki/server-64-cert.pem",
        "ca_cert": "/etc/dvr_ryu/pki/controllerca.pem",
        "bootstrap_ca_cert": "false",
    }
    targets = {each.new.controller["target"] for each in edit.changed}  # type: ignore[attr-defined]
    assert targets == {"ssl:10.0.44.1:6653"}
    assert [{type(resource) for resource in step} for step in edit.makings] == [
        {SwitchTls},
        {Bridge},
    ]
    assert "+1 tls, ~2 bridge" in edit.summary() or "~2 bridge, +1 tls" in edit.summary()


def test_back_to_tcp_it_goes(article: Topology) -> None:
    before, after = (desired_resources(view(article, tls), "netdev") for tls in (True, False))
    edit = change(after, before)
    assert [type(resource) for resource in edit.removed] == [SwitchTls]
    assert {type(each.new) for each in edit.changed} == {Bridge}


@pytest.mark.parametrize("tls", (False, True))
def test_a_companion_may_be_told_to_use_tls_anyway(article: Topology, tls: bool) -> None:
    options = TlsOptions(Path("/srv/pki"), always=True)
    expected = desired_resources(
        view(article, True), "netdev", options=evolve(options, always=False)
    )
    assert desired_resources(view(article, tls), "netdev", options=options) == expected
    assert any("/srv/pki/server-64-cert.pem" in str(resource) for resource in expected)


def test_without_a_controller_there_is_no_tls(article: Topology) -> None:
    nobody = HostView(evolve(article, controller=None), HOST)
    for options in (DEFAULTS, TlsOptions(always=True)):
        found = desired_resources(nobody, "netdev", options=options)
        assert not any(isinstance(resource, SwitchTls) for resource in found)
