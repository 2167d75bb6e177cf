"""What ovs-ofctl is asked: the flows of others on our bridges."""
