"""Measurements of Hiiki, each ending in one line of JSON."""
