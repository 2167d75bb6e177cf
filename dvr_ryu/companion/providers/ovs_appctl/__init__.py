"""The provider that uses ovs-appctl: what the running ovs-vswitchd can do."""
