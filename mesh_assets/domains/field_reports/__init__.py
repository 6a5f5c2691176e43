"""What people in the field use: a report, a list of calls, a table of payments; artifacts as products."""
