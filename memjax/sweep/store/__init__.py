"""What is on disk: unfinished lanes, and finished results."""
