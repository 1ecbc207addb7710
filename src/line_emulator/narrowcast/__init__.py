"""Narrowcast messages: to those in audiences, or of some age, gender, region (reference, "Send
narrowcast message")."""
