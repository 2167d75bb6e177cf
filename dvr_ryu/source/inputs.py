"""Read the controller's inputs, a topology and pipelines, again after each save.

It notices new inputs, and reads them. It does not know the state in force.
"""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.source import Source
from dvr_ryu.source.paths import PathWatch
from dvr_ryu.topology.loading import Declaration
from dvr_ryu.topology.spec.text_file import Unreadable


@frozen
class Inputs:
    """The two factors of the desired state."""

    declaration: Declaration
    pipelines: Pipelines
    version: str
    """The version of the source that the declaration was read from."""

    def texts(self) -> dict[str, str]:
        """The name of the topology and of each flow file → its text."""
        flows = {f"{each.bridge}.flows": each.text for each in self.pipelines.by_bridge.values()}
        return {"topology": self.declaration.text, **flows}


class InputReader:
    """A topology's source, and the folder of the pipelines."""

    def __init__(self, source: Source, folder: Path) -> None:
        """Read both. Raise FileError or DvrError if either is bad."""
        self.source = source
        self._folder = folder
        self._flow_files = PathWatch(lambda: sorted(folder.resolve().glob("*.flows")))
        self._look()
        self._unread = self._other_flows = False
        snapshot = source.read()
        self.taken = Inputs(snapshot.declaration(), self._load_pipelines(), snapshot.version)
        """The last inputs that were read and found to be good."""

    def _look(self) -> tuple[bool, bool]:
        """Whether the topology, and whether the pipelines, changed since the last look."""
        return self.source.changed(), self._flow_files.changed()

    def due(self) -> bool:
        """Whether there are new inputs that were the same in this call and the last: a file that is
        being written is not read.
        """
        topology, flows = self._look()
        self._other_flows |= flows
        if topology or flows:
            self._unread = True
            return False
        return self._unread

    def read(self) -> Inputs:
        """Read the inputs that `due` found. Identical pipelines mean that only the topology was
        edited.

        This may take seconds. Raise FileError or DvrError for a bad save, which is not due again;
        Unreadable for inputs that cannot be read now: these are due again in the next call.
        """
        self._unread = False
        try:
            snapshot = self.source.read()
            declaration = snapshot.declaration(self.taken.declaration)
            pipelines = self._load_pipelines() if self._other_flows else self.taken.pipelines
        except Unreadable:
            self._unread = True
            raise
        return Inputs(declaration, pipelines, snapshot.version)

    def take(self, inputs: Inputs) -> None:
        """Note that the inputs from `read` were found to be good."""
        self.taken, self._other_flows = inputs, False

    def _load_pipelines(self) -> Pipelines:
        # The folder may be a link that changes meanwhile: all are read from its present target.
        return load_pipelines(self._folder.resolve())
