"""The kernel's refusals, in words for people: what was asked, as a line of shell, and why not."""

from __future__ import annotations

from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.errors import HostError


def refusal(resource: Resource, error: OSError) -> HostError:
    """The kernel's refusal to make or remove a resource, with what was asked."""
    return HostError(f"the kernel refuses: {resource.describe()}: {error.strerror}")
