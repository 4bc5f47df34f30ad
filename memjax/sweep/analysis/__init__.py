"""What results say, in numbers."""
