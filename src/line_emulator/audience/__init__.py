"""Audiences, and what LINE believes to know of people (reference, "Managing Audience")."""
