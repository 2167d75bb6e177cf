"""The values that a guest of others needs, and the commands and the XML that plug it in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from dvr_ryu.companion.guest_commands import UnknownPort, guest_port, text
from dvr_ryu.topology.loading import parse_topology
from tests.unit.topology.files import topology_file

SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")
VM = "{host: one, plugged: true, ports: [{network: blue, ip: 192.168.1.7}, {network: yellow}]}"
TOPOLOGY = parse_topology(
    topology_file(instances=f"{{a: {VM}, b: {{host: two, network: blue}}}}"), "t.yaml"
)
DOMAIN = """\
<domain type="qemu"><name>a</name><memory>131072</memory>
<os><type arch="x86_64" machine="q35">hvm</type></os><devices>{}</devices></domain>
"""


@pytest.mark.parametrize("offloads", [True, False], ids=["system", "netdev"])
def test_libvirt_takes_the_interface(offloads: bool, tmp_path: Path):
    if not SCHEMA.exists() or not shutil.which("xmllint"):
        pytest.skip("libvirt's schemas or xmllint are lacking: tools/debian-packages python3 tests")
    file = tmp_path / "domain.xml"
    file.write_text(DOMAIN.format(guest_port(TOPOLOGY, "a", offloads).libvirt()))
    command = ["xmllint", "--noout", "--relaxng", str(SCHEMA), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ('csum="off"' in file.read_text()) == (not offloads)


def test_each_way_names_the_port_by_its_id_and_mac():
    guest, second = (guest_port(TOPOLOGY, name, True) for name in ("a", "a:eth1"))
    port = guest.port
    assert port.ip == "192.168.1.7" and second.port.network == "yellow"
    for way in ([guest.libvirt()], guest.qemu(), guest.ip_netns()):
        lines = "\n".join(way)
        assert port.id in lines and port.mac in lines and port.device in lines
    assert any("default via 192.168.1.1" in line for line in guest.ip_netns())
    assert not any("default" in line for line in second.ip_netns())
    assert not any("tx off" in line for line in guest.ip_netns())
    without = guest_port(TOPOLOGY, "a", False)
    assert any("tx off" in line for line in without.ip_netns())
    *_, qemu = without.qemu()
    assert {"csum=off", "host_tso4=off", "guest_tso6=off"} <= {*qemu.split(",")}


def test_only_a_plugged_instance_is_for_others_to_plug_in():
    assert "libvirt" in "\n".join(text(guest_port(TOPOLOGY, "a", True)))
    lines = "\n".join(text(guest_port(TOPOLOGY, "b", True)))
    assert "libvirt" not in lines and "The companion on two plugs it in" in lines
    with pytest.raises(UnknownPort, match="no instance 'aa'; did you mean 'a'"):
        guest_port(TOPOLOGY, "aa", True)


def test_a_roaming_instance_may_be_plugged_in_on_any_host():
    roaming = parse_topology(
        topology_file(instances="{a: {plugged: true, network: blue}}", floating_ips=""), "t.yaml"
    )
    first, *_ = text(guest_port(roaming, "a", True))
    assert first == "a's eth0 on any host, in blue"
    first, *_ = text(guest_port(TOPOLOGY, "a:eth1", True))
    assert first == "a's eth1 on one, in yellow"
