"""The kernel's refusals, for people: the request as a line of shell, and the reason."""

from __future__ import annotations

from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.errors import HostError


def refusal(resource: Resource, error: OSError) -> HostError:
    """The kernel's refusal to make or remove a resource, with the request."""
    return HostError(f"the kernel refuses: {resource.describe()}: {error.strerror}")
