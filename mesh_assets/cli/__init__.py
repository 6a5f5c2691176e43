"""The `mesh` command.

Here: arguments, tables, progress bars, exit codes. Not here: anything that a program could not ask for in
Python.
"""
