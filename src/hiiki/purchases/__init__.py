"""Purchases: orders, carts and subscriptions, as the shop's own systems tell them."""
