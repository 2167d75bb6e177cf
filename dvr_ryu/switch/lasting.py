"""Run work that the controller requires. If it fails, the process ends and is started again.

A greenlet that fails has no other exit code: Ryu would log a traceback and go on without it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from ryu.lib import hub

from dvr_ryu.ending import why
from dvr_ryu.errors import WRONG_INPUT, is_exhaustion

LOG = logging.getLogger("dvr_ryu")


def lasting(what: str, work: Callable[[], object]) -> Callable[[], None]:
    """A function that does `work` and ends the process if that fails. The log says that it cannot
    do `what`. Only a mistake of this program gets a traceback.
    """

    def work_or_end() -> None:
        try:
            work()
        except hub.TaskExit:
            raise
        except BaseException as error:
            ours = not isinstance(error, OSError) and not is_exhaustion(error)
            line = "cannot %s any more; the controller ends: %s"
            LOG.critical(line, what, why(error), exc_info=ours)
            logging.shutdown()
            os._exit(WRONG_INPUT)

    return work_or_end
