"""How to read and write a flow file: the part of its documentation that is not generated.

Text only. What can be taken from the code (relations, fields, tables, flows) is not written here.
"""

from __future__ import annotations

HEADER = """
.. Printed by `dvr docs`. Do not edit: `make docs` writes it anew; a test fails if it has drifted.

=============
The pipelines
=============

A folder of flow files says how bridges forward: ``br-tun.flows`` for every br-tun, and so on. It is
the only place where a flow is written. The controller fills the flows of each bridge from the
topology and keeps the bridge so. Save a file, and the running bridges change by the difference.

``dvr check TOPOLOGY`` says what is wrong with a file, with line and column. ``dvr flows TOPOLOGY
--host NAME --bridge br-tun`` prints what it makes of a bridge. Both take ``--flows DIR``; the
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
        # {gateway.ip} answers on this very host: nobody beyond it may receive what is meant for it.
        priority=2, dl_vlan={gateway.vlan}, dl_dst={gateway.mac}  actions=drop
        # What {gateway.router} routed here leaves with the MAC of {host.name}.
        priority=1, dl_vlan={gateway.vlan}, dl_src={gateway.mac} \\
          actions=mod_dl_src:{host.dvr_mac},goto_table:PATCH_LV_TO_TUN
      miss: goto_table:PATCH_LV_TO_TUN

Words
    are ovs-ofctl's. A line without holes can be pasted behind ``ovs-ofctl add-flow br-tun
    table=1,`` and back.
Table
    A number from 0 to 253, a name in capitals, and a sentence that says what the table decides.
    Packets come in at table 0. Actions name a table by its name or its number.
Flow
    A match, then ``actions=``. ``priority=`` is 32768 where it is not said, as in ovs-ofctl.
Sentence
    The comment lines right above a flow say why it is there. A blank line parts a comment from what
    follows. Sentences may have holes; they are for people and change nothing.
each
    ``each RELATION:`` repeats the deeper indented lines below it for every row of the relation. It
    does not nest, and it is all the logic that there is.
Hole
    ``{relation.field}`` takes the value of the row. A hole must be of the kind that its place
    wants: a MAC where a MAC stands. In a register any stands that its bits have room for. A *name*
    fits into sentences only.
Port
    ``patch-int`` or ``{tunnel.port}``: ports go by their names, and the bridge says their numbers.
    A flow whose port the bridge does not have is left out until it does. A port of the other bridge
    is a mistake, and so is a name that looks like a slip in one that dvr makes; of any other,
    ``dvr check`` warns that somebody must add it. In quotes, a name may look as it likes.
List of ports
    ``output:{network.flood}`` becomes one output for each port of the list that the bridge has; a
    flow without any is left out.
miss
    ``miss: ACTIONS`` is ``priority=0 actions=ACTIONS``: what no other flow of the table takes.
Continuation
    A line that ends with a backslash goes on in the next one.

Actions: ``drop``; to ports ``output:PORT`` or just ``PORT``, ``output:FIELD[]``,
``output(port=,max_len=)``, ``IN_PORT``, ``NORMAL``, ``FLOOD``, ``ALL``, ``LOCAL``, ``TABLE``,
``CONTROLLER``, ``CONTROLLER:BYTES``, ``controller(...)``, ``enqueue:PORT:QUEUE``, ``set_queue``,
``pop_queue``, ``group``, ``bundle(...)``; to tables ``resubmit(PORT,TABLE)``; on fields
``set_field:VALUE/MASK->FIELD``, ``load:VALUE->FIELD[]``, ``move:FIELD[]->FIELD[]``,
``push:FIELD[]``, ``pop:FIELD[]``, ``delete_field:FIELD``, ``mod_dl_src``, ``mod_dl_dst``,
``mod_nw_src``, ``mod_nw_dst``, ``mod_nw_tos``, ``mod_nw_ecn``, ``mod_nw_ttl``, ``dec_ttl``,
``dec_ttl(ID,...)``, ``mod_tp_src``, ``mod_tp_dst``, ``set_tunnel``, ``set_tunnel64``,
``check_pkt_larger(BYTES)->FIELD[BIT]``, ``multipath(...)``, ``bundle_load(...)``; on headers
``mod_vlan_vid``, ``mod_vlan_pcp``, ``set_vlan_vid``, ``set_vlan_pcp``, ``push_vlan``, ``pop_vlan``
or ``strip_vlan``, ``push_mpls``, ``pop_mpls``, ``set_mpls_label``, ``set_mpls_tc``,
``set_mpls_ttl``, ``dec_mpls_ttl``, ``encap(HEADER)``, ``decap(...)``, ``dec_nsh_ttl``; on
connections ``ct(...)``, ``ct_clear``, ``learn(...)``, ``fin_timeout(...)``; and ``clone(...)``,
``conjunction(ID,K/N)``, ``sample(...)``, ``note:HEX``, ``exit``. Instructions stand among them in
OpenFlow's order: ``meter`` first, after the actions ``clear_actions``, ``write_actions(...)``,
``write_metadata:VALUE/MASK`` and, last and only forward, ``goto_table:TABLE``. Numbers of groups
and meters are those that somebody else adds to the bridge. Actions and fields that Ryu 4.34 has no
class for are written in bytes of our own: whatever ovs-ofctl takes over OpenFlow 1.3 or 1.4, a flow
line takes, but for the list below. Every other word is refused, with its place. So are a value out
of range, a table that is not there, a field that the packet may not have, a port that no such
bridge has, and two flows of one priority that can match the same packet and do different things.

``dvr check`` and the controller also warn of what is right but hardly meant: a flow that no packet
reaches because another takes all of its packets; a table that no packet comes to from table 0; a
table that does not say what happens to a packet which no flow matches. ``dvr check --strict`` takes
these warnings for errors.

Options of Geneve tunnels are ``tun_metadata0`` to ``tun_metadata63``; ``tun_metadata0`` alone
matches what has the option. The bridge's table says which option each is, and how long; you fill
it, again after each start of Open vSwitch: ``ovs-ofctl add-tlv-map br-tun
"{class=0xffff,type=0,len=4}->tun_metadata0"``. Without that, the bridge refuses the flows and keeps
what it had; the controller names their lines, and tries again. Values, masks and bits must fit the
option: Open vSwitch cuts longer ones off, and the controller then says, again and again, that
somebody else changed the flow. A number from the topology comes into an option by a register:
``load:{network.vni}->reg0[],move:reg0[]->tun_metadata0[0..31]``.

Our flows carry the cookie 0x6476725f727975 (``dvr_ryu`` in ASCII), or that which their line names.
Flows with any other are foreign, and left alone. So are those that ``learn`` makes, by the cookies
that it names, but the controller has all of them forgotten where what they know may not hold any
more: when a network's tag, a tunnel or its port goes, or when other lines leave out some flow.
"""
