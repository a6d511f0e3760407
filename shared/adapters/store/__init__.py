"""Where documents live: the adapters of the store port."""
