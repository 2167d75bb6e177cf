"""The OpenFlow edge: connected bridges, their flows, and the messages to them. Runs in Ryu's
greenlets.
"""
