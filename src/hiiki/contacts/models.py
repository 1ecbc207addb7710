"""People: who they are, whether they are friends of an account, what is known of them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import WORKED_OUT, Base, Identified, Owned, OwnedInBulk
from hiiki.kit.clock import now

ATTRIBUTE_KINDS = ("text", "number", "date", "choice", "choices")

HAYSTACK = (
    "lower(normalize(display_name || ' ' || coalesce(real_name, '') || ' ' ||"
    " coalesce(email, '') || ' ' || coalesce(phone, ''), NFKC))"
)
"""What the search looks into, as SQL over `contact`."""
GRAMS = (
    rf"((string_to_array(regexp_replace({HAYSTACK}, '.', E'\\&\n\\&', 'g'), E'\n')"
    rf" || string_to_array(regexp_replace({HAYSTACK}, '[\x01-\x7f]+', '', 'g'), null))"
    ' collate "C")'
)
"""Each pair of neighbours in it, and each single character that is not ASCII, for the index.

Japanese names are mostly two characters long, where an index of trigrams finds nothing. What
stands for one row has about sixty of these, so that it matters what one costs: they are compared
by their bytes, and a single letter or digit, which nearly everybody has, is not among them.
"""

DAY_OF_YEAR = "(extract(month from birthday) * 100 + extract(day from birthday))"
"""Month and day of the birthday as a number (229 is 29 February), as SQL over `contact`."""


class Contact(Base, OwnedInBulk):
    """A person. The id is derived from the LINE user id (`hiiki.kit.ids.contact_id`)."""

    __tablename__ = "contact"
    __table_args__ = (
        Index(None, "workspace_id", "created_at", "id"),
        # Everybody, in the order in which all that is known of people can be joined to them. One
        # that began with the workspace would do as well; but PostgreSQL may look foreign keys up
        # in it while the table is small, and go on so, reading all of it, when it has grown.
        Index("ix_contact_everybody", "id", postgresql_include=["workspace_id", "created_at"]),
        # What segments ask of everybody's profile, without looking at the rows. The birthday is
        # in it as well, as PostgreSQL does not see that the day of the year is all that is asked;
        # and so is who has none, as it counts days only in an index that everybody is in.
        Index(
            "ix_contact_prefecture",
            "workspace_id",
            "prefecture",
            "id",
            postgresql_where=text("prefecture is not null"),
        ),
        Index(
            "ix_contact_day_of_year",
            "workspace_id",
            text(DAY_OF_YEAR),
            "id",
            postgresql_include=["birthday"],
        ),
        Index("ix_contact_grams", text(GRAMS), postgresql_using="gin"),
        Index(
            "ix_contact_profile_due_at",
            "profile_due_at",
            postgresql_where=text("profile_due_at is not null"),
        ),
        {"schema": "contacts"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    display_name: Mapped[str] = mapped_column(default="")
    """As LINE gives it; empty until the profile has been fetched."""
    real_name: Mapped[str | None]
    """What the shop calls the person, when it knows better than LINE."""
    picture_url: Mapped[str | None]
    language: Mapped[str | None]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    prefecture: Mapped[str | None]
    birthday: Mapped[date | None]
    is_purchaser: Mapped[bool] = mapped_column(default=False)
    profile_at: Mapped[datetime | None]
    """When LINE was last asked for the profile."""
    profile_due_at: Mapped[datetime | None]
    """When LINE is to be asked for it (again); NULL when there is no need."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Identity(Base, OwnedInBulk):
    """By what the shop's own systems know a contact (`hiiki.contacts.identities`).

    One key belongs to one contact of a workspace. No index can say so, as the table is spread by
    contact; who writes holds a lock.
    """

    __tablename__ = "identity"
    __table_args__ = (
        CheckConstraint("kind in ('customer', 'line', 'email', 'phone')", name="kind"),
        Index(None, "workspace_id", "key", "kind"),
        {"schema": "contacts"},
    )

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    """In the form in which keys are compared: E.164, lower case, no full-width letters."""
    at: Mapped[datetime] = mapped_column(default=now)


class Parted(Base, OwnedInBulk):
    """That a key was taken off a contact: what names them by it from now on means another.

    Gone when somebody gives them the key again.
    """

    __tablename__ = "parted"
    __table_args__ = (Index(None, "workspace_id", "key", "kind"), {"schema": "contacts"})

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)


class Double(Base, OwnedInBulk):
    """Two contacts who may be one person, or of whom staff said that they are not."""

    __tablename__ = "possible_double"
    __table_args__ = (
        CheckConstraint("state in ('open', 'different')", name="state"),
        CheckConstraint("contact_id < other_id", name="order"),
        Index(None, "workspace_id", "state", "is_certain", "contact_id", "other_id"),
        Index(None, "other_id"),
        {"schema": "contacts", "info": WORKED_OUT},
    )

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    other_id: Mapped[UUID] = mapped_column(primary_key=True)
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """What they have in common: customer, line, email, phone, name (with the birthday)."""
    is_certain: Mapped[bool] = mapped_column(default=False)
    """Whether a machine may merge them."""
    state: Mapped[str] = mapped_column(default="open")
    at: Mapped[datetime] = mapped_column(default=now)


class Merged(Base, OwnedInBulk):
    """That a contact has become a part of another: what has the old id finds them there."""

    __tablename__ = "merged"
    __table_args__ = (Index(None, "workspace_id", "old_id"), {"schema": "contacts"})

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    """Who stayed."""
    old_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)


class ErasedKey(Base, OwnedInBulk):
    """That whoever had a key was erased, so that an old file does not bring them back.

    The key itself is gone: what stays can only be compared, by who has the sealing key.
    """

    __tablename__ = "erased_key"
    __table_args__ = ({"schema": "contacts"},)

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)  # pyright: ignore[reportIncompatibleVariableOverride]
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """Of what kinds they had keys: a customer number that they did not have is another person's."""
    at: Mapped[datetime] = mapped_column(default=now)


class Friendship(Base, OwnedInBulk):
    """A contact's standing with one official account."""

    __tablename__ = "friendship"
    __table_args__ = (
        CheckConstraint("status in ('following', 'blocked')", name="status"),
        Index(
            "ix_friendship_status",
            "workspace_id",
            "channel_id",
            "status",
            "contact_id",
            postgresql_include=["followed_at"],
        ),
        Index(None, "workspace_id", "followed_at"),
        Index(None, "workspace_id", "last_seen_at"),
        {"schema": "contacts"},
    )

    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.contact.id", ondelete="CASCADE"), primary_key=True
    )
    channel_id: Mapped[UUID] = mapped_column(
        ForeignKey("workspace.channel.id", ondelete="CASCADE"), primary_key=True
    )
    line_user_id: Mapped[str]
    status: Mapped[str]
    first_followed_at: Mapped[datetime | None]
    followed_at: Mapped[datetime | None]
    """When they last added (or unblocked) the account; NULL if they only wrote to it."""
    blocked_at: Mapped[datetime | None]
    source: Mapped[str | None]
    """The acquisition route's code, when it is known."""
    last_seen_at: Mapped[datetime | None]


class Tag(Base, Identified, Owned):
    """A word the shop puts on people."""

    __tablename__ = "tag"
    __table_args__ = (
        Index("uq_tag_name", "workspace_id", "name", unique=True),
        {"schema": "contacts"},
    )

    name: Mapped[str]
    colour: Mapped[str] = mapped_column(default="blue")
    description: Mapped[str] = mapped_column(default="")


class ContactTag(Base, OwnedInBulk):
    """That a contact has a tag, and since when."""

    __tablename__ = "contact_tag"
    __table_args__ = (
        Index("ix_contact_tag_tag", "workspace_id", "tag_id", "contact_id"),
        {"schema": "contacts"},
    )

    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.contact.id", ondelete="CASCADE"), primary_key=True
    )
    tag_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.tag.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(default=now)


class Attribute(Base, Identified, Owned):
    """A field of the shop's own on its contacts (友だち情報)."""

    __tablename__ = "attribute"
    __table_args__ = (
        CheckConstraint("kind in ('text', 'number', 'date', 'choice', 'choices')", name="kind"),
        Index("uq_attribute_key", "workspace_id", "key", unique=True),
        {"schema": "contacts"},
    )

    key: Mapped[str]
    """Its name in the API and in message variables: letters, digits, underscores."""
    label: Mapped[str]
    kind: Mapped[str]
    choices: Mapped[list[Any]] = mapped_column(default=list)
    """For choice and choices: the values, in order, as strings."""
    position: Mapped[int] = mapped_column(default=0)
    unit: Mapped[str] = mapped_column(default="")
    """What a number counts, such as cm: shown behind it."""
    initial: Mapped[str] = mapped_column(default="")
    """What the form on a friend's page begins with when nothing is known, as typed; "" for none."""


class ContactAttribute(Base, OwnedInBulk):
    """A contact's value of an attribute, in the column of the attribute's kind."""

    __tablename__ = "contact_attribute"
    __table_args__ = (
        *(
            Index(
                f"ix_contact_attribute_{column}",
                "workspace_id",
                "attribute_id",
                column,
                "contact_id",
                postgresql_where=text(f"{column} is not null"),
            )
            for column in ("choice", "number", "day")
        ),
        {"schema": "contacts"},
    )

    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.contact.id", ondelete="CASCADE"), primary_key=True
    )
    attribute_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.attribute.id", ondelete="CASCADE"), primary_key=True
    )
    text: Mapped[str | None]
    number: Mapped[Decimal | None]
    day: Mapped[date | None]
    choice: Mapped[str | None]
    choices: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    at: Mapped[datetime] = mapped_column(default=now)


class Note(Base, Identified, Owned):
    """What staff wrote about a contact."""

    __tablename__ = "note"
    __table_args__ = (Index(None, "contact_id", "created_at"), {"schema": "contacts"})

    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.contact.id", ondelete="CASCADE"), primary_key=True
    )
    staff_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("workspace.staff.id", ondelete="SET NULL")
    )
    staff_name: Mapped[str] = mapped_column(default="")
    body: Mapped[str]


class Imported(Base, OwnedInBulk):
    """What an import of members changed of a contact, to be taken back."""

    __tablename__ = "imported"
    __table_args__ = (Index(None, "import_id", "contact_id"), {"schema": "contacts"})

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    is_new: Mapped[bool] = mapped_column(default=False)
    """Whether nobody knew this person before."""
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """By name (`hiiki.contacts.states`), what stood there and what the import made of it."""


class Keyword(Base, Identified, Owned):
    """A word of the shop's own that in a note suggests a tag, or a value of an attribute."""

    __tablename__ = "keyword"
    __table_args__ = (
        CheckConstraint("(tag_id is null) <> (attribute_id is null)", name="one"),
        Index("uq_keyword_word", "workspace_id", "word", "tag_id", "attribute_id", unique=True),
        {"schema": "contacts"},
    )

    word: Mapped[str]
    """As it is looked for: NFKC, lower case."""
    tag_id: Mapped[UUID | None] = mapped_column(ForeignKey("contacts.tag.id", ondelete="CASCADE"))
    attribute_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("contacts.attribute.id", ondelete="CASCADE")
    )
    value: Mapped[str] = mapped_column(default="")
    """The attribute's value, as typed."""


class BulkEdit(Base, Identified, Owned):
    """One change of many people at once. All but a change of kind can be taken back for a day."""

    __tablename__ = "bulk_edit"
    __table_args__ = (
        CheckConstraint(
            "verb in ('tag_add', 'tag_remove', 'set', 'clear', 'convert')", name="verb"
        ),
        CheckConstraint(
            "state in ('waiting', 'running', 'done', 'undoing', 'undone', 'failed')", name="state"
        ),
        Index(None, "workspace_id", "created_at"),
        {"schema": "contacts"},
    )

    verb: Mapped[str]
    tag_id: Mapped[UUID | None] = mapped_column(ForeignKey("contacts.tag.id", ondelete="CASCADE"))
    attribute_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("contacts.attribute.id", ondelete="CASCADE")
    )
    value: Mapped[str] = mapped_column(default="")
    """The value as typed; for `convert` the new kind and, each on a line, its choices."""
    filter: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Whom it is for: a `FriendFilter`."""
    contact_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    """Whom it is for, when they were chosen one by one."""
    state: Mapped[str] = mapped_column(default="waiting")
    total: Mapped[int | None]
    """For how many it is a change; NULL until that is known."""
    done: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    undone: Mapped[int] = mapped_column(default=0)
    after: Mapped[UUID | None]
    """The contact with whom the last slice ended."""
    at: Mapped[datetime | None]
    """The moment that stands in what it changed, by which that is told from later changes."""
    actor_name: Mapped[str] = mapped_column(default="")


class BulkChange(Base, OwnedInBulk):
    """For whom a change of many is one, and what held for them before. Gone after a day."""

    __tablename__ = "bulk_change"
    __table_args__ = (
        Index(None, "edit_id", "contact_id"),
        {"schema": "contacts", "info": WORKED_OUT},
    )

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    edit_id: Mapped[UUID] = mapped_column(primary_key=True)
    was: Mapped[dict[str, Any] | None]
    """The row of the tag or the attribute as it was; NULL when there was none."""
    was_at: Mapped[datetime | None]
    """That row's moment."""


class View(Base, Identified, Owned):
    """A way to look at the list of friends: a filter, an order and columns, under a name."""

    __tablename__ = "view"
    __table_args__ = (
        Index("uq_view_name", "workspace_id", "name", unique=True),
        {"schema": "contacts"},
    )

    name: Mapped[str]
    query: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The parameters of the list's address."""
