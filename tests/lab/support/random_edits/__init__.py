"""Random edits of a topology of three hosts: everything that a person may do to the file.

The topology's own checks decide whether an edit makes a valid file.
"""

from __future__ import annotations

import copy
from random import Random

from dvr_ryu.errors import FileError
from dvr_ryu.topology.loading import parse_topology
from tests.lab.support.random_edits import floating_ips, hosts, instances, networks, routers
from tests.lab.support.random_edits.document import Document, Edit, start, yaml_of

__all__ = ["Document", "edited", "start", "yaml_of"]


def edited(document: Document, random: Random) -> tuple[str, Document]:
    """Apply one random edit; return a description of it, and the new topology."""
    while True:
        after = copy.deepcopy(document)
        did = random.choice(EDITS)(after, random)
        if did is None or after == document:
            continue
        try:
            parse_topology(yaml_of(after), "edited.yaml")
        except FileError:
            continue
        return did, after


EDITS: list[Edit] = [
    instances.create_instance,
    instances.create_instance,
    instances.delete_instance,
    instances.move_instance,
    instances.move_instance,
    instances.move_instance,
    instances.readdress_instance,
    instances.replug_instance,
    instances.give_second_nic,
    instances.take_second_nic,
    instances.bind_twice,
    instances.bind_twice,
    networks.add_network,
    networks.add_network,
    networks.remove_network,
    networks.edit_network,
    networks.edit_dhcp,
    networks.edit_dhcp,
    instances.edit_instance_dhcp,
    routers.add_router,
    routers.add_router,
    routers.remove_router,
    routers.edit_router,
    routers.change_external,
    routers.change_external,
    routers.move_snat,
    floating_ips.bind_floating,
    floating_ips.bind_floating,
    floating_ips.forward_ports,
    floating_ips.centralise_floating,
    floating_ips.forward_port,
    floating_ips.unbind_floating,
    hosts.add_host,
    hosts.remove_host,
    hosts.edit_host,
]
