"""What people send besides words: pictures, videos, sounds and files, and how bots fetch them."""
