"""`mesh kitchen approve | promote | promotions | rebase | undo`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mesh_assets.cli.kitchen import JsonOption, Name
from mesh_assets.cli.kitchen_names import root_settings
from mesh_assets.cli.terminal import LARGEST, cells, print_json, stderr, stdout, table

if TYPE_CHECKING:
    from mesh_assets.capabilities.kitchens.promote import Outcome
    from mesh_assets.capabilities.orchestration.promoted import Reload
    from mesh_assets.words.promotions import Promotion, PromotionMode


def approve(
    name: Name,
    owner: Annotated[
        str, typer.Option("--as", help="The owner who agrees, as the file of owners names it.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Agree to a kitchen as it is now; a later change of it is not agreed to. Without --as: how it stands.

    **Examples**: `mesh kitchen approve try` · `mesh kitchen approve try --as @hcp-team`
    """
    from mesh_assets.capabilities.kitchens.agreement import agreement
    from mesh_assets.capabilities.kitchens.agreement import approve as agree
    from mesh_assets.capabilities.kitchens.crossing import crossing

    with crossing(root_settings(), name) as sides:
        if owner:
            agree(sides, owner)
        found = agreement(sides)
    if as_json:
        print_json(
            {
                "file": found.owners.file,
                "digest": found.digest,
                "asked": {" ".join(group): list(things) for group, things in found.asked.items()},
                "agreed": {each.owner: each.who for each in found.given},
                "void": {each.owner: each.who for each in found.void},
                "missing": {owners: list(things) for owners, things in found.missing.items()},
            }
        )
        return
    if found.owners.file is None:
        stdout().print("there is no file of owners (OWNERS beside the domains, CODEOWNERS): nobody is asked")
        return
    shown = table("owners, one will do", "asked about", "agreed")
    for group, things in found.asked.items():
        missing = " ".join(group) in found.missing
        shown.add_row(*cells(" ".join(group), ", ".join(things), "no" if missing else "yes"))
    stdout().print(shown)


def promote(  # noqa: PLR0913, PLR0917 - its options
    name: Name,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would move, and move nothing.")
    ] = False,
    code_only: Annotated[
        bool, typer.Option("--code-only", help="Production makes the data anew, behind its audit.")
    ] = False,
    data_only: Annotated[
        bool, typer.Option("--data-only", help="A repair: held until code, contract or inputs change.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why; a repair needs one.")] = "",
    message: Annotated[
        str, typer.Option("--message", "-m", help="Commit what the kitchen's code has in no commit.")
    ] = "",
    rebase: Annotated[
        bool, typer.Option(help="Make anew in the kitchen what production has moved on.")
    ] = True,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with one that was interrupted.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring a kitchen's code and data into production in one release, or nothing of it.

    Owners have agreed, code merges cleanly, what was read and written has not moved (or is made anew), and
    every rule and expectation holds on the merged state. Else it says who is in the way.

    **Examples**: `mesh kitchen promote try --dry-run` · `mesh kitchen promote try -m "NPI check digits"` ·
    `mesh kitchen promote try --code-only` · `mesh kitchen promote try --resume`
    """
    from mesh_assets.capabilities.kitchens.promote import Wanted
    from mesh_assets.capabilities.orchestration import promoted

    if resume:
        over, reload = promoted.resume(root_settings(), name)
        _tell_resumed(over, reload, as_json=as_json)
        return
    wanted = Wanted(
        mode=_mode(code_only, data_only), reason=reason, message=message, rebase=rebase, dry=dry_run
    )
    outcome, reload = promoted.promote(root_settings(), name, wanted)
    if as_json:
        print_json(_plain(outcome, reload))
    else:
        _tell(outcome, reload, name)


def _mode(code_only: bool, data_only: bool) -> PromotionMode:
    from mesh_assets.words.promotions import PromotionMode

    if code_only and data_only:
        raise typer.BadParameter("--code-only and --data-only exclude each other")
    if code_only:
        return PromotionMode.CODE
    return PromotionMode.DATA if data_only else PromotionMode.WHOLE


def rebase(name: Name, as_json: JsonOption = False) -> None:
    """Take over what production has moved on: its code by a merge, its data as of now. Then run again.

    **Examples**: `mesh kitchen rebase try && mesh kitchen run try`
    """
    from mesh_assets.capabilities.kitchens.crossing import crossing
    from mesh_assets.capabilities.kitchens.rebase import rebase as follow

    with crossing(root_settings(), name) as sides:
        done = follow(sides)
    if as_json:
        told = {"products": done.products, "own": done.own}
        plain = {word: [str(each) for each in names] for word, names in told.items()}
        print_json({**plain, "commit": done.commit})
        return
    code = f"code is at {done.commit[:12]}" if done.commit else "code was as it should be"
    stdout().print(f"{len(done.products)} products taken over, {code}", soft_wrap=True)
    if done.own:
        names = ", ".join(map(str, done.own))
        stdout().print(f"to be made anew: {names}: `mesh kitchen run {name}`", markup=False, soft_wrap=True)


def promotions(
    name: Annotated[str, typer.Argument(help="Only of this kitchen.")] = "", as_json: JsonOption = False
) -> None:
    """The ledger of promotions, newest first.

    **Examples**: `mesh kitchen promotions` · `mesh kitchen promotions try --json`
    """
    from mesh_assets.capabilities.registry import open_registry

    with open_registry(root_settings()) as registry:
        found = registry.promotions(name or None)
        undone = {each.id: registry.undone_by(each.id) for each in found}
    if as_json:
        print_json([{**_line(each), "undone by": undone[each.id]} for each in found])
        return
    shown = table("id", "kitchen", "what", "state", "who", "began", "products", "release", right=("id",))
    for each in found:
        state = f"undone by {undone[each.id]}" if undone[each.id] else str(each.state)
        began = f"{each.began:%Y-%m-%d %H:%M}"
        row = (each.id, each.kitchen, each.mode, state, each.who, began, len(each.moved), each.release)
        shown.add_row(*cells(*row))
    stdout().print(shown)


def undo(
    promotion: Annotated[
        int, typer.Argument(min=1, max=LARGEST, help="Its number, see `mesh kitchen promotions`.")
    ],
    reason: Annotated[str, typer.Option(help="For the ledger and the certificates.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Take a whole promotion back, forward: the versions of before in a new release, and its code reverted.

    Refused, with every reason, if something was published since that stands on it.

    **Examples**: `mesh kitchen undo 12 --reason "half of the brands are missing"`
    """
    from mesh_assets.capabilities.orchestration.promoted import take_back

    done, reload = take_back(root_settings(), promotion, reason=reason)
    if as_json:
        retired = [str(name) for name in done.retired]
        print_json({**_line(done.promotion), "retired": retired, "reloaded": reload.server})
        return
    for version in done.versions:
        line = f"{version.product} version {version.number}: as before promotion {promotion}"
        stdout().print(line, markup=False, soft_wrap=True)
    for name in done.retired:
        stdout().print(f"{name} is shown no more", markup=False)
    _tell_reload(reload)


def _tell(outcome: Outcome, reload: Reload, name: str) -> None:
    console, plan = stdout(), outcome.plan
    done = outcome.promotion
    word = (
        f"promotion {done.id} of kitchen {name} is {done.state}"
        if done
        else f"kitchen {name} can be promoted"
    )
    console.print(word, markup=False, soft_wrap=True)
    numbers = {version.product: version.number for version in outcome.versions}
    for each, piece in plan.pieces.items():
        before = f"version {piece.before.number}" if piece.before else "nothing"
        after = f"version {numbers[each]}" if each in numbers else "the kitchen's"
        again = ", audited again" if piece.verdict else ""
        console.print(f"  {each}: {before} -> {after}, {piece.version.rows:,} rows{again}", markup=False)
    for each in outcome.remade:
        console.print(f"  {each} was made anew in the kitchen: production had moved", markup=False)
    for each in plan.equal:
        console.print(f"  {each} stays: the same with the change", markup=False)
    for each in sorted(plan.code - {*plan.pieces, *plan.equal}):
        console.print(f"  {each}: its code", markup=False)
    if done and done.after:
        console.print(f"  code: {done.before[:12]} -> {done.after[:12]}", markup=False)
    _tell_reload(reload)


def _tell_resumed(over: Promotion, reload: Reload, *, as_json: bool) -> None:
    if as_json:
        print_json({**_line(over), "reloaded": reload.server})
        return
    stdout().print(f"promotion {over.id} of kitchen {over.kitchen} is {over.state}", markup=False)
    _tell_reload(reload)


def _tell_reload(reload: Reload) -> None:
    if reload.problem:
        told = f"{reload.server} did not read the code anew: {reload.problem}"
        stderr().print(told, markup=False, soft_wrap=True)
    elif reload.server:
        stdout().print(f"{reload.server} has read the code anew", markup=False)


def _plain(outcome: Outcome, reload: Reload) -> dict[str, object]:
    from mesh_assets.capabilities.orchestration.promoted import told

    return {
        "promotion": _line(outcome.promotion) if outcome.promotion else None,
        **told(outcome.plan),
        "versions": {str(version.product): version.number for version in outcome.versions},
        "remade": [str(name) for name in outcome.remade],
        "approvals": dict(outcome.approvals),
        "reloaded": reload.server,
    }


def _line(promotion: Promotion) -> dict[str, object]:
    moved = {str(each.product): [each.before, each.after] for each in promotion.moved}
    return {**vars(promotion), "moved": moved, "plan": dict(promotion.plan)}
