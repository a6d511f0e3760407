"""Where bytes live: the adapters of the blobs port."""
