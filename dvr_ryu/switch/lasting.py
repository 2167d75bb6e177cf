"""What the controller must not go on without: if it fails, the process ends, and is started again.

No other way out of a greenlet has an exit code: Ryu would log a traceback and go on, half dead.
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
    """Work that ends with the controller; `what` follows "cannot". Only an error of ours has a
    traceback.
    """

    def work_or_end() -> None:
        try:
            work()
        except hub.TaskExit:
            raise
        except BaseException as error:
            ours = not isinstance(error, OSError) and not is_exhaustion(error)
            words = "cannot %s any more; the controller ends: %s"
            LOG.critical(words, what, why(error), exc_info=ours)
            logging.shutdown()
            os._exit(WRONG_INPUT)

    return work_or_end
