"""Channel access tokens of all kinds (reference, "Channel access token")."""
