"""What this room adds to the road."""

from __future__ import annotations

from hiiki.coupons import actions, api, listing, public, service, views
from hiiki.kit.i18n import _
from hiiki.kit.road import ActionKind, EventKind, NavItem, Picker, Room

room = Room(
    name="coupons",
    pages=views.HANDLERS,
    api=api.HANDLERS,
    public=public.HANDLERS,
    nav=[NavItem("promotion", _("Coupons"), "discount-2", "/coupons", order=10)],
    events=[
        EventKind("coupon_issue", _("Got a coupon"), "discount-2", subject="coupon"),
        EventKind("coupon_use", _("Used a coupon"), "discount-check", subject="coupon"),
    ],
    actions=[
        ActionKind(
            "coupon_issue", _("Give a coupon"), "discount-2", actions.IssueParams, actions.issue
        )
    ],
    pickers=[Picker("coupon", _("Coupons"), listing.options)],
    cards={"coupon": service.card},
)
