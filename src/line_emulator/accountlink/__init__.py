"""Account link: a person's LINE account meets their account of the bot's own service."""
