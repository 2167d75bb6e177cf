"""The Ryu application: `ryu-manager dvr_ryu.app`. It takes events of switches and files, and sends
changes.

It decides nothing: `desired_state` computes the desired state, `switch` applies it to bridges.
"""

from __future__ import annotations

import gc
import logging
import os
import time
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from eventlet import tpool
from ryu.base import app_manager
from ryu.cfg import CONF
from ryu.controller import ofp_event
from ryu.controller.handler import DEAD_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from ryu.lib import hub
from ryu.ofproto import ofproto_v1_3, ofproto_v1_4

from dvr_ryu import options
from dvr_ryu.desired_state import DesiredState
from dvr_ryu.ending import guard
from dvr_ryu.errors import DvrError
from dvr_ryu.metrics.controller import StateMetrics, WorkMetrics
from dvr_ryu.metrics.exposition import Exposition
from dvr_ryu.pki.files import of_controller
from dvr_ryu.source.file import FileSource
from dvr_ryu.source.inputs import InputReader, Inputs
from dvr_ryu.switch.bridge import Bridge
from dvr_ryu.switch.claims import Claims
from dvr_ryu.switch.connection import Connection
from dvr_ryu.switch.flow_counters import BridgeCounts, FlowCounters
from dvr_ryu.switch.guard.identity import BridgeName
from dvr_ryu.switch.lasting import lasting
from dvr_ryu.switch.listener import Listener, stand_before_ryu
from dvr_ryu.switch.peer_log import log_bridge
from dvr_ryu.switch.record import Records
from dvr_ryu.switch.tls import Security
from dvr_ryu.topology.bridges import Plug, bridge_of
from dvr_ryu.topology.controller import Controller
from dvr_ryu.topology.spec.text_file import Unreadable
from dvr_ryu.web import edits
from dvr_ryu.web.controller import ControllerRoutes
from dvr_ryu.web.edits import Edits
from dvr_ryu.web.messages import Routes
from dvr_ryu.web.metrics import PATH, metrics_route
from dvr_ryu.web.server import Server
from dvr_ryu.web.status import ControllerState

LOG = logging.getLogger("dvr_ryu")

_BRIDGES_FIRST_SECONDS = 1.0
"""Seconds for the bridges to change before an edit is compared for the page."""
WATCH_INTERVAL = 0.25
"""Seconds between two looks at the sources. A look at a file costs a stat; `Source.watch` needs a
thread, which Ryu's greenlets rule out.
"""

READ_AGAIN = 1.0
"""Seconds between two attempts to read a file that could not be read."""

SETTLED_PAUSE, SETTLED_LOOKS = 0.005, 200
"""Seconds between two checks whether bridges have the new flows, and the most checks."""


class DvrApp(app_manager.RyuApp):
    """The controller of any number of br-tun and br-int."""

    OFP_VERSIONS: ClassVar[list[int]] = [ofproto_v1_3.OFP_VERSION, ofproto_v1_4.OFP_VERSION]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bridges: dict[int, tuple[Bridge, Any]] = {}
        self._ports_changed = hub.Event()
        self.claims = Claims()
        self.records = Records()
        self.edits = Edits()
        self._security = Security(of_controller(options.find_pki()))
        try:
            self._source = FileSource(options.find_topology())
            self._desired = DesiredState(InputReader(self._source, options.find_flows()))
            self.state = ControllerState(
                self._source.name, str(options.find_flows()), started=time.time()
            )
            self._note_inputs()
            _exempt_from_collection()
            self._announce()
            self._listen()
            pages = options.find_pages()
        except DvrError as error:
            raise SystemExit(str(error)) from None
        self._exposition = Exposition()
        self.observer = WorkMetrics(self._exposition)
        self._counters = FlowCounters(self._desired, self.observer.dumped)
        self._exposition.add(StateMetrics(self._desired, self.connected_bridges, self._counters))
        routes = self._routes()
        self._pages = [Server(page, routes, "page", options.PAGE) for page in pages]

    def start(self) -> Any:
        """Start Ryu's event loop, and watch the sources from now on."""
        guard("controller")
        hub.spawn(lasting("look at its files", self._watch))
        hub.spawn(lasting("follow instances that move", self._follow_moves))
        for page in self._pages:
            page.start()
        return super().start()

    def _routes(self) -> Routes:
        """All that the controller serves over HTTP: path → route."""
        metrics = {PATH: metrics_route(self._exposition)}
        return {**ControllerRoutes(self).routes(), **metrics}

    def _announce(self) -> None:
        topology, pipelines = self._desired.topology, self._desired.pipelines.by_bridge
        kinds = {
            "host": topology.hosts,
            "network": topology.networks,
            "router": topology.routers,
            "instance": topology.instances,
            "floating IP": topology.floating_ips,
        }
        counts = [f"{len(each)} {kind}{'s' * (len(each) != 1)}" for kind, each in kinds.items()]
        LOG.info("topology %s: %s", self._source.name, ", ".join(counts))
        for bridge, pipeline in pipelines.items():
            count = sum(1 for _ in pipeline.flows())
            LOG.info(
                "flows %s: %d tables, %d lines for %s",
                pipeline.file,
                len(pipeline.tables),
                count,
                bridge,
            )
        for warning in self._desired.pipelines.warnings:
            LOG.warning("%s", warning)

    def _listen(self) -> None:
        """Listen at the topology's controller, else on loopback; Ryu's own options come first."""
        options.refuse_foreign()
        controller = self._desired.topology.controller
        address = controller.address if controller else "127.0.0.1"
        if CONF.get_location("ofp_listen_host").location.is_user_controlled:
            address = CONF.ofp_listen_host
        port = CONF.ofp_tcp_listen_port or (controller.port if controller else 6653)
        CONF.set_override("ofp_listen_host", address)
        CONF.set_override("ofp_tcp_listen_port", port)
        self._security.require(self._over_tls())
        self._listener = Listener(address, port, self._desired.expected_from, self._security)
        stand_before_ryu(self._listener)
        self.state.listens = f"{self._protocol()}:{address}:{port}"
        LOG.info("listening on %s", self.state.listens)

    def _over_tls(self) -> bool:
        """Whether switches must use TLS, by the file or by an option of this process."""
        controller = self._desired.topology.controller
        required = CONF.dvr.tls or os.environ.get("DVR_TLS")
        return bool(required or (controller and controller.tls))

    def _protocol(self) -> str:
        return "ssl" if self._security.over_tls else "tcp"

    def _follow_controller(self, before: Controller | None) -> None:
        """Apply an edit of the controller itself: TLS or TCP at once, another address only after a
        restart."""
        over_tls, after = self._over_tls(), self._desired.topology.controller
        if over_tls != self._security.over_tls:
            try:
                self._security.require(over_tls)
            except DvrError as error:
                LOG.error("no switch can connect: %s", error)
            LOG.info("connections are %s: from now on", self._protocol())
            if over_tls:
                self._listener.end_unsecured()
        if after and before and (after.address, after.port) != (before.address, before.port):
            LOG.warning("start the controller anew: it listens where it was, not at %s", after)

    def _watch(self) -> None:
        unreadable = ""
        while True:
            hub.sleep(READ_AGAIN if unreadable else WATCH_INTERVAL)
            self._security.look()
            before, inputs = self._desired.topology.controller, self._desired.inputs
            try:
                # In a thread: switches that wait for a reply need not wait for a large file.
                changed = self.observer.reloads.watch(self._desired.reload, tpool.execute)
            except DvrError as error:
                if str(error) != unreadable:
                    LOG.error("the saved change is not applied, what was there stays:\n%s", error)
                    self._note_refusal(str(error))
                unreadable = str(error) if isinstance(error, Unreadable) else ""
                continue
            unreadable = ""
            if self._desired.inputs is not inputs:
                self._note_edit(inputs)
            if changed:
                _exempt_from_collection()
                self._announce()
                self._follow_controller(before)
                self._counters.release(self._desired.topology.hosts)
                self._touch_all()

    def _note_inputs(self) -> None:
        """Note that the present inputs are in force now."""
        self.state.version, self.state.since = self._desired.inputs.version, time.time()
        self.state.error, self.state.moving = "", self._desired.moving
        self.records.retain(self._desired.topology.hosts)

    def _note_edit(self, before: Inputs) -> None:
        self.state.applied += 1
        self._note_inputs()
        texts = before.texts(), self._desired.inputs.texts()
        hub.spawn(self._remember_edit, *texts, time.time())

    def _remember_edit(
        self, before: Mapping[str, str], after: Mapping[str, str], at: float
    ) -> None:
        # The comparison of long files takes the processor from the bridges, which change first.
        hub.sleep(_BRIDGES_FIRST_SECONDS)
        self.edits.add(tpool.execute(edits.applied, before, after, at))

    def _note_refusal(self, error: str) -> None:
        self.state.refused += 1
        self.state.error, self.state.error_time = error, time.time()
        self.edits.add(edits.refused(error))

    def _touch_all(self) -> None:
        self.state.moving = self._desired.moving
        for name, host in self._desired.moving.items():
            LOG.info("%s is still on %s: flows lead there until it has arrived", name, host)
        for bridge in self.connected_bridges():
            bridge.touch()

    def _follow_moves(self) -> None:
        while True:
            self._ports_changed.wait(WATCH_INTERVAL)
            self._ports_changed.clear()
            while self._desired.follow_moves(tpool.execute):
                self._touch_all()
                # Early bridges must have their flows before others send to them; they may just
                # begin.
                for _ in range(SETTLED_LOOKS):
                    hub.sleep(SETTLED_PAUSE)
                    if self._all_settled():
                        break
            self._shut_left_ports()

    def _all_settled(self) -> bool:
        bridges = self.connected_bridges()
        connected = {bridge.name for bridge in bridges if bridge.name}
        missing = self._desired.early_bridges - connected
        return not missing and all(bridge.settled for bridge in bridges)

    def _shut_left_ports(self) -> None:
        for host, port in list(self._desired.ports_to_shut()):
            for bridge in self.connected_bridges():
                if bridge.name == BridgeName(host, bridge_of(Plug.DEVICES)):
                    bridge.shut(port)

    @set_ev_cls(ofp_event.EventOFPStateChange, [MAIN_DISPATCHER, DEAD_DISPATCHER])
    def _state_changed(self, event: Any) -> None:
        key = id(event.datapath)
        if event.state == MAIN_DISPATCHER:
            bridge = Bridge(event.datapath, self._desired, self)
            self._bridges[key] = bridge, hub.spawn(bridge.keep)
            self.observer.connections.inc()
        elif key in self._bridges:
            bridge, greenlet = self._bridges.pop(key)
            bridge.session.end()
            hub.kill(greenlet)
            self.observer.disconnections.inc()
            self.claims.drop(bridge.name, event.datapath)
            self._forget_ports(bridge)
            if bridge.name:
                log_bridge(bridge.name, "disconnected", "disconnected")
                record = self.records.of(bridge.name)
                if record.peer is event.datapath.peer:  # else it has connected again
                    record.disconnected(event.datapath.ended_because)

    def _forget_ports(self, gone: Bridge) -> None:
        """Forget the ports of a closed connection, unless its switch has connected again."""
        again = [bridge for bridge in self.connected_bridges() if bridge.name == gone.name]
        if again:
            again[-1].report_ports()
        elif gone.name:
            self._desired.see_ports(gone.name, ())

    # What its page shows ------------------------------------------------------------------------

    @property
    def inputs(self) -> Inputs:
        """The inputs that are in force."""
        return self._desired.inputs

    @property
    def plugged(self) -> Mapping[str, Collection[str]]:
        """Instance that others plug in → the hosts on which it is plugged in."""
        return self._desired.plugged

    def connected_bridges(self) -> list[Bridge]:
        """The bridges that are connected now, also those that are not in the topology."""
        return [bridge for bridge, _ in self._bridges.values()]

    def counts(self, name: BridgeName) -> BridgeCounts:
        """What a bridge's flows have counted, by a dump that is a few seconds old at most."""
        self._counters.read(each for each in self.connected_bridges() if each.name == name)
        return self._counters.of(name)

    # The SharedState of bridges ------------------------------------------------------------------

    def bridges(self) -> int:
        """The number of connected bridges."""
        return len(self._bridges)

    def knows(self, connection: Connection, known: bool) -> None:
        """Note whether a connection is that of a bridge of the topology."""
        self._listener.knows(connection, known)

    def ports_changed(self) -> None:
        """Check soon whether instances have arrived."""
        if self._desired.moving or self._desired.topology.roaming:
            self._ports_changed.set()


def _exempt_from_collection() -> None:
    """Exempt the topology, which stays, from Python's garbage collection: while flows are made, the
    collector would look at it again and again.
    """
    gc.freeze()
