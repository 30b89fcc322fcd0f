"""What each way of storing labelled pictures looks like; one file a format, all meet in `base.Picture`."""
