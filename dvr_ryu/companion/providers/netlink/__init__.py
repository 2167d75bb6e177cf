"""Providers that speak netlink: namespaces, devices, addresses, routes, connections.

The modules here use pyroute2's messages only. The `__init__` of that package would import all its
sockets and databases, and asyncio, which takes longer than many a command: so it does not run.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec

if "pyroute2" not in sys.modules and (spec := find_spec("pyroute2")):
    sys.modules["pyroute2"] = module_from_spec(spec)
