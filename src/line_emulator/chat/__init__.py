"""What an account shows in a chat without writing: that it is busy, that it has read."""
