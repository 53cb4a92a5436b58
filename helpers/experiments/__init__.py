"""What a notebook and a command share, one file a task."""
