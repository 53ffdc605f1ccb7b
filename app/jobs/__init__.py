"""Jobs: what a person sends, what they see, and who may write when."""
