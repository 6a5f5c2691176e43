"""The mesh at URLs: what, where, when, with and how of every domain and product, for people and programs.

Here: addresses, pages, pictures, standard documents, search, who may come in, the static export.
Not here: what is told (observability, lineage, registry), changing anything of the data (publishing).
"""
