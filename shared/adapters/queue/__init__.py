"""Durable tasks: the adapters of the queue port."""
