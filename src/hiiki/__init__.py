"""Hiiki (贔屓): a self-hosted CRM for LINE Official Accounts."""
