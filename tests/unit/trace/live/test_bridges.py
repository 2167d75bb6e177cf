"""What `ovs-appctl ofproto/trace` prints, as Open vSwitch 3.1 does."""

from __future__ import annotations

from dvr_ryu.trace.live.bridges import real_steps

ROUTED = """\
Flow: icmp,in_port=5326,vlan_tci=0x0000,dl_src=fa:16:3e:ff:aa:66,dl_dst=fa:16:3e:35:25:42

bridge("br-int")
----------------
 0. in_port=5326, priority 1, cookie 0x6476725f727975
    load:0x1->NXM_NX_REG6[]
    goto_table:60
60. in_port=5326,vlan_tci=0x0000/0x1fff, priority 10, cookie 0x6476725f727975
    resubmit(,6)
     6. priority 0, cookie 0x6476725f727975
            push:NXM_OF_ETH_DST[]
             -> NXM_OF_ETH_DST[] is now fa:16:3e:ff:aa:66
            NORMAL
             -> learned port is input port, dropping
            pop:NXM_OF_ETH_DST[]
    goto_table:61
61. No match.
    drop

Final flow: icmp,reg6=0x1
Datapath actions: drop
"""
FLOODED = """\
bridge("br-tun")
----------------
 0. in_port=1, priority 1, cookie 0x6476725f727975
    goto_table:22
22. dl_vlan=1, priority 1, cookie 0x6476725f727975
    pop_vlan
    output:2
     -> output to native tunnel

    bridge("br-phys")
    -----------------
         0. priority 0
            NORMAL
             -> no learned MAC for destination, flooding
    output:3
     -> output to native tunnel

bridge("br-phys")
-----------------
 0. priority 0
    NORMAL

Final flow: arp
"""
PATCHED = """\
bridge("br-int")
----------------
60. priority 1, cookie 0x6476725f727975
    NORMAL

bridge("br-tun")
----------------
 0. in_port=1, priority 1, cookie 0x6476725f727975
    drop

Final flow: unchanged
"""


def test_actions_belong_to_their_steps_and_remarks_to_none() -> None:
    steps = real_steps(ROUTED)
    assert [(each.table, each.priority) for each in steps] == [(0, 1), (60, 10), (6, 0), (61, None)]
    assert [each.actions for each in steps] == [
        ["load:0x1->NXM_NX_REG6[]", "goto_table:60"],
        ["resubmit(,6)", "goto_table:61"],
        ["push:NXM_OF_ETH_DST[]", "NORMAL", "pop:NXM_OF_ETH_DST[]"],
        ["drop"],
    ]
    assert {each.cookie for each in steps} == {0x6476725F727975, 0}


def test_another_bridge_in_the_midst_is_left_out() -> None:
    steps = real_steps(FLOODED)
    assert [each.table for each in steps] == [0, 22]
    assert steps[1].actions == ["pop_vlan", "output:2", "output:3"]


def test_a_bridge_at_the_end_may_hide_further_actions() -> None:
    (step,) = real_steps(PATCHED)
    assert step.does(["NORMAL"]) and step.does(["NORMAL", "output:7"])
    assert not step.does(["drop"])
    assert not real_steps(ROUTED)[3].does(["drop", "NORMAL"])
