"""Coupons: made by the account, drawn, kept and used by people."""
