"""Simulated people who live by themselves: they open, tap, answer, buy, block, come and go."""
