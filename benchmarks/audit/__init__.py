"""What an audit costs beside other ways to check the same twenty rules on the same file."""
