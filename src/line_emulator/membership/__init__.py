"""Memberships: monthly plans that people pay for."""
