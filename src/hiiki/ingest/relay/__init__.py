"""The relay: what LINE posts, byte for byte, to other tools that live on the same account."""
