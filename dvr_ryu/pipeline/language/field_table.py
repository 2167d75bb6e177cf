"""The table of fields, as ovs-fields(7) has them. Data only; `fields` reads it.

Columns: its name (#N: N fields, numbered from 0); its bits; Ryu's name of it in OpenFlow, and in
Nicira's form (CLASS:NUMBER or CLASS:NUMBER:EXPERIMENTER where Ryu has no name; =: the same); its
notation; the kind of hole that may replace the value; whether it may be matched in some of its bits
(mask), may not be written (ro), has a mask on the wire even if matched whole, as it does not fill
its bytes there (whole), has its length from the switch's table of Geneve options (variable); the
packets that have the field. -: none.
"""

TABLE = """
in_port          32  in_port          in_port_nxm     port        port     -             -
in_port_oxm      32  in_port          in_port         port        port     -             -
actset_output    32  actset_output    actset_output   port        port     ro            -
packet_type      32  0x8000:44        =               packet_type -        ro            -
conj_id          32  conj_id          conj_id         decimal     -        ro            -
recirc_id        32  _recirc_id       _recirc_id      hex         -        ro            -
dp_hash          32  _dp_hash         0x1:35          hex         -        mask,ro       -
pkt_mark         32  pkt_mark         pkt_mark        hex         -        mask          -
metadata         64  metadata         metadata        hex         -        mask          -
reg#16           32  reg#             reg#            hex         -        mask          -
xreg#8           64  0x8001:#         =               hex         -        mask          -
xxreg#4          128 xxreg#           xxreg#          hex         -        mask          -
tun_id           64  tunnel_id        tunnel_id_nxm   hex         vni      mask          -
tun_src          32  tun_ipv4_src     tun_ipv4_src    ipv4        ipv4     mask          -
tun_dst          32  tun_ipv4_dst     tun_ipv4_dst    ipv4        ipv4     mask          -
tun_ipv6_src     128 tun_ipv6_src     tun_ipv6_src    ipv6        ipv6     mask          -
tun_ipv6_dst     128 tun_ipv6_dst     tun_ipv6_dst    ipv6        ipv6     mask          -
tun_gbp_id       16  tun_gbp_id       tun_gbp_id      decimal     -        mask          -
tun_gbp_flags    8   tun_gbp_flags    tun_gbp_flags   hex         -        mask          -
tun_flags        1   tun_flags        tun_flags       hex         -        mask,whole    -
tun_erspan_ver   4   0xffff:12:0x2320 =               decimal     -        mask          -
tun_erspan_idx   20  0xffff:11:0x2320 =               hex         -        mask          -
tun_erspan_dir   1   0xffff:13:0x2320 =               decimal     -        mask          -
tun_erspan_hwid  6   0xffff:14:0x2320 =               hex         -        mask          -
tun_gtpu_flags   8   0xffff:15:0x2320 =               hex         -        mask,ro       -
tun_gtpu_msgtype 8   0xffff:16:0x2320 =               decimal     -        mask,ro       -
tun_metadata#64  992 0x1:40+#         =               hex         -        mask,variable -
ct_state         32  ct_state         ct_state        hex         -        mask,ro,whole -
ct_zone          16  ct_zone          ct_zone         decimal     -        ro            -
ct_mark          32  ct_mark          ct_mark         hex         -        mask          -
ct_label         128 ct_label         ct_label        hex         -        mask          -
ct_nw_proto      8   0x1:119          =               decimal     protocol ro            ip|ipv6
ct_nw_src        32  0x1:120          =               ipv4        ipv4     mask,ro       ip
ct_nw_dst        32  0x1:121          =               ipv4        ipv4     mask,ro       ip
ct_ipv6_src      128 0x1:122          =               ipv6        ipv6     mask,ro       ipv6
ct_ipv6_dst      128 0x1:123          =               ipv6        ipv6     mask,ro       ipv6
ct_tp_src        16  0x1:124          =               decimal     l4_port  mask,ro       ip|ipv6
ct_tp_dst        16  0x1:125          =               decimal     l4_port  mask,ro       ip|ipv6
dl_src           48  eth_src          eth_src_nxm     mac         mac      mask          -
dl_dst           48  eth_dst          eth_dst_nxm     mac         mac      mask          -
dl_type          16  eth_type         eth_type_nxm    hex         -        ro            -
dl_vlan          12  vlan_vid         vlan_tci        decimal     vlan     -             -
vlan_vid         13  vlan_vid         vlan_vid        decimal     vlan     mask          -
vlan_pcp         3   vlan_pcp         vlan_pcp        decimal     -        -             -
vlan_tci         16  vlan_tci         vlan_tci        hex         -        mask          -
mpls_label       20  mpls_label       mpls_label      decimal     -        -             mpls|mplsm
mpls_tc          3   mpls_tc          mpls_tc         decimal     -        -             mpls|mplsm
mpls_bos         1   mpls_bos         mpls_bos        decimal     -        ro            mpls|mplsm
mpls_ttl         8   mpls_ttl         mpls_ttl        decimal     -        -             mpls|mplsm
nw_src           32  ipv4_src         ipv4_src_nxm    ipv4        ipv4     mask          ip
nw_dst           32  ipv4_dst         ipv4_dst_nxm    ipv4        ipv4     mask          ip
ipv6_src         128 ipv6_src         ipv6_src_nxm    ipv6        ipv6     mask          ipv6
ipv6_dst         128 ipv6_dst         ipv6_dst_nxm    ipv6        ipv6     mask          ipv6
ipv6_label       20  ipv6_flabel      ipv6_label      hex         -        mask          ipv6
nw_proto         8   ip_proto         ip_proto_nxm    decimal     protocol ro            ip|ipv6
nw_tos           8   ip_dscp          nw_tos          decimal     -        -             ip|ipv6
ip_dscp          6   ip_dscp          ip_dscp         decimal     -        -             ip|ipv6
nw_ecn           2   ip_ecn           ip_ecn_nxm      decimal     -        -             ip|ipv6
nw_ttl           8   nw_ttl           nw_ttl          decimal     -        -             ip|ipv6
nw_frag          2   ip_frag          ip_frag         hex         -        mask,ro       ip|ipv6
arp_op           16  arp_op           arp_op_nxm      decimal     -        -             arp|rarp
arp_spa          32  arp_spa          arp_spa_nxm     ipv4        ipv4     mask          arp|rarp
arp_tpa          32  arp_tpa          arp_tpa_nxm     ipv4        ipv4     mask          arp|rarp
arp_sha          48  arp_sha          arp_sha_nxm     mac         mac      mask          arp|rarp
arp_tha          48  arp_tha          arp_tha_nxm     mac         mac      mask          arp|rarp
tcp_src          16  tcp_src          tcp_src_nxm     decimal     l4_port  mask          tcp|tcp6
tcp_dst          16  tcp_dst          tcp_dst_nxm     decimal     l4_port  mask          tcp|tcp6
tcp_flags        12  tcp_flags        tcp_flags_nxm   hex         -        mask,ro,whole tcp|tcp6
udp_src          16  udp_src          udp_src_nxm     decimal     l4_port  mask          udp|udp6
udp_dst          16  udp_dst          udp_dst_nxm     decimal     l4_port  mask          udp|udp6
sctp_src         16  sctp_src         sctp_src        decimal     l4_port  mask          sctp|sctp6
sctp_dst         16  sctp_dst         sctp_dst        decimal     l4_port  mask          sctp|sctp6
icmp_type        8   icmpv4_type      icmpv4_type_nxm decimal     -        -             icmp
icmp_code        8   icmpv4_code      icmpv4_code_nxm decimal     -        -             icmp
icmpv6_type      8   icmpv6_type      icmpv6_type_nxm decimal     -        -             icmp6
icmpv6_code      8   icmpv6_code      icmpv6_code_nxm decimal     -        -             icmp6
nd_target        128 ipv6_nd_target   nd_target       ipv6        ipv6     mask          ns|na
nd_sll           48  ipv6_nd_sll      nd_sll          mac         mac      mask          ns
nd_tll           48  ipv6_nd_tll      nd_tll          mac         mac      mask          na
nd_reserved      32  0x1000:1         =               decimal     -        -             ns|na
nd_options_type  8   0x1000:2         =               decimal     -        -             ns|na
nsh_flags        8   nsh_flags        nsh_flags       decimal     -        mask          nsh
nsh_ttl          8   nsh_ttl          nsh_ttl         decimal     -        -             nsh
nsh_mdtype       8   nsh_mdtype       nsh_mdtype      decimal     -        ro            nsh
nsh_np           8   nsh_np           nsh_np          decimal     -        ro            nsh
nsh_spi          24  nsh_spi          nsh_spi         hex         -        -             nsh
nsh_si           8   nsh_si           nsh_si          decimal     -        -             nsh
nsh_c1           32  nsh_c1           nsh_c1          hex         -        mask          nsh
nsh_c2           32  nsh_c2           nsh_c2          hex         -        mask          nsh
nsh_c3           32  nsh_c3           nsh_c3          hex         -        mask          nsh
nsh_c4           32  nsh_c4           nsh_c4          hex         -        mask          nsh
"""

NAMES = """
in_port          NXM_OF_IN_PORT
in_port_oxm      OXM_OF_IN_PORT
packet_type      OXM_OF_PACKET_TYPE
actset_output    ONFOXM_ET_ACTSET_OUTPUT
conj_id          NXM_NX_CONJ_ID
recirc_id        NXM_NX_RECIRC_ID
dp_hash          NXM_NX_DP_HASH NXOXM_ET_DP_HASH
pkt_mark         NXM_NX_PKT_MARK
metadata         OXM_OF_METADATA
reg#16           NXM_NX_REG#
xreg#8           OXM_OF_PKT_REG#
xxreg#4          NXM_NX_XXREG#
tun_id           tunnel_id NXM_NX_TUN_ID OXM_OF_TUNNEL_ID
tun_src          NXM_NX_TUN_IPV4_SRC
tun_dst          NXM_NX_TUN_IPV4_DST
tun_ipv6_src     NXM_NX_TUN_IPV6_SRC
tun_ipv6_dst     NXM_NX_TUN_IPV6_DST
tun_gbp_id       NXM_NX_TUN_GBP_ID
tun_gbp_flags    NXM_NX_TUN_GBP_FLAGS
tun_flags        NXM_NX_TUN_FLAGS
tun_erspan_ver   NXOXM_ET_ERSPAN_VER
tun_erspan_idx   NXOXM_ET_ERSPAN_IDX
tun_erspan_dir   NXOXM_ET_ERSPAN_DIR
tun_erspan_hwid  NXOXM_ET_ERSPAN_HWID
tun_gtpu_flags   gtpu_flags NXOXM_ET_GTPU_FLAGS
tun_gtpu_msgtype gtpu_msgtype NXOXM_ET_GTPU_MSGTYPE
tun_metadata#64  NXM_NX_TUN_METADATA#
ct_state         NXM_NX_CT_STATE
ct_zone          NXM_NX_CT_ZONE
ct_mark          NXM_NX_CT_MARK
ct_label         NXM_NX_CT_LABEL
ct_nw_proto      NXM_NX_CT_NW_PROTO
ct_nw_src        NXM_NX_CT_NW_SRC
ct_nw_dst        NXM_NX_CT_NW_DST
ct_ipv6_src      NXM_NX_CT_IPV6_SRC
ct_ipv6_dst      NXM_NX_CT_IPV6_DST
ct_tp_src        NXM_NX_CT_TP_SRC
ct_tp_dst        NXM_NX_CT_TP_DST
dl_src           eth_src NXM_OF_ETH_SRC OXM_OF_ETH_SRC
dl_dst           eth_dst NXM_OF_ETH_DST OXM_OF_ETH_DST
dl_type          eth_type NXM_OF_ETH_TYPE OXM_OF_ETH_TYPE
vlan_vid         OXM_OF_VLAN_VID
vlan_pcp         dl_vlan_pcp OXM_OF_VLAN_PCP
vlan_tci         NXM_OF_VLAN_TCI
mpls_label       OXM_OF_MPLS_LABEL
mpls_tc          OXM_OF_MPLS_TC
mpls_bos         OXM_OF_MPLS_BOS
mpls_ttl         NXM_NX_MPLS_TTL
nw_src           ip_src NXM_OF_IP_SRC OXM_OF_IPV4_SRC
nw_dst           ip_dst NXM_OF_IP_DST OXM_OF_IPV4_DST
ipv6_src         NXM_NX_IPV6_SRC OXM_OF_IPV6_SRC
ipv6_dst         NXM_NX_IPV6_DST OXM_OF_IPV6_DST
ipv6_label       NXM_NX_IPV6_LABEL OXM_OF_IPV6_FLABEL
nw_proto         ip_proto NXM_OF_IP_PROTO OXM_OF_IP_PROTO
nw_tos           NXM_OF_IP_TOS
ip_dscp          OXM_OF_IP_DSCP
nw_ecn           ip_ecn NXM_NX_IP_ECN OXM_OF_IP_ECN
nw_ttl           NXM_NX_IP_TTL
nw_frag          ip_frag NXM_NX_IP_FRAG
arp_op           NXM_OF_ARP_OP OXM_OF_ARP_OP
arp_spa          NXM_OF_ARP_SPA OXM_OF_ARP_SPA
arp_tpa          NXM_OF_ARP_TPA OXM_OF_ARP_TPA
arp_sha          NXM_NX_ARP_SHA OXM_OF_ARP_SHA
arp_tha          NXM_NX_ARP_THA OXM_OF_ARP_THA
tcp_src          tp_src NXM_OF_TCP_SRC OXM_OF_TCP_SRC
tcp_dst          tp_dst NXM_OF_TCP_DST OXM_OF_TCP_DST
tcp_flags        NXM_NX_TCP_FLAGS OXM_OF_TCP_FLAGS
udp_src          NXM_OF_UDP_SRC OXM_OF_UDP_SRC
udp_dst          NXM_OF_UDP_DST OXM_OF_UDP_DST
sctp_src         OXM_OF_SCTP_SRC
sctp_dst         OXM_OF_SCTP_DST
icmp_type        NXM_OF_ICMP_TYPE OXM_OF_ICMPV4_TYPE
icmp_code        NXM_OF_ICMP_CODE OXM_OF_ICMPV4_CODE
icmpv6_type      NXM_NX_ICMPV6_TYPE OXM_OF_ICMPV6_TYPE
icmpv6_code      NXM_NX_ICMPV6_CODE OXM_OF_ICMPV6_CODE
nd_target        NXM_NX_ND_TARGET OXM_OF_IPV6_ND_TARGET
nd_sll           NXM_NX_ND_SLL OXM_OF_IPV6_ND_SLL
nd_tll           NXM_NX_ND_TLL OXM_OF_IPV6_ND_TLL
nd_reserved      ERICOXM_OF_ICMPV6_ND_RESERVED
nd_options_type  ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE
nsh_flags        NXOXM_NSH_FLAGS
nsh_ttl          NXOXM_NSH_TTL
nsh_mdtype       NXOXM_NSH_MDTYPE
nsh_np           NXOXM_NSH_NP
nsh_spi          nsp NXOXM_NSH_SPI
nsh_si           nsi NXOXM_NSH_SI
nsh_c1           nshc1 NXOXM_NSH_C1
nsh_c2           nshc2 NXOXM_NSH_C2
nsh_c3           nshc3 NXOXM_NSH_C3
nsh_c4           nshc4 NXOXM_NSH_C4
"""
"""Other names of each: ovs-ofctl's, then the one that it prints in move, load and learn, then
OpenFlow's.
"""

NOT_CARRIED = {
    "skb_priority": "OpenFlow cannot carry it, as it is the datapath's own",
}
"""Prefix of the names of ovs-ofctl's fields that the language lacks → the reason."""
