"""Deployed HTTP functions: one file wires one router and never decides."""
