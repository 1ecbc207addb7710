"""Console pages: the survey editor, with its preview."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Request, get, post
from litestar.response import Redirect, Template
from sqlalchemy import select

from hiiki.actions.editor import open_editor
from hiiki.contacts.models import Attribute
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import form_data, page, to
from hiiki.surveys import drafts, service
from hiiki.surveys.checks import FITTING_KINDS, check_live
from hiiki.surveys.checks import check as check_spec
from hiiki.surveys.models import Survey
from hiiki.surveys.preview import phone
from hiiki.surveys.ready import ready_spec
from hiiki.surveys.schemas import SurveySpec
from hiiki.surveys.views import STATES
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import Channel, Workspace

AnyRequest = Request[Any, Any, Any]

KINDS = (
    ("choice", _("One of several")),
    ("choices", _("Any of several")),
    ("text", _("Free text")),
    ("number", _("Number")),
    ("date", _("Date")),
)
PRESENTATIONS = (
    ("quick_reply", _("Quick replies (up to 13)")),
    ("buttons", _("Buttons (up to 4)")),
    ("carousel", _("Carousel (up to 30)")),
)


@get("/surveys/new", opt={"role": "operator"})
async def new_survey(session: WorkspaceSession, ready: str = "") -> Template:
    """Show the editor with nothing in it, or with a ready survey."""
    data = drafts.from_spec(ready_spec(ready)) if ready else drafts.new_draft()
    return await _editor(session, None, data, {})


@post("/surveys/new")
async def create_survey(
    request: AnyRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Make a survey, and publish it if that button was pressed."""
    form = await form_data(request)
    data = drafts.from_form(form)
    try:
        survey = await service.create_survey(session, parse(SurveySpec, drafts.to_spec(data)))
        return await _saved(session, access, survey, form, "surveys.create")
    except Invalid as error:
        return await _editor(session, None, data, error.fields, error.message)


@get("/surveys/{survey_id:uuid}/edit", opt={"role": "operator"})
async def edit_survey(survey_id: UUID, session: WorkspaceSession, check: str = "") -> Template:
    """Show the editor; with `check`, also what is missing for the survey to go live."""
    survey = await session.one(Survey, survey_id)
    spec = await service.spec_of(session, survey)
    wrong = check_live(spec) | await check_spec(session, spec) if check else {}
    return await _editor(session, survey, drafts.from_spec(spec), wrong)


@post("/surveys/{survey_id:uuid}/edit")
async def change_survey(
    request: AnyRequest, survey_id: UUID, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Change a survey, and publish it if that button was pressed."""
    survey = await session.one(Survey, survey_id)
    form = await form_data(request)
    data = drafts.from_form(form)
    try:
        await service.update_survey(session, survey_id, parse(SurveySpec, drafts.to_spec(data)))
        return await _saved(session, access, survey, form, "surveys.update")
    except Invalid as error:
        return await _editor(session, survey, data, error.fields, error.message)


async def _saved(
    session: WorkspaceSession,
    access: Access,
    survey: Survey,
    form: Mapping[str, Any],
    action: str,
) -> Redirect:
    audit(session, access, action, survey.id, name=survey.name)
    if form.get("_then") != "publish":
        return to(f"/surveys/{survey.id}/edit", _("Saved."))
    await service.publish(session, survey.id)
    audit(session, access, "surveys.publish", survey.id, name=survey.name)
    return to(f"/surveys/{survey.id}", _("The survey is live."))


@post("/surveys/draw", status_code=200)
async def draw(request: AnyRequest, session: WorkspaceSession, do: str, at: str = "") -> Template:
    """Draw the editor's questions anew after one of its buttons, or when a kind was changed."""
    data = drafts.press(drafts.from_form(await form_data(request)), do, at)
    return page("surveys/_questions.html", **await _drawing(session, data, {}))


@post("/surveys/preview", status_code=200)
async def preview(request: AnyRequest, session: WorkspaceSession) -> Template:
    """Draw the phone for the question that is chosen beside it."""
    form = await form_data(request)
    data = drafts.from_form(form)
    return page("surveys/_phone.html", **await _phone(session, data, str(form.get("_show", "0"))))


async def _editor(
    session: WorkspaceSession,
    survey: Survey | None,
    data: drafts.Data,
    errors: Mapping[str, Text],
    message: Text | None = None,
) -> Template:
    return page(
        "surveys/edit.html",
        status=422 if errors else 200,
        survey=survey,
        states=STATES,
        message=message or "",
        usages=[] if survey is None else await service.usages(session, survey.id),
        **await _drawing(session, data, errors),
        **await _phone(session, data, "0"),
    )


async def _drawing(
    session: WorkspaceSession, data: drafts.Data, errors: Mapping[str, Text]
) -> dict[str, Any]:
    attributes = list(await session.scalars(select(Attribute).order_by(Attribute.position)))
    fitting = {
        kind: [(str(a.id), a.label) for a in attributes if a.kind in kinds]
        for kind, kinds in FITTING_KINDS.items()
    }
    return {
        "data": data,
        "errors": errors,
        "kinds": KINDS,
        "presentations": PRESENTATIONS,
        "fitting": fitting,
        "editor": await open_editor(session),
        # Parts of the form that must not be closed, for there is an error in them.
        "open_paths": {".".join(path.split(".")[:5]) for path in errors},
    }


async def _phone(session: WorkspaceSession, data: drafts.Data, show: str) -> dict[str, Any]:
    channel = await session.scalar(select(Channel).where(Channel.is_active).limit(1))
    workspace = await session.one(Workspace, session.workspace_id)
    place = int(show) if show.isdecimal() else 0
    title = channel.name if channel is not None else workspace.name
    return {
        "place": place,
        "shown": [question["title"] for question in data["questions"]],
        "phone": phone(data, place, title=title, locale=workspace.locale),
    }


HANDLERS = [new_survey, create_survey, edit_survey, change_survey, draw, preview]
