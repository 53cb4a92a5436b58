"""What is handed in: the archive, the rules of the course that it must meet, and a trial run of it."""
