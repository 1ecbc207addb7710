"""What LINE grants by contract only: notification messages, modules, mission stickers."""
