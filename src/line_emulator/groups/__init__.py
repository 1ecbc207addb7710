"""Group chats and multi-person chats, with or without an account in them."""
