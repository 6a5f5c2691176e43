"""What the registry answers about promotions: the ledger, approvals, fences."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import Connection

from mesh_assets.capabilities.registry import pins, promotions, taking
from mesh_assets.capabilities.registry.promotions import Fence, Showing
from mesh_assets.capabilities.registry.taking import Taken
from mesh_assets.words.names import ProductName
from mesh_assets.words.promotions import Approval, Promotion
from mesh_assets.words.versions import Version


class Promoted(ABC):
    """The part of the registry that moves what kitchens made into production."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]: ...

    @abstractmethod
    def writing(self) -> AbstractContextManager[Connection]: ...

    def begin_promotion(self, wanted: Promotion) -> Promotion:
        """A new line in the ledger; it comes back with its number. Raises PromotionUnfinished."""
        with self.writing() as connection:
            return promotions.begin(connection, wanted)

    def keep_promotion(self, promotion: Promotion) -> None:
        with self.writing() as connection:
            promotions.keep(connection, promotion)

    def show_promotion(self, showing: Showing) -> tuple[Promotion, list[Version]]:
        """Heads, fences and the ledger in one transaction; raises ReleaseConflict, PromotionUnfinished."""
        with self.writing() as connection:
            return promotions.show(connection, showing)

    def promotion(self, number: int) -> Promotion:
        """One line of the ledger; raises UnknownPromotion."""
        with self.reading() as connection:
            return promotions.promotion(connection, number)

    def promotions(self, kitchen: str | None = None, *, limit: int = 50) -> list[Promotion]:
        """The ledger, newest first."""
        with self.reading() as connection:
            return promotions.history(connection, kitchen, limit)

    def unfinished_promotions(self) -> list[Promotion]:
        with self.reading() as connection:
            return promotions.unfinished(connection)

    def promotions_of(self, product: ProductName) -> list[Promotion]:
        """Those that moved the product's head and were not undone, newest first."""
        with self.reading() as connection:
            return promotions.of_product(connection, product)

    def undone_by(self, number: int) -> int | None:
        """The promotion that took this one back."""
        with self.reading() as connection:
            return promotions.undone_by(connection, number)

    def fences(self, products: Collection[ProductName]) -> dict[ProductName, Fence]:
        """What code has to know to publish these products."""
        with self.reading() as connection:
            return promotions.fences(connection, products)

    def take_over(self, wanted: Sequence[Taken], *, who: str, run_id: str) -> None:
        """In a kitchen: show newer versions of its base."""
        with self.writing() as connection:
            taking.take_over(connection, wanted, who=who, run_id=run_id)

    def keep_all(self, holder: str, numbers: Mapping[ProductName, int], expires: datetime | None) -> None:
        """Pins more for a holder, in one transaction."""
        with self.writing() as connection:
            for product, number in numbers.items():
                pins.keep(connection, holder, product, number, expires)

    def approve(self, approval: Approval) -> None:
        """An owner agrees to the state of a kitchen that has this digest."""
        with self.writing() as connection:
            promotions.approve(connection, approval)

    def approvals(self, kitchen: str) -> list[Approval]:
        with self.reading() as connection:
            return promotions.approvals(connection, kitchen)

    def forget_approvals(self, kitchen: str) -> None:
        with self.writing() as connection:
            promotions.forget_approvals(connection, kitchen)
