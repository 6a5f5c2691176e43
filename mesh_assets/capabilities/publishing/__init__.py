"""The one path of data: recipe, draft, audit, commit, release.

Here: running a recipe of any kind, deciding what is stale, the certificate, publishing or refusing.
Not here: how a rule runs (checks), how a file enters a lake (lake), who starts a build and when
(orchestration).
"""
