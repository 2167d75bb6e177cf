"""Makes a later package of one that is built, for tests of an upgrade."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

LATER = "+later"
"""What the later package's version has behind the project's."""


def make_later(package: Path, target: Path) -> None:
    """Write the package anew as `target`, of a later version and with one more line in a file of
    configuration.
    """
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        tree = Path(folder, "tree")
        subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
        control = tree / "DEBIAN/control"
        version = re.sub(r"(?m)^(Version: [^-]+)", rf"\g<1>{LATER}", control.read_text())
        control.write_text(version)
        with (tree / "etc/dvr_ryu/companion.conf").open("a") as file:
            file.write("# a line of the later package\n")
        build = ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(tree), str(target)]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
