"""What the product can do: one verb per file, written against ports only."""
