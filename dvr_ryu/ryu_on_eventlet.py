"""Lets Ryu 4.34, as it is on PyPI, start quietly on today's eventlet. The one place that mends Ryu.

It changes nothing until eventlet is imported, imports nothing by itself, and does nothing where
eventlet needs no mending. Two things are mended:

- ``ryu/app/wsgi.py`` imports ``eventlet.wsgi.ALREADY_HANDLED``, gone since eventlet 0.31. It is put
  back as what it always was, an iterable of no bytes. (Websockets, its only users, are told apart by
  ``eventlet.wsgi.WSGI_LOCAL`` since then, and eventlet's WebSocketWSGI, which Ryu uses, sets that.)
- eventlet 0.41 tells whoever imports it to choose another framework. Ryu stands on eventlet, so the
  user of ryu-manager can do nothing about it.

``ryu-manager`` imports ``ryu.app.wsgi`` before it loads any app, so the mend has to be in place when
Python starts: setup.py puts a ``.pth`` file with one line, importing this module, beside the package.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # as typing's own, which would cost every start of Python some milliseconds
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class EventletMend:
    """A finder on ``sys.meta_path`` that finds eventlet where Python does, and mends it on the way."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer only for ``eventlet.wsgi``; the other finders see to all else."""
        if name == "eventlet":
            import warnings

            warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
        if name != "eventlet.wsgi":
            return None
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_mend(module: ModuleType) -> None:
                load(module)
                if not hasattr(module, "ALREADY_HANDLED"):
                    module.ALREADY_HANDLED = ()  # type: ignore[attr-defined]

            spec.loader.exec_module = load_and_mend  # type: ignore[method-assign]
        return spec


if not any(isinstance(finder, EventletMend) for finder in sys.meta_path):
    sys.meta_path.insert(0, EventletMend())
