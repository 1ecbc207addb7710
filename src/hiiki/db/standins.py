"""What stands in for a foreign key from people in shards to a table of the coordinator.

Citus lets shards refer to such a table only when the whole of it lies on every server. Then all
tables that refer to it become Citus's own, and may no longer be changed as the outbox and the
budgets are. So the keys go, and a trigger on the coordinator's table does what they did when one
of its rows is deleted. That a row refers to one that is there is looked at no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WORK = {
    "CASCADE": "delete from {child} where {same}",
    "SET NULL": "update {child} set {nulls} where {same}",
    "NO ACTION": "if exists (select from {child} where {same}) then"
    " raise foreign_key_violation using message = 'It is still referred to by {child}.'; end if",
}
WORK["RESTRICT"] = WORK["NO ACTION"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: tables as SQL takes them, columns in the same order on both sides."""

    name: str
    child: str
    columns: Sequence[str]
    parent: str
    parent_columns: Sequence[str]
    on_delete: str

    def stand_in(self) -> str:
        """Return the statements that make the trigger, in place of one that is there."""
        pairs = zip(self.columns, self.parent_columns, strict=True)
        work = WORK[self.on_delete].format(
            child=self.child,
            same=" and ".join(f'"{column}" = old."{other}"' for column, other in pairs),
            nulls=", ".join(f'"{column}" = null' for column in self.columns),
        )
        function = f'{self.child.split(".")[0]}."{self.name}"'
        return (
            f"create or replace function {function}() returns trigger language plpgsql"
            f" as $$ begin {work}; return null; end $$;"
            f' create or replace trigger "{self.name}" after delete on {self.parent}'
            f" for each row execute function {function}()"
        )


KEYS = """
    select k.conname, k.conrelid::regclass::text, k.confrelid::regclass::text,
        array(
            select a.attname::text from unnest(k.conkey) with ordinality c (number, place)
            join pg_attribute a on a.attrelid = k.conrelid and a.attnum = c.number order by place
        ),
        array(
            select a.attname::text from unnest(k.confkey) with ordinality c (number, place)
            join pg_attribute a on a.attrelid = k.confrelid and a.attnum = c.number order by place
        ),
        case k.confdeltype
            when 'c' then 'CASCADE' when 'n' then 'SET NULL' else 'NO ACTION'
        end,
        pg_get_constraintdef(k.oid),
        pn.nspname || '.' || p.relname
    from pg_constraint k join pg_class p on p.oid = k.confrelid
        join pg_namespace pn on pn.oid = p.relnamespace
    where k.contype = 'f' and k.conrelid = any(%(tables)s::regclass[])
"""
"""Foreign keys of these tables: name, child, parent, the columns of both, what a deletion does,
the definition, and the parent's plain name."""
