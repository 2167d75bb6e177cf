"""What setup.cfg cannot say: the wheel carries flows/, examples/ and the one line that mends Ryu.

Everything else is in setup.cfg.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
# Sorts after the __editable__ files of setuptools, which must be read first.
MEND = "dvr_ryu_on_eventlet.pth"
# One line is all that a .pth file may use. A package half gone must not trouble other programs.
MEND_LINE = 'import sys; exec("try: import dvr_ryu.ryu_on_eventlet\\nexcept ImportError: pass")\n'


class BuildWithSharedFiles(build_py):
    """build_py, then the files that are no modules.

    An editable install reads flows/ and examples/ where they are; its wheel is what
    setuptools finds in the folder of the ``install`` command, so the .pth goes there.
    """

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            root = Path(self.get_finalized_command("install").install_lib)
        else:
            root = Path(self.build_lib)
            for name in ("flows", "examples"):
                shared = root / "dvr_ryu" / "share" / name
                shutil.rmtree(shared, ignore_errors=True)
                shutil.copytree(HERE / name, shared)
        root.mkdir(parents=True, exist_ok=True)
        (root / MEND).write_text(MEND_LINE)


setup(cmdclass={"build_py": BuildWithSharedFiles})
