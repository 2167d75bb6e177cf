"""The OpenFlow edge: connected bridges, what they have and what they are sent. Runs in Ryu's
greenlets.
"""
