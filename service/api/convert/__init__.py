"""Contract messages to model values and back; nothing else knows both."""
