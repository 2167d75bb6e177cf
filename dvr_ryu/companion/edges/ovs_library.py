"""ovsdbapp and what it stands on, imported without eventlet.

`ovs.poller` imports eventlet wherever that is installed, to ask whether it is in use: here it is,
for Ryu, and never in the companion. The import costs 0.1 s, and if it is the first and happens in a
thread, that thread can no longer be joined. So ovs is imported as if there were no eventlet.
"""

from __future__ import annotations

import sys
from importlib import import_module

_hidden = "eventlet" not in sys.modules
if _hidden:
    sys.modules["eventlet"] = None  # type: ignore[assignment]
try:
    command = import_module("ovsdbapp.backend.ovs_idl.command")
    connection = import_module("ovsdbapp.backend.ovs_idl.connection")
    idlutils = import_module("ovsdbapp.backend.ovs_idl.idlutils")
    impl_idl = import_module("ovsdbapp.schema.open_vswitch.impl_idl")
finally:
    if _hidden:
        del sys.modules["eventlet"]
