"""What the host's own netfilter rules do with the packets that a host needs: read, then walked."""
