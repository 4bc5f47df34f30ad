"""What results say, in pictures and words."""
