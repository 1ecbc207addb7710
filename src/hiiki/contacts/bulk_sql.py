"""The statements of changes of many (`hiiki.contacts.bulk`): each changes one slice of people.

`{slice}` stands for the change's people between `:first` and `:last`, as `b`.
"""

from __future__ import annotations

SLICE = """
    contacts.bulk_change b
    where b.workspace_id = :workspace_id and b.edit_id = :edit_id
        and b.contact_id between :first and :last
"""
# Where tables are spread, only what is inserted may be read out of JSON: dates and moments in it
# depend on the session. In the order in which all lock people; those who have been erased
# meanwhile are passed over.
DO = {
    "tag_add": """
        insert into contacts.contact_tag (workspace_id, contact_id, tag_id, at)
        select b.workspace_id, b.contact_id, cast(:what as uuid), cast(:at as timestamptz)
        from {slice}
            and exists (select from contacts.contact c where c.id = b.contact_id)
        order by b.contact_id
        on conflict do nothing
    """,
    "tag_remove": """
        delete from contacts.contact_tag t using {slice}
            and t.contact_id = b.contact_id and t.tag_id = :what
            and t.at = b.was_at
    """,
    "clear": """
        delete from contacts.contact_attribute t using {slice}
            and t.contact_id = b.contact_id and t.attribute_id = :what
            and t.at = b.was_at
    """,
    # Where there was a value, the new one takes its place if it is still the same.
    "set": """
        update contacts.contact_attribute t
        set text = cast(:text as text), number = cast(:number as numeric),
            day = cast(:day as date), choice = cast(:choice as text),
            choices = cast(:choices as text[]), at = :at
        from {slice}
            and t.contact_id = b.contact_id and t.attribute_id = :what and t.at = b.was_at
    """,
    "set_new": """
        insert into contacts.contact_attribute
            (workspace_id, contact_id, attribute_id, text, number, day, choice, choices, at)
        select b.workspace_id, b.contact_id, cast(:what as uuid), cast(:text as text),
            cast(:number as numeric), cast(:day as date), cast(:choice as text),
            cast(:choices as text[]), cast(:at as timestamptz) from {slice}
            and exists (select from contacts.contact c where c.id = b.contact_id)
        order by b.contact_id
        on conflict do nothing
    """,
}
# What was there before comes back as it was, with its own moment.
AGAIN = {
    "tag": """
        insert into contacts.contact_tag (workspace_id, contact_id, tag_id, at)
        select b.workspace_id, b.contact_id, cast(:what as uuid), b.was_at
        from {slice} and b.was is not null
            and exists (select from contacts.contact c where c.id = b.contact_id)
        order by b.contact_id
        on conflict do nothing
    """,
    # Of the contact as they are now: they may have become a part of another since. Those who have
    # a value again are left out here, as a server that gathers rows counts them before a conflict.
    "value": """
        insert into contacts.contact_attribute
        select x.* from (select b.* from {slice} and b.was is not null) b,
            jsonb_populate_record(
                null::contacts.contact_attribute,
                b.was || jsonb_build_object('contact_id', b.contact_id)
            ) x
        where exists (select from contacts.contact c where c.id = b.contact_id)
            and not exists (
                select from contacts.contact_attribute n
                where n.contact_id = b.contact_id and n.attribute_id = :what
            )
        order by x.contact_id
        on conflict do nothing
    """,
}
OFF = {
    "tag": """
        delete from contacts.contact_tag t using {slice}
            and t.contact_id = b.contact_id and t.tag_id = :what and t.at = :at
    """,
    "value": """
        delete from contacts.contact_attribute t using {slice}
            and t.contact_id = b.contact_id and t.attribute_id = :what and t.at = :at
    """,
    # Where there was a value, it takes the place of the new one, if that is still there; it is
    # held first, so that nobody changes it in between.
    "hold": """
        update contacts.contact_attribute t set at = :at
        from {slice} and b.was is not null
            and t.contact_id = b.contact_id and t.attribute_id = :what and t.at = :at
    """,
    "back": """
        insert into contacts.contact_attribute
            (workspace_id, contact_id, attribute_id, text, number, day, choice, choices, at)
        select b.workspace_id, b.contact_id, cast(:what as uuid), x.text, x.number, x.day, x.choice,
            x.choices, x.at
        from (select b.* from {slice} and b.was is not null) b,
            jsonb_populate_record(null::contacts.contact_attribute, b.was) x
        where exists (
            select from contacts.contact_attribute n
            where n.contact_id = b.contact_id and n.attribute_id = :what and n.at = :at
        )
        order by b.contact_id
        on conflict (contact_id, attribute_id) do update
        set text = excluded.text, number = excluded.number, day = excluded.day,
            choice = excluded.choice, choices = excluded.choices, at = excluded.at
    """,
}
