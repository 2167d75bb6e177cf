"""Flow files with mistakes: each mistake's character is marked, and each message has a phrase here.

A mark stands before the character that the message points to; a test removes the marks before it
reads the text. Messages are in the order of the marks.
"""

from __future__ import annotations

MARK = "§"

Cases = dict[str, tuple[str, ...]]
"""Name of the case → marked text, then a phrase of each message."""


def table_with(line: str) -> str:
    """A file in whose first table this line stands, with two more tables to go to."""
    return (
        f'table 0 A "First."\n  {line}\n'
        'table 1 B "Second."\n  miss: drop\n'
        'table 20 UCAST_TO_TUN "Third."\n  miss: drop\n'
    )


def in_block(relation: str, line: str) -> str:
    """The same, with the line in an `each` block."""
    return table_with(f"each {relation}:\n    {line}")


def _lines(**cases: tuple[str, ...]) -> Cases:
    return {
        name.replace("_", " "): (table_with(line), *phrases)
        for name, (line, *phrases) in cases.items()
    }


BAD_MATCHES = _lines(
    unknown_field=("§dl_vln=1 actions=drop", "unknown field 'dl_vln'; did you mean dl_vlan?"),
    unknown_second_field=("arp, §arp_tap=1.2.3.4 actions=drop", "did you mean arp_tpa?"),
    field_unlike_any=("priority=1,§xyzzy=1 actions=drop", "unknown field 'xyzzy'"),
    field_without_value=("dl_vlan§ actions=drop", "dl_vlan needs a value: dl_vlan="),
    field_with_empty_value=("dl_src§=, priority=1 actions=drop", "dl_src needs a value: dl_src="),
    two_equals_signs=("dl_vlan=§=1 actions=drop", "'=1' is not a number"),
    not_a_number=("dl_vlan=§x1 actions=drop", "'x1' is not a number"),
    digit_of_another_script=("dl_vlan=§\u0661 actions=drop", "'\u0661' is not a number"),
    number_of_very_many_digits=("dl_vlan=§" + "9" * 5000 + " actions=drop", "that many digits"),
    vlan_too_large=("dl_vlan=§4096 actions=drop", "4096 is too large; the largest value here is"),
    port_too_large=("in_port=§5000000000 actions=drop", "too large"),
    tcp_port_too_large=("tcp,tcp_dst=§65536 actions=drop", "largest value here is 0xffff"),
    ethernet_type_too_large=("dl_type=§0x10000 actions=drop", "too large"),
    tunnel_id_too_large=("tun_id=§0x10000000000000000 actions=drop", "too large"),
    short_mac=("dl_src=§fa:16:3e actions=drop", "'fa:16:3e' is not a MAC address"),
    address_for_mac=("dl_src=§10.0.0.1 actions=drop", "'10.0.0.1' is not a MAC address"),
    address_with_a_large_part=("ip,nw_src=§10.0.0.256 actions=drop", "not an IPv4 address"),
    address_with_a_raised_digit=("ip,nw_src=§10.0.0.\u00b9 actions=drop", "not an IPv4 address"),
    shorthand_with_value=("arp§=1 actions=drop", "arp stands alone"),
    misspelt_shorthand=("priority=1, §aarp actions=drop", "did you mean arp?"),
    arp_and_ip=("arp,§ip actions=drop", "dl_type is matched twice, with different values"),
    field_twice=("dl_vlan=1,§dl_vlan=2 actions=drop", "dl_vlan is matched twice"),
    field_and_its_alias=(
        "dl_src=fa:16:3e:00:00:01,§eth_src=fa:16:3e:00:00:02 actions=drop",
        "dl_src is matched twice",
    ),
    tag_by_two_names=(
        "dl_vlan=5,§vlan_vid=0x1000/0x1000 actions=drop",
        "vlan_vid is matched as dl_vlan already",
    ),
    priority_without_a_tag=("dl_vlan=0xffff,§dl_vlan_pcp=3 actions=drop", "without a VLAN tag"),
    part_of_a_tags_priority=(
        "§vlan_tci=0x2000/0x2000 actions=drop",
        "OpenFlow 1.4 matches a tag's priority only whole",
    ),
    field_dumped_wrongly=("§tun_gtpu_flags=1 actions=drop", "dumps a match of tun_gtpu_flags"),
    option_with_a_mask_of_whole_words=(
        "§tun_metadata0=1/0xffffffff actions=drop",
        "ovs-ofctl drops this mask",
    ),
    option_twice=("tun_metadata0,§tun_metadata0=5 actions=drop", "tun_metadata0 is matched twice"),
    options_bits_twice=("tun_metadata0[0]=1,§tun_metadata0[1]=1 actions=drop", "matched twice"),
    option_too_many=("§tun_metadata64=1 actions=drop", "unknown field 'tun_metadata64'"),
    long_hole_in_an_option=(
        "tun_metadata1=§{host.dvr_mac} actions=drop",
        "{host.dvr_mac} has more than the 32 bits of any option",
    ),
    hole_written_into_an_option=(
        "actions=set_field:§{host.dvr_mac}->tun_metadata1",
        "write {host.dvr_mac} into a register, and move it from there",
    ),
    hole_loaded_into_an_option=(
        "actions=load:§{host.dvr_mac}->tun_metadata1[0..63]",
        "write {host.dvr_mac} into a register, and move it from there",
    ),
    no_bits_of_an_option=("actions=set_field:0/§0->tun_metadata1", "a mask without bits"),
    bits_deleted=("actions=delete_field:tun_metadata0§[0..3]", "removes a whole field"),
    other_field_deleted=("actions=delete_field:§reg0", "only a tunnel's options"),
    ports_of_a_later_fragment=(
        "tcp,ip_frag=later,§tcp_dst=80 actions=drop",
        "only a first fragment has",
    ),
    discovery_of_another_code=(
        "icmp6,icmpv6_type=135,icmpv6_code=1,§nd_target=::1 actions=drop",
        "packets of icmpv6_code 0",
    ),
    ethernet_in_another_packet=("packet_type=(1,0x800),§dl_src=0:0:0:0:0:1 actions=drop", "none"),
    field_of_the_datapath=("§skb_priority=1 actions=drop", "OpenFlow cannot carry it"),
    field_of_the_switch=("§recirc_id=1 actions=drop", "only Open vSwitch itself may match"),
    field_by_its_name_for_actions=(
        "§NXM_NX_REG0=1 actions=drop",
        "only actions use the name NXM_NX_REG0; a match calls the field reg0",
    ),
    flag_that_is_none=("ct_state=§+tracked actions=drop", "'tracked' is no ct_state flag"),
    flag_twice=("tcp,tcp_flags=§+syn-syn actions=drop", "'syn' is there twice"),
    flag_bits_that_are_none=(
        "ct_state=§0x100/0x100 actions=drop",
        "bits that are no ct_state flag",
    ),
    fragment_name=("ip,ip_frag=§maybe actions=drop", "'maybe' is none of no, yes, first"),
    connection_field_alone=("ip,§ct_nw_src=1.2.3.4 actions=drop", "match ct_state=+trk+est as"),
    connection_port_alone=(
        "ip,ct_state=+trk+est,§ct_tp_src=80 actions=drop",
        "match ct_nw_proto=6 or so as well",
    ),
    connection_protocol_0=("ip,ct_state=+est,§ct_nw_proto=0 actions=drop", "leave it out"),
    large_arp_op=("arp,§arp_op=256 actions=drop", "keeps 8 bits of arp_op"),
    port_between_the_ranges=("in_port=§70000 actions=drop", "'70000' is no port"),
    octal_that_is_none=("reg0=§08 actions=drop", "'08' is not a number"),
    ipv6_that_is_none=("ipv6,ipv6_src=§1::2::3 actions=drop", "'1::2::3' is not an IPv6 address"),
    packet_type_that_is_none=("packet_type=§(1) actions=drop", "'(1)' is not a packet type"),
    bits_twice=("reg0[0..3]=1,§reg0[3]=1 actions=drop", "reg0 is matched twice in the same bits"),
    bits_of_an_unmaskable_field=("§ct_zone[0]=1 actions=drop", "ct_zone takes no mask"),
    cookie_twice=("cookie=1,§cookie=2 actions=drop", "the cookie is written twice"),
    timeout_too_large=("idle_timeout=§65536 actions=drop", "too large"),
    flag_with_a_value=("send_flow_rem§=1 actions=drop", "send_flow_rem stands alone"),
    arp_field_without_arp=(
        "priority=1, §arp_tpa=1.2.3.4 actions=drop",
        "match arp or rarp as well",
    ),
    arp_field_in_ip=("ip, §arp_op=1 actions=drop", "match arp or rarp as well"),
    ip_field_without_ip=("§nw_src=10.0.0.1 actions=drop", "match ip as well"),
    tcp_field_in_ip=("ip,§tcp_dst=80 actions=drop", "match tcp or tcp6 as well"),
    protocol_without_ip=("dl_vlan=1,§nw_proto=6 actions=drop", "match ip or ipv6 as well"),
    mask_that_is_none=("dl_src=fa:16:3e:00:00:01/§ff:ff actions=drop", "'ff:ff' is not a MAC"),
    empty_mask=("dl_src=fa:16:3e:00:00:01/§ actions=drop", "'' is not a MAC address"),
    prefix_too_long=("ip,nw_dst=10.0.0.1/§33 actions=drop", "a prefix has 0 to 32 bits"),
    prefix_of_a_raised_digit=("ip,nw_dst=10.0.0.0/§\u00b2 actions=drop", "'\u00b2' is not"),
    mask_where_none_may_be=("dl_vlan=1§/0xff actions=drop", "dl_vlan takes no mask"),
    hole_with_mask=("dl_src={host.dvr_mac}§/ff:ff:ff:00:00:00 actions=drop", "takes no mask"),
    hole_as_mask=("dl_src=fa:16:3e:00:00:01/§{host.dvr_mac} actions=drop", "a mask is a plain"),
    priority_too_large=("priority=§65536 actions=drop", "65536 is too large"),
    priority_below_zero=("priority=§-1 actions=drop", "'-1' is not a number"),
    priority_without_value=("priority§ actions=drop", "priority needs a value: priority=1"),
    priority_twice=("priority=1,§priority=2 actions=drop", "the priority is written twice"),
    priority_from_hole=("priority=§{host.dvr_mac} actions=drop", "a number must stand here"),
    other_table=("table=§1,dl_vlan=1 actions=drop", "this line stands in table 0"),
    no_such_table_here=("table=§7 actions=drop", "there is no table '7' in this file"),
    stray_parenthesis=("priority=1, §) actions=drop", "this ')' closes nothing"),
    unclosed_parenthesis=("priority=1, §(arp actions=drop", "this is never closed"),
)

BAD_ACTIONS = _lines(
    unknown_action=("actions=§outptu:1", "unknown action 'outptu'; did you mean output?"),
    unknown_second_action=("actions=output:1,§strip_vln", "did you mean strip_vlan?"),
    no_actions=("priority=1,dl_vlan=1§", "a flow needs actions=…"),
    miss_without_colon=("miss drop§", "or miss: drop"),
    nothing_after_actions=("actions=§", "no action here: write drop"),
    nothing_after_miss=("miss:§", "no action here: write drop"),
    actions_after_miss=("miss: §actions=drop", "unknown action 'actions'"),
    drop_first=("actions=§drop,output:1", "drop stands alone"),
    drop_last=("actions=output:1,§drop", "drop stands alone"),
    goto_backwards=("actions=goto_table:§A", "goto_table only goes forward: 0 is not after 0"),
    goto_backwards_in_miss=("miss: goto_table:§0", "goto_table only goes forward"),
    goto_unknown_table=("actions=goto_table:§UCAST_TUN", "did you mean UCAST_TO_TUN?"),
    goto_number_of_no_table=("actions=goto_table:§7", "there is no table '7' in this file"),
    goto_raised_digit=("actions=goto_table:§\u00b2", "there is no table '\u00b2'"),
    goto_nowhere=("actions=goto_table§", "a table is missing here"),
    goto_with_empty_name=("actions=goto_table§:", "a table is missing here"),
    goto_not_last=("actions=goto_table:B,§output:1", "an action must come before goto_table"),
    resubmit_to_unknown_table=("actions=resubmit(,§UCAST_TUN)", "did you mean UCAST_TO_TUN?"),
    resubmit_without_table=("actions=resubmit§(,)", "resubmit names a table, a port or both"),
    unclosed_resubmit=("actions=output:1,resubmit§(,20", "this is never closed"),
    output_nowhere=("actions=output§", "a port is missing here"),
    output_to_no_port=("actions=output:§0xg", "write a port such as"),
    output_too_large=("actions=output:§99999999999", "too large"),
    unclosed_quote=('actions=output:§"patch int', "this is never closed"),
    something_after_normal=("actions=NORMAL§:1", "NORMAL takes no argument"),
    mac_for_tag=("actions=mod_vlan_vid:§fa:16:3e:00:00:01", "not a number"),
    tag_too_large=("actions=mod_vlan_vid:§5000", "the largest value here is 0xfff"),
    bad_address=("ip actions=mod_nw_src:§1.2.3.400", "write an IPv4 address such as"),
    missing_mac=("actions=mod_dl_dst§", "a MAC address is missing here"),
    bad_tag_type=("actions=push_vlan:§0x8101", "0x8100 or 0x88a8"),
    something_after_strip_vlan=(
        "actions=strip_vlan§:1",
        "strip_vlan or pop_vlan takes no argument",
    ),
    address_where_none_is=("arp actions=mod_nw_src§:1.2.3.4", "only some packets have nw_src"),
    set_unknown_field=("actions=set_field:2->§arp_opp", "did you mean arp_op?"),
    set_without_arrow=("actions=set_field§:2", "write VALUE->FIELD after the colon"),
    set_too_large=("arp actions=set_field:§99999->arp_op", "99999 is too large"),
    set_some_bits=("arp actions=set_field:2->arp_op§[0..3]", "set_field writes a whole field"),
    load_too_large=("actions=load:§5->NXM_OF_VLAN_TCI[0..1]", "the largest value here is 0x3"),
    load_without_arrow=("actions=load§:5", "write VALUE->FIELD after the colon"),
    load_hole_into_some_bits=(
        "actions=load:§{host.dvr_mac}->NXM_OF_ETH_SRC[0..11]",
        "a number must stand here",
    ),
    move_without_arrow=("actions=move§:NXM_OF_ETH_SRC[]", "write FIELD->FIELD after the colon"),
    move_between_widths=(
        "ip actions=move:§NXM_OF_ETH_SRC[]->NXM_OF_IP_DST[]",
        "NXM_OF_ETH_SRC[] has 48 bits, NXM_OF_IP_DST[] has 32",
    ),
    move_beyond_field=(
        "actions=move:NXM_OF_ETH_SRC[40..47]->§NXM_OF_ETH_DST[41..48]",
        "NXM_OF_ETH_DST has the bits 0..47",
    ),
    bits_in_wrong_order=("actions=move:§NXM_OF_ETH_SRC[7..3]->arp_op", "write the lower"),
    unclosed_bits=("actions=move:§NXM_OF_ETH_SRC[0..3->arp_op", "is not a field"),
    bare_port_like_an_action=("actions=§resubmit1", "unknown action 'resubmit1'"),
    output_to_nothing=("actions=output:§ANY", "no packet can be sent to ANY"),
    check_into_bits=("actions=check_pkt_larger(1500)->§reg0[0..1]", "the answer is one bit"),
    resubmit_without_connection=("ip actions=resubmit(,20,§ct)", "match ct_state=+trk+est"),
    resubmit_of_something=("ip actions=resubmit(,20,§cat)", "only ct may be the third"),
    encap_of_something=("actions=encap(§nshh)", "did you mean nsh?"),
    encap_property=("actions=encap(nsh(md_type=§3))", "1 or 2"),
    decap_of_something=("actions=decap(§nsh)", "decap(packet_type(ns=0,type=0))"),
    ethernet_inside=("actions=encap(nsh),mod_dl_src§:0:0:0:0:0:1", "packet has none here"),
    ports_written_to_a_later_fragment=(
        "udp,ip_frag=later actions=set_field:8888->§udp_src",
        "only a first fragment has",
    ),
    zone_of_a_long_name=("dl_type=0x894f actions=learn(table=20,§nsh_c1=5)", "has 8 bytes"),
    nat_from_nothing=("ip actions=ct(commit,nat(src=§0.0.0.0-1.2.3.4))", "is no address"),
    nat_port_zero=("tcp actions=ct(commit,nat(src=1.2.3.4:§0-5))", "port 0 is any port"),
    nat_twice=("ip actions=ct(commit,nat(src=1.1.1.1),§nat(dst=1.1.1.1))", "there already"),
    members_not_closed=("actions=bundle(eth_src,0,hrw,ofport,members:§[1,2)", "never closed"),
    mask_of_no_mask=("dl_vlan=3 actions=set_field:3§/7->vlan_pcp", "takes no mask"),
    learn_limit_of_a_word=("actions=learn(table=20,limit=§many)", "'many' is not a number"),
    learn_result_of_bits=("actions=learn(table=20,result_dst=§reg0[0..1])", "one bit"),
    sample_of_two_directions=("actions=sample(probability=1,egress,§ingress)", "one direction"),
    meter_after_actions=("actions=output:1,§meter:3", "meter must come before an action"),
    instruction_twice=("actions=clear_actions,§clear_actions", "clear_actions is there already"),
    instruction_within=("actions=clone(§goto_table:B)", "goto_table cannot stand within clone"),
    no_action_of_a_set=("actions=write_actions(§note:00)", "note cannot stand in an action set"),
    list_in_a_set=(
        "actions=write_actions(§output(port=1,max_len=99))",
        "cannot stand in an action set",
    ),
    read_only_field=("ip actions=load:6->§nw_proto", "nw_proto is read-only"),
    tag_that_may_be_missing=("actions=strip_vlan§", "there may be no VLAN tag"),
    pop_of_no_label=("ip actions=pop_mpls§:0x800", "only for labelled packets"),
    connection_outside_ct=("actions=set_field:1->§ct_mark", "only ct(commit,exec"),
    other_field_in_exec=("ip actions=ct(commit,exec(load:1->§reg0))", "only ct_mark and ct_label"),
    exec_without_commit=("ip actions=ct§(exec(load:1->ct_mark))", "exec needs commit"),
    nat_of_other_ip=("ipv6 actions=ct(commit,§nat(src=10.0.0.1))", "match ip as well"),
    nat_backwards=("ip actions=ct(commit,nat(src=10.0.0.9-§10.0.0.1))", "write the lower"),
    zone_of_few_bits=("ip actions=ct(zone=§reg0[0..7])", "a zone has 16 bits"),
    clause_beyond=("actions=conjunction(1,§3/2)", "the first is 1"),
    beside_conjunction=("actions=conjunction(1,1/2),§output:1", "only notes"),
    odd_hex=("actions=note:00§1", "pairs of hex digits"),
    too_many_links=("actions=multipath(eth_src,0,hrw,§17,0,reg0[0..3])", "1 to 16 links"),
    unknown_hash=("actions=bundle(§eth_srcs,0,hrw,ofport,members:1)", "did you mean eth_src?"),
    tag_without_present_bit=("dl_vlan=1 actions=set_field:§5->vlan_vid", "0x1000 set: 4101"),
    cut_too_short=("actions=output(port=1,max_len=§13)", "14 bytes or more"),
    learn_into_unknown_table=("actions=learn(table=§21)", "there is no table '21'"),
    learn_misspelt_setting=("actions=learn(table=20,§prority=1)", "did you mean priority?"),
    learn_unknown_field=("actions=learn(table=20,output:§NXM_OF_IN_PRT[])", "NXM_OF_IN_PORT?"),
    learn_priority_too_large=("actions=learn(table=20,priority=§70000)", "70000 is too large"),
    learn_load_too_large=(
        "actions=learn(table=20,load:§0x12345->NXM_OF_VLAN_TCI[])",
        "the largest value here is 0xffff",
    ),
    learn_load_without_arrow=("actions=learn(table=20,load§:0)", "write VALUE->FIELD"),
    learn_between_widths=(
        "ip actions=learn(table=20,NXM_OF_ETH_DST[]=§NXM_OF_IP_SRC[])",
        "NXM_OF_IP_SRC[] has 32 bits, NXM_OF_ETH_DST[] has 48",
    ),
    unclosed_learn=("actions=learn§(table=20,output:NXM_OF_IN_PORT[]", "never closed"),
    learn_closed_as_a_hole=("actions=learn(table=20§}", "this '}' closes nothing"),
    learn_closed_twice=("actions=learn(table=20),output:1§)", "this ')' closes nothing"),
)

BAD_HOLES: Cases = {
    "hole in a register of several": (
        in_block("network", "§xreg0={network.vni} actions=drop"),
        "xreg0 takes no hole: write its number",
    ),
    "hole for a number of which Open vSwitch keeps some bits": (
        in_block("network", "arp,§arp_op={network.vlan} actions=drop"),
        "arp_op takes no hole",
    ),
    "hole in a whole tag": (
        in_block("network", "§vlan_tci={network.vlan} actions=drop"),
        "vlan_tci takes no hole",
    ),
    "hole of no kind that an L4 port is": (
        in_block("network", "tcp,tcp_dst=§{network.vlan} actions=drop"),
        "is a VLAN tag; an L4 port must stand here",
    ),
    "hole outside its block": (
        table_with("actions=output:§{tunnel.port}"),
        "{tunnel.port} stands only in a block: indented under 'each tunnel:'",
    ),
    "hole of another block": (
        in_block("network", "dl_src=§{tunnel.dvr_mac} actions=drop"),
        "indented under 'each tunnel:'",
    ),
    "hole of an unknown relation": (
        in_block("tunnel", "in_port=§{tunel.port} actions=drop"),
        "no relation 'tunel'; did you mean tunnel?",
    ),
    "hole with an unknown field": (
        in_block("tunnel", "in_port=§{tunnel.prot} actions=drop"),
        "'tunnel' has no field 'prot'; did you mean port?",
    ),
    "hole with a field unlike any": (
        table_with("dl_src=§{host.xyzzy} actions=drop"),
        "'host' has no field 'xyzzy'; it has name, address, dvr_mac",
    ),
    "hole without a field": (
        table_with("dl_src=§{host} actions=drop"),
        "a hole names a relation and a field",
    ),
    "empty hole": (table_with("dl_src=§{} actions=drop"), "a hole names a relation and a field"),
    "hole in a hole": (table_with("dl_src=§{{host.dvr_mac}} actions=drop"), "a hole ends with '}'"),
    "unclosed hole": (table_with("dl_src=§{host.dvr_mac actions=drop"), "never closed"),
    "hole closed twice": (table_with("dl_src={host.dvr_mac}§} actions=drop"), "closes nothing"),
    "address where a MAC must stand": (
        table_with("dl_src=§{host.address} actions=drop"),
        "{host.address} is an IPv4 address; a MAC address must stand here",
    ),
    "name where a port must stand": (
        table_with("actions=output:§{host.name}"),
        "{host.name} is a name; a port must stand here",
    ),
    "VNI where a tag must stand": (
        in_block("network", "dl_vlan=§{network.vni} actions=drop"),
        "{network.vni} is a VNI; a VLAN tag must stand here",
    ),
    "MAC where it does not fit": (
        table_with("reg6=§{host.dvr_mac} actions=drop"),
        "{host.dvr_mac} is a MAC address; a number must stand here",
    ),
    "list of ports where one must stand": (
        in_block("network", "in_port=§{network.flood} actions=drop"),
        "{network.flood} is a list of ports; a port must stand here",
    ),
}

BAD_FILES: Cases = {
    "flow before the first table": (
        '§priority=1 actions=drop\ntable 0 A "x"\n  miss: drop\n',
        "a flow stands below a table",
    ),
    "flows without any table": (
        "§priority=1 actions=drop\n§miss: drop\n",
        "a flow stands below a table",
        "a flow stands below a table",
    ),
    "table without number": ("table§", "write a table as"),
    "table without name": ("table 0§\n  miss: drop\n", "write a table as"),
    "table with a word for a number": ("table §x A\n  miss: drop\n", "write a table as"),
    "table number of many digits": ("table §" + "9" * 5000 + " A\n", "write a table as"),
    "table in another script": ("table §\u0661 A\n", "write a table as"),
    "table name in small letters": ('table 0 §local "x"\n  miss: drop\n', "write a table as"),
    "unclosed sentence": ('table 0 A §"x\n  miss: drop\n', "write a table as"),
    "words after the sentence": ('table 0 A "x" §y\n  miss: drop\n', "write a table as"),
    "table number too large": ("table §255 A\n  miss: drop\n", "a table's number is 0 to 253"),
    "table of Open vSwitch's own": ("table §254 A\n  miss: drop\n", "254 is Open vSwitch's own"),
    "going to Open vSwitch's own table": (
        "table 0 A\n  miss: goto_table:§254\n",
        "table 254 is Open vSwitch's own",
    ),
    "a port with a slip in it": (
        "table 0 A\n  miss: output:§patch-itn\n",
        "br-tun has no port 'patch-itn'; did you mean patch-int?",
    ),
    "matching a port with a slip in it": (
        "table 0 A\n  in_port=§Patch_Int actions=drop\n",
        "did you mean patch-int?",
    ),
    "a reserved port with a slip in it": (
        "table 0 A\n  miss: output:§NORMALL\n",
        "did you mean NORMAL?",
    ),
    "a port of the other bridge": (
        "table 0 A\n  in_port=§patch-tun actions=drop\n",
        "patch-tun is a port of br-int, and these are br-tun's flows",
    ),
    "a router's device on br-tun": (
        "table 0 A\n  miss: resubmit(§qr-85edc1de-ed,0)\n",
        "qr-85edc1de-ed is a port of br-int",
    ),
    "the other bridge as a port": (
        "table 0 A\n  miss: clone(output:§br-int)\n",
        "br-int is the bridge itself",
    ),
    "a hole that is a port of the other bridge": (
        "table 0 A\n  each own_port:\n    in_port=§{own_port.port} actions=drop\n  miss: drop\n",
        "{own_port.port} is a port of br-int, and these are br-tun's flows; of br-tun there is "
        "{tunnel.port}, in a block 'each tunnel:'",
    ),
    "a list of ports of the other bridge": (
        "table 0 A\n  each virtual_mac:\n    priority=1 actions=output:§{virtual_mac.ports}\n",
        "of br-tun there is {network.flood}, in a block 'each network:'",
    ),
    "a port of the other bridge beside one of this": (
        "table 0 A\n  each remote_port:\n    in_port={remote_port.tunnel}  actions=drop\n"
        "  each own_port:\n    priority=2 actions=clone(load:§{own_port.port}->reg0[])\n"
        "  miss: drop\n",
        "{own_port.port} is a port of br-int",
    ),
    "table name twice": (
        "table 0 A\n  miss: drop\ntable 1 §A\n  miss: drop\n",
        "there is a table A already",
    ),
    "table number twice": (
        "table 0 A\n  miss: drop\ntable §0 B\n  miss: drop\n",
        "there is a table 0 already",
    ),
    "unknown relation": (
        "table 0 A\n  each §tunel:\n    in_port={tunnel.port} actions=drop\n",
        "no relation 'tunel'; did you mean tunnel?",
    ),
    "relation unlike any": (
        "table 0 A\n  each §host:\n    dl_src={host.dvr_mac} actions=drop\n",
        "no relation 'host'; there are tunnel, network",
    ),
    "each without a relation": ("table 0 A\n  each§:\n", "write a block as: each tunnel:"),
    "each without a colon": (
        "table 0 A\n  each tunnel§\n    in_port={tunnel.port} actions=drop\n",
        "write a block as: each tunnel:",
    ),
    "flow on the line of each": (
        "table 0 A\n  each tunnel: §in_port={tunnel.port} actions=drop\n",
        "write a block as: each tunnel:",
    ),
    "flow not indented in its block": (
        "table 0 A\n  each tunnel:\n  in_port=§{tunnel.port} actions=drop\n",
        "indented under 'each tunnel:'",
    ),
    "block in a block": (
        "table 0 A\n  each tunnel:\n    §each network:\n      dl_vlan=1 actions=drop",
        "blocks do not nest",
    ),
    "problems of many lines": (
        "table 0 A\n  §dl_vln=1 actions=drop\n  actions=§outptu\ntable 1 B\n miss: goto_table:§A",
        "unknown field",
        "unknown action",
        "goto_table only goes forward",
    ),
    "match on a continuation line": (
        "table 0 A\n  priority=1, \\\n     §dl_vln=3, \\\n  dl_vlan=2 \\\n    actions=drop\n",
        "unknown field 'dl_vln'",
    ),
    "action on a continuation line": (
        "table 0 A\n  priority=1 \\\n    actions=output:1,\\\n  \t §outptu:2\n",
        "unknown action 'outptu'",
    ),
    "value on a continuation line": (
        "table 0 A\n  priority=1 \\\n  actions=learn(table=0,\\\n    load:§0x12345->vlan_tci[])\n",
        "too large",
    ),
    "prerequisite on a continuation line": (
        "table 0 A\n  priority=1, \\\n  §arp_tpa=1.2.3.4 \\\n actions=drop\n",
        "match arp or rarp as well",
    ),
    "continuation that a blank line ends": (
        "table 0 A\n  priority=1,§ \\\n\n",
        "a flow needs actions=…",
    ),
    "continuation that the file's end ends": (
        "table 0 A\n  priority=1, \\\n  dl_vlan=1§ \\",
        "a flow needs actions=…",
    ),
    "after tabs": ("table 0 A\n\tpriority=1,\t§dl_vln=3\tactions=drop\n", "unknown field"),
    "after what is not ASCII": ('table 0 A\n  in_port="é",§x=1 actions=drop\n', "field 'x'"),
    "a form feed": ("table 0 A\n  # a§\x0cb\n  dl_vln=1 actions=drop\n", "a control character"),
    "after a line separator": ("table 0 A\n  # b\u2028c\n  §dl_vln=1 actions=drop\n", "unknown"),
    "before a comment": ("table 0 A\n  §dl_vln=1 actions=drop # why\n", "unknown field"),
    "with Windows line ends": ("table 0 A\r\n  §dl_vln=1 actions=drop\r\n", "unknown field"),
}
OVERLAPS: Cases = {
    "flows that overlap": (
        "table 0 A\n  priority=1,dl_vlan=3 actions=drop\n"
        "  §priority=1,dl_dst=fa:16:3e:00:00:01 actions=output:1\n",
        "has the priority of line 2 and can match the same packets",
    ),
    "the same match twice": (
        "table 0 A\n  priority=1,dl_vlan=3 actions=drop\n\n  §dl_vlan=3,priority=1 actions=ALL\n",
        "has the priority of line 2",
    ),
    "two misses": ("table 0 A\n  miss: drop\n  §miss: output:1\n", "has the priority of line 2"),
    "without a priority": (
        "table 0 A\n  dl_vlan=3 actions=drop\n  §arp actions=output:1\n",
        "has the priority of line 2",
    ),
    "masks that overlap": (
        "table 0 A\n  ip,nw_src=10.0.0.0/8 actions=drop\n  §ip,nw_src=10.1.0.0/16 actions=NORMAL\n",
        "has the priority of line 2",
    ),
    "goto in one": (
        "table 0 A\n  dl_vlan=3 actions=output:1\n  §dl_vlan=3 actions=output:1,goto_table:B\n"
        "table 1 B\n  miss: drop\n",
        "has the priority of line 2",
    ),
    "blocks over different relations": (
        "table 0 A\n  each tunnel:\n    dl_src={tunnel.dvr_mac} actions=drop\n"
        "  each network:\n    §dl_vlan={network.vlan} actions=NORMAL\n",
        "has the priority of line 3",
    ),
    "on a continuation line": (
        "table 0 A\n  dl_vlan=3 actions=drop\n  §arp \\\n  actions=output:1\n",
        "give one of them a higher priority",
    ),
}

BAD_FLOWS: Cases = {**BAD_MATCHES, **BAD_ACTIONS, **BAD_HOLES, **BAD_FILES, **OVERLAPS}
