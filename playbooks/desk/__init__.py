"""Where people meet Stanch."""
