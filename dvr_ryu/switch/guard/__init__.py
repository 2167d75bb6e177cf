"""The message guard: what stands between a switch's bytes and everything that reads them. Pure.

It knows OpenFlow's layouts and nothing else: no socket, no event loop, no Ryu.
"""
