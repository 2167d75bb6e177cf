"""How a host is asked: a command in one of its namespaces. The caller knows the way to the host."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen

from dvr_ryu.errors import HostError


@frozen
class Answer:
    """The output of a command; `failed` if it did not end well."""

    output: str
    errors: str = ""
    failed: bool = False


Ask = Callable[[str, str, Sequence[str]], "Answer | None"]
"""Runs a command in a host and a namespace ("" is the host's own); None: that host is out of reach.
"""


class Unanswered(HostError):
    """A host that can be asked gave no answer that can be understood."""


@frozen
class Node:
    """One namespace of one host that can be asked."""

    host: str
    namespace: str
    ask: Ask

    def run(self, command: str) -> Answer:
        """The answer to a command. Raises Unanswered if the host has become unreachable."""
        answer = self.ask(self.host, self.namespace, shlex.split(command))
        if answer is None:
            raise Unanswered(f"{self.host} answers no more")
        return answer

    def text(self, command: str) -> str:
        """The output of a command that ends well. Raises Unanswered with its error otherwise."""
        answer = self.run(command)
        if answer.failed:
            what = answer.errors.strip() or answer.output.strip()
            raise Unanswered(f"{self.host}: {command}: {what}")
        return answer.output

    def objects(self, command: str) -> list[dict[str, Any]]:
        """The JSON objects that a command of iproute2 prints; none if it fails."""
        answer = self.run(command)
        return [] if answer.failed else self.parsed(command, answer)

    def parsed(self, command: str, answer: Answer) -> list[dict[str, Any]]:
        """The JSON objects in the answer to a command of iproute2. Raises Unanswered."""
        try:
            found = json.loads(answer.output or "[]")
        except ValueError as error:
            raise Unanswered(f"{self.host}: {command} printed no JSON: {error}") from None
        return [each for each in found if each]
