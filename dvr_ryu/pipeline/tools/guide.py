"""Contains the manual of flow files: the part of the documentation that is not generated.

Text only. `docs` takes relations, fields, tables and flows from the code, not from this text.
"""

from __future__ import annotations

HEADER = """
.. Printed by `dvr docs`. Do not edit: `make docs` writes it anew; a test fails if it has drifted.

=============
The pipelines
=============

A folder of flow files tells how bridges forward: ``br-tun.flows`` for every br-tun, and so on. No
other file contains a flow. The controller fills the flows of each bridge from the topology and
keeps the bridge so. Save a file, and the controller changes the running bridges by the difference.

``dvr check TOPOLOGY`` tells what is wrong with a file, with line and column. ``dvr flows TOPOLOGY
--host NAME --bridge br-tun`` prints the flows that a bridge gets. Both take ``--flows DIR``. The
controller takes ``flows = DIR`` in the group ``[dvr]`` of its ``--config-file``. All of them take
the folder that ``DVR_FLOWS`` names in the environment.

.. contents::
   :depth: 2
   :local:
"""

GUIDE = """
How to read a flow file
-----------------------

::

    # A line of its own that begins with a hash, right above a flow, is the flow's sentence.
    table 1 DVR_PROCESS "Frames from br-int: hide the gateway that every host shares."
      each gateway:
        # {gateway.ip} is on this host: packets to it must not leave.
        priority=2, dl_vlan={gateway.vlan}, dl_dst={gateway.mac}  actions=drop
        # Packets that {gateway.router} routed here leave with the MAC of {host.name}.
        priority=1, dl_vlan={gateway.vlan}, dl_src={gateway.mac} \\
          actions=mod_dl_src:{host.dvr_mac},goto_table:PATCH_LV_TO_TUN
      miss: goto_table:PATCH_LV_TO_TUN

Words
    The language has ovs-ofctl's words. A line without holes can be pasted behind ``ovs-ofctl
    add-flow br-tun table=1,`` and back.
Table
    A table has a number from 0 to 253, a name in capitals, and a sentence that tells what it
    decides. Packets come in at table 0. Actions name a table by its name or its number.
Flow
    A flow is a match, then ``actions=``. A flow without ``priority=`` has 32768, as in ovs-ofctl.
Sentence
    The comment lines right above a flow tell why it is there. A blank line parts a comment from the
    next flow. Sentences may have holes; they are for people and change nothing.
each
    ``each RELATION:`` repeats the deeper indented lines below it for every row of the relation. It
    does not nest. The language has no other logic.
Hole
    ``{relation.field}`` takes the value of the row. The field that the hole stands in says of which
    kind the hole must be: a MAC address, an IPv4 address, an IPv6 address, a VLAN tag, a VNI, an IP
    protocol, an L4 port (of TCP, UDP or SCTP) or a port of the bridge. A register takes any number
    that its bits have room for. ``xreg`` and ``xxreg`` take holes in actions, not in matches. A
    *name* fits into sentences only.
Masked number
    A hole of this kind is a number with its mask, such as some L4 ports of a range. It is the whole
    value of a match, of a field that takes masks and has as many bits. If the mask has all bits,
    the flow matches the number without a mask. If the mask has none, the flow does not match the
    field. No action takes a masked number.
Port
    ``patch-int`` or ``{tunnel.port}``: flows name ports, and the bridge tells their numbers. The
    controller leaves a flow out as long as the bridge does not have its port. A port of another
    bridge is a mistake. So is a name that looks like a slip in one of dvr_ryu's. ``dvr check``
    warns of any other name, because you must add that port. A name in quotes may have any letters.
List of ports
    ``output:{network.flood}`` becomes one output for each port of the list that the bridge has. A
    flow without any of them is left out.
miss
    ``miss: ACTIONS`` is ``priority=0 actions=ACTIONS``: for packets that no other flow matches.
Continuation
    A line that ends with a backslash continues in the next one.

``actions=`` takes the following words, with commas between them. Instructions stand among them in
OpenFlow's order.

To ports
    ``output:PORT`` or just ``PORT``, ``output:FIELD[]``, ``output(port=,max_len=)``, ``IN_PORT``,
    ``NORMAL``, ``FLOOD``, ``ALL``, ``LOCAL``, ``TABLE``, ``CONTROLLER``, ``CONTROLLER:BYTES``,
    ``controller(...)``, ``enqueue:PORT:QUEUE``, ``set_queue``, ``pop_queue``, ``group``,
    ``bundle(...)``, ``drop``
To tables
    ``resubmit(PORT,TABLE)``
On fields
    ``set_field:VALUE/MASK->FIELD``, ``load:VALUE->FIELD[]``, ``move:FIELD[]->FIELD[]``,
    ``push:FIELD[]``, ``pop:FIELD[]``, ``delete_field:FIELD``, ``mod_dl_src``, ``mod_dl_dst``,
    ``mod_nw_src``, ``mod_nw_dst``, ``mod_nw_tos``, ``mod_nw_ecn``, ``mod_nw_ttl``, ``dec_ttl``,
    ``dec_ttl(ID,...)``, ``mod_tp_src``, ``mod_tp_dst``, ``set_tunnel``, ``set_tunnel64``,
    ``check_pkt_larger(BYTES)->FIELD[BIT]``, ``multipath(...)``, ``bundle_load(...)``
On headers
    ``mod_vlan_vid``, ``mod_vlan_pcp``, ``set_vlan_vid``, ``set_vlan_pcp``, ``push_vlan``,
    ``pop_vlan`` or ``strip_vlan``, ``push_mpls``, ``pop_mpls``, ``set_mpls_label``,
    ``set_mpls_tc``, ``set_mpls_ttl``, ``dec_mpls_ttl``, ``encap(HEADER)``, ``decap(...)``,
    ``dec_nsh_ttl``
On connections
    ``ct(...)``, ``ct_clear``, ``learn(...)``, ``fin_timeout(...)``
Others
    ``clone(...)``, ``conjunction(ID,K/N)``, ``sample(...)``, ``note:HEX``, ``exit``
Instructions
    ``meter`` first; after the actions ``clear_actions``, ``write_actions(...)``,
    ``write_metadata:VALUE/MASK`` and, last and only forward, ``goto_table:TABLE``

Numbers of groups and meters are those that another program adds to the bridge. dvr_ryu writes its
own bytes for actions and fields that Ryu 4.34 has no class for. So a flow line takes whatever
ovs-ofctl takes over OpenFlow 1.3 or 1.4, except the list below. dvr_ryu refuses every other word,
with its location. It also refuses a value out of range, a table that does not exist, a field that
the packet may not have, a port that no such bridge has, and two flows of one priority that can
match the same packet and do different things.

``dvr check`` and the controller also warn of flows that are right but hardly meant: a flow that no
packet reaches because another takes all of its packets; a table that no packet comes to from table
0; a table that does not tell what happens to a packet without a match. ``dvr check --strict`` takes
these warnings for errors.

Options of Geneve tunnels are ``tun_metadata0`` to ``tun_metadata63``. ``tun_metadata0`` without a
value matches packets that have the option. The bridge's table tells which option each is, and its
length. You fill that table, again after each start of Open vSwitch: ``ovs-ofctl add-tlv-map br-tun
"{class=0xffff,type=0,len=4}->tun_metadata0"``. Without it the bridge refuses the flows and keeps
those that it had; the controller names their lines, and tries again. Values, masks and bits must
fit the option. Open vSwitch cuts longer ones off, and the controller then logs, again and again,
that somebody else changed the flow. A number from the topology comes into an option by a register:
``load:{network.vni}->reg0[],move:reg0[]->tun_metadata0[0..31]``.

dvr_ryu's flows carry the cookie 0x6476725f727975 (``dvr_ryu`` in ASCII), or the cookie that their
line names. Flows with other cookies are foreign, and dvr_ryu leaves them alone. It also leaves
learned flows alone, which carry the cookies that ``learn`` names. But the controller deletes all of
them where they may no longer hold: when a network's tag, a tunnel or its port goes, or when other
lines leave out some flow.
"""
