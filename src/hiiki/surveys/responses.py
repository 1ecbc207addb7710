"""Where contacts are in their surveys: read for many people at once, written together.

A response that is read here is locked until the transaction ends and is not a row of the
session: whoever changes one says so with `keep`.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select, text
from sqlalchemy.orm import Session

from hiiki.db import WorkspaceSession
from hiiki.db.locking import lockable
from hiiki.db.rows import document, recordset
from hiiki.kit.clock import now
from hiiki.kit.ids import uuid7
from hiiki.surveys.models import Finish, Response

# Made once: it is asked whenever people write or tap. All in one order, so that two who lock
# several never wait for each other.
_OPEN = (
    select(Response)
    .where(
        Response.contact_id == any_(bindparam("contact_ids", type_=ARRAY(Uuid()))),
        Response.state == "open",
    )
    .order_by(Response.contact_id, Response.id)
    .with_for_update()
)


async def _read(
    session: WorkspaceSession, contact_ids: Sequence[UUID]
) -> dict[UUID, list[Response]]:
    found: dict[UUID, list[Response]] = {ident: [] for ident in contact_ids}
    for part in await lockable(session, contact_ids):
        for response in await session.scalars(_OPEN, {"contact_ids": part}):
            session.expunge(response)
            found[response.contact_id].append(response)
    return found


async def _known(session: WorkspaceSession, contact_id: UUID) -> list[Response]:
    """Return what is known of a contact: those that were open, and those begun since."""
    known = await session.ahead("responses", contact_id, lambda ids: _read(session, ids))
    return [] if known is None else known


async def open_responses(session: WorkspaceSession, contact_id: UUID) -> list[Response]:
    """Return the surveys that a contact is in the middle of."""
    known = await _known(session, contact_id)
    return [response for response in known if response.state == "open"]


async def open_response(
    session: WorkspaceSession, contact_id: UUID, survey_id: UUID
) -> Response | None:
    """Return the contact's open response to a survey."""
    found = await open_responses(session, contact_id)
    return next((response for response in found if response.survey_id == survey_id), None)


_BEGIN = text(
    """
    insert into surveys.response
        (workspace_id, contact_id, id, survey_id, channel_id, question_id, state, picked, misses,
         asked_at, started_at)
    values (:workspace_id, :contact_id, :id, :survey_id, :channel_id, :question_id, 'open', '[]',
        0, :now, :now)
    on conflict do nothing
    returning id
    """
)


async def begin(
    session: WorkspaceSession,
    contact_id: UUID,
    survey_id: UUID,
    channel_id: UUID,
    question_id: UUID,
) -> UUID | None:
    """Put a contact before a survey's first question.

    Returns the response's id; None when they are in the middle of it.
    """
    known = await _known(session, contact_id)
    response = Response(
        workspace_id=session.workspace_id,
        contact_id=contact_id,
        id=uuid7(),
        survey_id=survey_id,
        channel_id=channel_id,
        state="open",
        question_id=question_id,
        picked=[],
        misses=0,
        asked_at=now(),
        started_at=now(),
        finished_at=None,
    )
    begun = await session.apart(
        _BEGIN,
        {
            "workspace_id": response.workspace_id,
            "contact_id": contact_id,
            "id": response.id,
            "survey_id": survey_id,
            "channel_id": channel_id,
            "question_id": question_id,
            "now": response.started_at,
        },
    )
    if begun is not None:
        known.append(response)
        return response.id
    # Somebody else has begun it, who may have been at it at this moment.
    known[:] = (await _read(session, [contact_id]))[contact_id]
    return None


def keep(session: WorkspaceSession, response: Response) -> None:
    """Have a response written as it now is, with the others of this transaction."""
    session.gather(_write, response)


_KEEP = text(
    f"""
    update surveys.response r
    set state = x.state, question_id = x.question_id, picked = x.picked, misses = x.misses,
        asked_at = x.asked_at, finished_at = x.finished_at
    from {recordset(Response)} x
    where r.workspace_id = :workspace_id and r.contact_id = x.contact_id and r.id = x.id
    """  # noqa: S608 — the name of our own table
)


def _write(session: Session, changed: list[Response]) -> None:
    # As each of them is by now, however often it was changed.
    responses = {response.id: response for response in changed}.values()
    session.execute(
        _KEEP,
        {"workspace_id": changed[0].workspace_id, "rows": document(responses)},
        execution_options={"scoped_by_hand": True},
    )


async def first_finish(session: WorkspaceSession, response: Response) -> bool:
    """Note that a contact has finished a survey; True when it is for the first time.

    The response must be one that was read or begun here: as long as it is locked, the contact
    cannot finish the survey elsewhere.
    """
    survey_id = response.survey_id

    async def ask(contact_ids: Sequence[UUID]) -> dict[UUID, set[UUID]]:
        finished = set(
            await session.scalars(
                _FINISHED, {"survey_id": survey_id, "contact_ids": list(contact_ids)}
            )
        )
        return dict.fromkeys(contact_ids, finished)

    finished = await session.ahead(("finished", survey_id), response.contact_id, ask) or set()
    if response.contact_id in finished:
        return False
    finished.add(response.contact_id)
    finish = Finish(
        workspace_id=session.workspace_id,
        contact_id=response.contact_id,
        survey_id=survey_id,
        at=now(),
    )
    session.write(finish, "on conflict do nothing")
    return True


_FINISHED = select(Finish.contact_id).where(
    Finish.contact_id == any_(bindparam("contact_ids", type_=ARRAY(Uuid()))),
    Finish.survey_id == bindparam("survey_id"),
)
