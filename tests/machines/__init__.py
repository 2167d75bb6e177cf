"""Machines of qemu for tests: whole Debian systems with a kernel, systemd and ssh of their own.

    image.py    makes Debian's systems once, and keeps them
    qemu.py     qemu's command line
    link.py     a network between machines, by unix sockets
    machine.py  starts, stops and restarts one machine; types commands into it
    site.py     some machines and links that belong together, and their end

A test asks a site for machines (``with Site() as site``). It needs root, for debootstrap. Nothing
here touches the networks of the machine that runs the tests. The programs that it takes come by
``tools/debian-packages python3 machines``.
"""
