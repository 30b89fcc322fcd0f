"""What the package costs, beside what others do, and how it bears load: see README.md."""
