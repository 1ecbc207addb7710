"""Insight: what people really did with what they were sent, counted as LINE shows it."""
