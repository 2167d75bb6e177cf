"""What is wanted: the topology file, its model, its numbers, and the view of one host. Pure."""
