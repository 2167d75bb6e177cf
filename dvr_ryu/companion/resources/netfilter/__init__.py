"""What filters and translates packets. Pure."""
