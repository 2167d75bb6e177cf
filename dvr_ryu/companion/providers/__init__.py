"""The edges: for each kind of resource, which hold, how one is made, how one is unmade.

Each module has `read`, `make` and `unmake` for its kinds. To make a resource again changes it to
what is asked, to unmake one that is gone is no error: a run that was killed is mended by the next.
"""
