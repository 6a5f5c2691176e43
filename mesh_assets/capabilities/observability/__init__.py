"""How the mesh is: each product, and whether anything is wrong with the installation.

Here: the state of products, findings of `mesh doctor`. Not here: making a product (publishing), starting a
run (orchestration), printing (cli).
"""
