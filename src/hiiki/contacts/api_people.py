"""`/api/v1/friends`: who is meant, who is double, and whose change was for many."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import delete, get, post
from litestar.params import Parameter
from pydantic import BaseModel, Field

from hiiki.contacts import doubles, identities, keywords, listing
from hiiki.contacts.identities import Keys
from hiiki.contacts.merging import contact_of
from hiiki.contacts.models import Keyword, View
from hiiki.contacts.schemas import Count, KeywordIn, NoteIn, NoteOut, ViewIn, ViewOut
from hiiki.contacts.values import plain
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import NotFound
from hiiki.workspace.access import Access, audit

GROUP: dict[str, Any] = {"tags": ["friends"]}


class KeysIn(BaseModel):
    """By what the shop's own systems know a person, as typed; what is left out is not said."""

    customer: Annotated[str, Field(max_length=200)] = ""
    email: Annotated[str, Field(max_length=254)] = ""
    phone: Annotated[str, Field(max_length=40)] = ""
    line_user_id: Annotated[str, Field(max_length=64)] = ""

    def keys(self) -> Keys:
        """Return it as the room takes it."""
        return Keys(**self.model_dump())


class ResolveIn(BaseModel):
    """Whom to find, and whether to make those who are not known yet."""

    keys: Annotated[list[KeysIn], Field(max_length=1000)]
    create: bool = False


class ResolveOut(BaseModel):
    """The contacts' ids in the order of the keys; null where nobody is meant."""

    contact_ids: list[UUID | None]


class IdentityOut(BaseModel):
    """A key of a contact, in the form in which keys are compared."""

    kind: Literal["customer", "line", "email", "phone"]
    key: str


class DoubleOut(BaseModel):
    """Two contacts who may be one person."""

    contact_id: UUID
    other_id: UUID
    reasons: list[str]
    """customer, line, email, phone, name (with the birthday), typed (into a survey)."""
    is_certain: bool


class DoublesOut(BaseModel):
    """A page of possible doubles."""

    items: list[DoubleOut]
    next: str | None


class MergeIn(BaseModel):
    """Which contact is the same person."""

    other_id: UUID
    take: Annotated[dict[str, UUID], Field(max_length=300)] = Field(default_factory=dict[str, UUID])
    """Where both have something, whose holds: by a profile field's name or an attribute's id.
    What is not named is as the one who stays has it."""


class MergeOut(BaseModel):
    """Who stayed: a LINE friend, if one of them is. The other id leads there from now on."""

    contact_id: UUID


class OtherIn(BaseModel):
    """Another contact."""

    other_id: UUID


@post("/friends/resolve", status_code=200, operation_id="ResolveFriends", **GROUP)
async def resolve(data: ResolveIn, session: WorkspaceSession, access: Access) -> ResolveOut:
    """Find contacts by customer number, LINE user id, e-mail or phone, the strongest first."""
    found = await identities.resolve(
        session, [each.keys() for each in data.keys], create=data.create
    )
    if data.create:
        audit(session, access, "contacts.resolve", count=len(data.keys))
    return ResolveOut(contact_ids=found)


@get("/friends/{contact_id:uuid}/identities", operation_id="ListFriendIdentities", **GROUP)
async def list_identities(contact_id: UUID, session: WorkspaceSession) -> list[IdentityOut]:
    """Return by what the shop's own systems know a contact."""
    contact = await contact_of(session, contact_id)
    return [
        IdentityOut.model_validate(each, from_attributes=True)
        for each in await identities.keys_of(session, contact.id)
    ]


@post("/friends/{contact_id:uuid}/identities", operation_id="AddFriendIdentities", **GROUP)
async def add_identities(
    contact_id: UUID, data: KeysIn, session: WorkspaceSession, access: Access
) -> list[IdentityOut]:
    """Give a contact keys; refused when one of them is another contact's."""
    contact = await contact_of(session, contact_id)
    await identities.attach(session, contact.id, data.keys())
    audit(session, access, "contacts.identity_add", contact.id)
    return await list_identities.fn(contact.id, session)


@post(
    "/friends/{contact_id:uuid}/identities/remove",
    status_code=204,
    operation_id="RemoveFriendIdentity",
    **GROUP,
)
async def remove_identity(
    contact_id: UUID, data: IdentityOut, session: WorkspaceSession, access: Access
) -> None:
    """Take a key off a contact, named as it is listed."""
    contact = await contact_of(session, contact_id)
    if not await identities.detach(session, contact.id, data.kind, data.key):
        raise NotFound()
    audit(session, access, "contacts.identity_remove", contact.id, kind=data.kind)


@get("/friends/doubles", operation_id="ListDoubles", **GROUP)
async def list_doubles(session: WorkspaceSession, after: str = "") -> DoublesOut:
    """Return who may be one person, the certain ones first."""
    found = await doubles.page_of_pairs(session, after)
    return DoublesOut(
        items=[
            DoubleOut(
                contact_id=pair.one.contact.id,
                other_id=pair.other.contact.id,
                reasons=pair.reasons,
                is_certain=pair.is_certain,
            )
            for pair in found.pairs
        ],
        next=found.next,
    )


@post("/friends/doubles/look", status_code=200, operation_id="LookForDoubles", **GROUP)
async def look_for_doubles(session: WorkspaceSession, access: Access) -> Count:
    """Look through all people; returns how many pairs are open then."""
    number = await doubles.look(session)
    audit(session, access, "contacts.doubles_look", count=number)
    return Count(count=number)


@post("/friends/{contact_id:uuid}/merge", status_code=200, operation_id="MergeFriends", **GROUP)
async def merge(
    contact_id: UUID, data: MergeIn, session: WorkspaceSession, access: Access
) -> MergeOut:
    """Make one contact of two; refused for two LINE friends. It cannot be taken back."""
    stays = await doubles.join(session, access, contact_id, data.other_id, data.take)
    return MergeOut(contact_id=stays)


@post(
    "/friends/{contact_id:uuid}/different",
    status_code=204,
    operation_id="TellFriendsApart",
    **GROUP,
)
async def tell_apart(
    contact_id: UUID, data: OtherIn, session: WorkspaceSession, access: Access
) -> None:
    """Remember that two contacts are two people, whatever they have in common."""
    await doubles.tell_apart(session, access, contact_id, data.other_id)


class SuggestionOut(BaseModel):
    """What a note suggests, and by which word."""

    key: str
    word: str
    tag_id: UUID | None
    attribute_id: UUID | None
    value: str


class FoundNote(NoteOut):
    """A note and whom it is about."""

    contact_id: UUID


class NotesOut(BaseModel):
    """A page of notes, the latest first."""

    items: list[FoundNote]
    more: bool


class KeywordOut(KeywordIn):
    """A word that suggests something in notes."""

    id: UUID


@get("/notes", operation_id="FindNotes", tags=["friends"])
async def find_notes(
    session: WorkspaceSession,
    q: Annotated[str, Parameter(max_length=100)] = "",
    number: Annotated[int, Parameter(query="page", ge=1, le=200)] = 1,
) -> NotesOut:
    """Return the notes that hold all these words."""
    found = await keywords.find_notes(session, plain(q), number)
    return NotesOut(
        items=[
            FoundNote.model_validate(each, from_attributes=True) for each in found[: keywords.PAGE]
        ],
        more=len(found) > keywords.PAGE,
    )


@post(
    "/friends/{contact_id:uuid}/notes/suggestions",
    status_code=200,
    operation_id="SuggestFromNote",
    **GROUP,
)
async def suggest(
    contact_id: UUID, data: NoteIn, session: WorkspaceSession, access: Access, take: bool = False
) -> list[SuggestionOut]:
    """Return what a note's words suggest of a friend; with `take` it is set as well."""
    contact = await contact_of(session, contact_id)
    found = (
        await keywords.accept(session, access, contact.id, data.body)
        if take
        else await keywords.suggest(session, contact.id, data.body)
    )
    return [
        SuggestionOut(
            key=each.key,
            word=each.word,
            tag_id=each.tag.id if each.tag else None,
            attribute_id=each.attribute.id if each.attribute else None,
            value=each.value,
        )
        for each in found
    ]


@get("/notes/words", operation_id="ListNoteWords", **GROUP)
async def list_words(session: WorkspaceSession) -> list[KeywordOut]:
    """Return the words that suggest a tag or an attribute in notes."""
    return [
        KeywordOut.model_validate(each.keyword, from_attributes=True)
        for each in await keywords.all_words(session)
    ]


@post("/notes/words", operation_id="AddNoteWord", **GROUP)
async def add_word(data: KeywordIn, session: WorkspaceSession, access: Access) -> KeywordOut:
    """Add a word with the tag, or the attribute and its value, that it suggests."""
    made = await keywords.add_word(session, data)
    audit(session, access, "contacts.word_add", made.id, word=made.word)
    return KeywordOut.model_validate(made, from_attributes=True)


@delete("/notes/words/{keyword_id:uuid}", operation_id="DeleteNoteWord", **GROUP)
async def delete_word(keyword_id: UUID, session: WorkspaceSession, access: Access) -> None:
    """Delete a word."""
    found = await session.one(Keyword, keyword_id)
    await session.delete(found)
    audit(session, access, "contacts.word_delete", keyword_id, word=found.word)


@get("/friends/views", operation_id="ListFriendViews", **GROUP)
async def list_views(session: WorkspaceSession) -> list[ViewOut]:
    """Return the ways to look at the list that are kept."""
    return [
        ViewOut.model_validate(each, from_attributes=True) for each in await listing.views(session)
    ]


@post("/friends/views", operation_id="SaveFriendView", **GROUP)
async def save_view(data: ViewIn, session: WorkspaceSession, access: Access) -> ViewOut:
    """Keep a filter, an order and columns under a name; one of the same name is replaced."""
    made = await listing.save_view(session, data)
    audit(session, access, "contacts.view_save", made.id, name=made.name)
    return ViewOut.model_validate(made, from_attributes=True)


@delete("/friends/views/{view_id:uuid}", operation_id="DeleteFriendView", **GROUP)
async def delete_view(view_id: UUID, session: WorkspaceSession, access: Access) -> None:
    """Delete a saved view; nobody's data changes."""
    found = await session.one(View, view_id)
    await session.delete(found)
    audit(session, access, "contacts.view_delete", view_id, name=found.name)


HANDLERS = [
    list_views,
    save_view,
    delete_view,
    find_notes,
    suggest,
    list_words,
    add_word,
    delete_word,
    resolve,
    list_identities,
    add_identities,
    remove_identity,
    list_doubles,
    look_for_doubles,
    merge,
    tell_apart,
]
