"""The house's vocabulary: the facts that all rooms pass to each other, and the errors that people read.

Here: frozen dataclasses and exceptions, standard library only.
Not here: anything that opens a file, a database or an engine.
"""
