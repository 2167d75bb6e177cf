"""Lets Ryu 4.34, as it is on PyPI, start quietly on today's eventlet. Only this file corrects Ryu.

It imports nothing by itself and acts only when a program imports one of three modules:

- ``eventlet.wsgi``: Ryu's ``app/wsgi.py`` needs its ``ALREADY_HANDLED``, which eventlet 0.31
  removed. This file restores it as an empty tuple, an iterable of no bytes as before. (Only
  websockets used it. Since then they set ``WSGI_LOCAL``, and Ryu's WebSocketWSGI does so, too.)
- ``ryu.cmd.manager``, which is ``ryu-manager``: it patches ``threading`` after it has imported half
  of Ryu, and eventlet 0.41 warns about the locks that exist by then. So this file patches all
  modules first.
- ``eventlet``: 0.41 warns that programs should choose another framework. Ryu is built on it, so the
  user of ryu-manager can do nothing about that.

``ryu-manager`` imports all three before it loads any app, so the corrections must be in place when
Python starts: setup.py puts a ``.pth`` file beside the package, whose one line imports this module.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing's own would cost every start of Python some milliseconds
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class EventletMend:
    """A finder on ``sys.meta_path`` that sees imports first, corrects modules, and finds none."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return None, "not found by me", for every module but ``eventlet.wsgi``."""
        if name == "eventlet":
            import warnings

            warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
        elif name == "ryu.cmd.manager" and "--enable-debugger" not in sys.argv:
            import eventlet

            eventlet.monkey_patch()
        elif name == "eventlet.wsgi":
            return _with_already_handled(name, path, target)
        return None


def _with_already_handled(
    name: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    from importlib.machinery import PathFinder

    spec = PathFinder.find_spec(name, path, target)
    if spec is None or spec.loader is None:
        return spec
    load = spec.loader.exec_module

    def load_and_mend(module: ModuleType) -> None:
        load(module)
        if not hasattr(module, "ALREADY_HANDLED"):
            module.ALREADY_HANDLED = ()  # type: ignore[attr-defined]

    spec.loader.exec_module = load_and_mend  # type: ignore[method-assign]
    return spec


if not any(isinstance(finder, EventletMend) for finder in sys.meta_path):
    sys.meta_path.insert(0, EventletMend())
