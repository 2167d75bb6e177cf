"""One Linux host: the resources that it should have, and the providers that read and make them."""
