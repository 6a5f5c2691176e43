"""What each page tells: plain facts (the page's JSON) and what only its HTML needs.

Here: one module per question. Not here: templates (templates/), pictures (drawn, timelines, graphs).
"""
