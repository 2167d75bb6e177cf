"""What a host's kernel does with a packet, computed from the host's resources. Pure.

`host.HostKernel` receives a frame at a device, or sends what a program asks for; each call takes a
`state.KernelState` and returns an `outcome.Outcome` with the next state. It never reads a kernel.
"""
