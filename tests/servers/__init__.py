"""docs/three-servers.rst, typed by a test into machines of qemu: ``sudo make test-servers``."""
