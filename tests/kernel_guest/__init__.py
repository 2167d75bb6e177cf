"""Runs commands of this checkout on Debian's kernel, which has Open vSwitch's datapath as modules.

qemu boots a guest whose root is this machine's own, so .venv, programs and files are those of here,
by the same paths. The guest may not write them: what it writes is in its memory, and ends with it.
"""
