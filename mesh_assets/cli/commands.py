"""Every command, in the order of `mesh --help`: where it is, and its line there.

A line is the first paragraph of the command's own help; a test compares them.
"""

from __future__ import annotations

from mesh_assets.cli.later import Later

COMMANDS = (
    Later(
        "build:build",
        "Build products and all that they need, across domains, in order; publish what passes its contract.",
    ),
    Later(
        "run:run",
        "Build targets across domains in order, each domain in a Dagster run of its own code location.",
    ),
    Later("journey:journeys", "Every journey, how it stands in the period that it is now, and why."),
    Later(
        "status:status",
        "Show whether every product is fresh, tested and served, and what is wrong, paused, announced, "
        "running.",
    ),
    Later("look:products", "List every product: its version, rows, and how its last build ended."),
    Later(
        "look:show",
        "Show one product: its promise, its columns, its rules, where it is now and what it was made from.",
    ),
    Later(
        "lineage:lineage",
        "Lineage by column, through domains and tools: a tree of what a product or a column is made from.",
    ),
    Later(
        "impact:impact",
        "What the working tree changes: assets to make again, consumers, owners, contracts, rules, journeys.",
    ),
    Later(
        "checks:checks", "Show what each rule of a product said last, by dimension; or from audit to audit."
    ),
    Later("why:why", "Say what the rules of a product's last build found, rule by rule, with failing rows."),
    Later("look:read", "Read a product, as readers see it now or at a version."),
    Later(
        "versions:versions",
        "List the versions of a product, newest first: when, by whom, with what rules, tags and pins.",
    ),
    Later("versions:tag", "Name a version; PRODUCT@NAME is then accepted wherever a version is."),
    Later(
        "versions:pin",
        "Keep a version readable, whatever the product's retention; without --for or --until until "
        "`mesh unpin`.",
    ),
    Later("versions:unpin", "Let go of pins: of one version, of a product, or of all that a holder keeps."),
    Later(
        "versions:pins",
        "List who keeps which version, and until when. Runs keep what they read while they last.",
    ),
    Later("where:where", "Print a program that reads a version of a product without this project."),
    Later(
        "diff:diff",
        "Tell how two versions differ: columns, rows that came, went or changed (by key), and in which "
        "columns.",
    ),
    Later(
        "rollback:rollback",
        "Publish an older version's content as a new version, if it keeps the contract of now.",
    ),
    Later(
        "reproduce:reproduce",
        "Make a version again: its recipe at the recorded commit, over the recorded inputs and sources.",
    ),
    Later(
        "scaffold:new_domain",
        "Make a domain: its folder, domain.yaml, definitions.py, a first product, and its line in "
        "workspace.yaml.",
    ),
    Later("scaffold:new_product", "Make a product: its contract, and a recipe that keeps it."),
    Later(
        "serve:sources",
        "Write the example's source drops; plant a defect in one to see the mesh refuse it, and mend it.",
    ),
    Later("arrivals:arrivals", "Show which files, rows and events came, and which were set aside and why."),
    Later(
        "serve:dev",
        "Open the Dagster UI over this mesh, with its sensors running; the same runs as `mesh build` shows.",
    ),
    Later(
        "portal:up",
        "Start the portal and the Dagster UI side by side, linked to each other; one Ctrl-C ends both.",
    ),
    Later(
        "doctor:doctor",
        "Look at versions, extensions, catalogs, folders and every domain; say what is wrong and how to "
        "mend it.",
    ),
    Later(
        "pause:pause", "Let nothing of a domain or a product be made: by command, schedule, sensor or click."
    ),
    Later("pause:resume", "End the pause of a domain or a product."),
    Later("pause:pauses", "List what is paused and held, and what is announced."),
    Later(
        "pause:hold",
        "Hold whatever reads a product: it keeps its last version and is not made again until it is let go.",
    ),
    Later("pause:let_go", "End the hold of what reads a product."),
    Later(
        "pause:announce", "Tell a product's consumers of a breaking change or a deprecation before it comes."
    ),
    Later("pause:withdraw", "Let an announcement stand no longer: the change has come, or does not come."),
    Later("records:records", "Let go of what plain steps said and printed in old runs of Dagster."),
    Later(
        "follow:follow",
        "Hear of a product or domain: new versions, failed audits, breaking changes, deprecations.",
    ),
    Later(
        "serve:dbt_properties",
        "Write dbt's properties (descriptions, types, tests, sources) from the contracts.",
    ),
    Later(
        "contract:contract", "Judge contract files: what of them would run, and what would not, line by line."
    ),
    Later(
        "quarantine:quarantine",
        "Show rows that were set aside (`mesh quarantine [PRODUCT]`), and take corrected ones in.",
    ),
    Later(
        "journey:journey", "Look at what people get of the mesh as a whole, and whether it was there in time."
    ),
    Later(
        "events:events",
        "What happened: runs, tasks, datasets, tests, metrics, logs; own ones and those of other tools.",
    ),
    Later(
        "alert:alert", "Who is told when something is late, refused, failed, missing; and whether it arrived."
    ),
    Later("lake:lake", "Check what was published, and let go of what nobody needs."),
    Later(
        "kitchen:kitchen",
        "Change anything in a copy of the whole mesh, see what comes of it, and bring it into production.",
    ),
    Later("portal:portal", "The mesh at URLs: what, where, when, with and how of everything."),
    Later("follow:access", "Ask to read a domain or product; decide about it."),
)

#: Of `mesh kitchen`, after those of its own module.
OF_KITCHEN = (
    Later(
        "kitchen_run:run",
        "Make what the kitchen's change touches, in order: what reads no changed column is skipped.",
    ),
    Later(
        "kitchen_schedules:schedules",
        "Schedules and sensors of a kitchen: off unless told otherwise; live ones write to the kitchen "
        "alone.",
    ),
    Later(
        "kitchen_diff:diff",
        "Tell what a kitchen changes against what it was opened from: code, contracts, data, operations.",
    ),
    Later(
        "kitchen_promote:approve",
        "Agree to a kitchen as it is now; a later change of it is not agreed to. Without --as: how it "
        "stands.",
    ),
    Later(
        "kitchen_promote:promote",
        "Bring a kitchen's code and data into production in one release, or nothing of it.",
    ),
    Later(
        "kitchen_promote:rebase",
        "Take over what production has moved on: its code by a merge, its data as of now. Then run again.",
    ),
    Later("kitchen_promote:promotions", "The ledger of promotions, newest first."),
    Later(
        "kitchen_promote:undo",
        "Take a whole promotion back, forward: the versions of before in a new release, and its code "
        "reverted.",
    ),
)
