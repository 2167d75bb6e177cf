"""The message guard: it checks a switch's bytes before other modules read them. Pure.

It knows only OpenFlow's layouts: no socket, no event loop, no Ryu.
"""
