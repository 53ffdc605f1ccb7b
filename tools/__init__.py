"""What builds the data that is shipped. Not shipped itself."""
