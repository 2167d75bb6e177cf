"""Machines that qemu runs: their kernel and their image. Only this machine's files, no lab."""
