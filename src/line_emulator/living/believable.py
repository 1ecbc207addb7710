"""People as they are: a few who love the shop, many who look now and then, some who never do.

The figures are no statistics of LINE's, only plausible: three in five open a message, most of them
within the hour, one in ten taps something, one in a thousand blocks the account.
"""

from __future__ import annotations

from ..platform import Platform
from .life import behave, living
from .store import Behaviour, Thinking, Who

_QUICK = Thinking(min=2, median=8, max=90)
_SLOW = Thinking(min=3, median=15, max=300)


def believable() -> list[Behaviour]:
    """Behaviours for everybody."""
    return [
        Behaviour(
            name="fans",
            who=Who(share=0.15),
            before_opening=Thinking(min=5, median=300, max=6 * 3600),
            before_acting=_QUICK,
            open=0.95,
            play=0.6,
            block=0.0003,
            quick_reply=0.75,
            coupon=0.6,
            button=0.3,
            link=0.35,
            menu=0.08,
            answer=0.06,
            answers=[
                "楽しみにしています！",
                "ありがとうございます",
                "また行きますね😊",
                "買いました！",
            ],
            follow=0.03,
            unblock=0.05,
            drop_in=0.15,
        ),
        Behaviour(
            name="regulars",
            who=Who(share=0.65),
            before_opening=Thinking(min=10, median=1800, max=24 * 3600),
            before_acting=_SLOW,
            open=0.6,
            play=0.25,
            block=0.001,
            quick_reply=0.45,
            coupon=0.3,
            button=0.12,
            link=0.12,
            menu=0.03,
            answer=0.01,
            answers=["はい", "ありがとうございます", "了解です", "営業時間を教えてください"],
            follow=0.01,
            unblock=0.01,
            drop_in=0.03,
        ),
        Behaviour(
            name="silent",
            before_opening=Thinking(min=60, median=5 * 3600, max=72 * 3600),
            before_acting=_SLOW,
            open=0.2,
            play=0.05,
            block=0.006,
            quick_reply=0.1,
            coupon=0.08,
            button=0.02,
            link=0.02,
            menu=0.005,
            follow=0.002,
            unblock=0.002,
        ),
    ]


def live(platform: Platform) -> None:
    """Let everybody live believably, with chances that follow from the platform's seed."""
    living(platform).seed = platform.setup.seed
    behave(platform, believable())
