"""Train, evaluate and export the face classifier from anyone's own pictures; see README.md here."""
