"""The provider that uses ovs-ofctl: the foreign flows on our bridges."""
