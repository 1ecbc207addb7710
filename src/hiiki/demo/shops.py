"""The two shops of the story: a curry shop (B2) and a wedding hall (B1)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Rule = dict[str, Any]
TagIds = dict[str, str]


@dataclass(frozen=True)
class Question:
    """A question of the shop's survey, and how a simulated friend would answer it."""

    title: str
    kind: str
    """choice, choices or number."""
    choices: Sequence[str] = ()
    weights: Sequence[float] = ()
    presentation: str = "quick_reply"
    attribute: str = ""
    """Key of the attribute that keeps the answer; choices become tags."""
    done: str = "これで決定"

    def wish(self, dice: random.Random) -> str | list[str]:
        """Return what one person would answer."""
        if self.kind == "number":
            return str(min(88, max(16, round(dice.gauss(39, 13)))))
        if self.kind == "choices":
            count = dice.randint(1, min(3, len(self.choices)))
            return sorted(dice.sample(list(self.choices), count), key=list(self.choices).index)
        return dice.choices(list(self.choices), weights=self.weights or None)[0]


@dataclass(frozen=True)
class Campaign:
    """A segment, what is sent to it, and who should get it by what they really answered."""

    segment: str
    rule: Callable[[TagIds], Rule]
    wants: Callable[[set[str]], bool]
    """True for a person whose chosen labels put them into the segment."""
    marker: str
    """Words that stand in this broadcast's message and in no other."""
    text: str
    button: str
    url: str


@dataclass(frozen=True)
class Shop:
    """All that the story knows of a shop."""

    name: str
    share: float
    """Of all simulated friends."""
    quota: int
    """Messages a month that LINE allows it: 5,000 is the light plan, more the standard."""
    consumed: int
    """Messages it has sent this month before the story begins."""
    greeting: str
    greeting_marker: str
    survey: str
    intro: str
    thanks: str
    thanks_marker: str
    coupon: str
    questions: Sequence[Question]
    campaigns: Sequence[Campaign]
    attributes: Sequence[tuple[str, str, str]] = field(default_factory=tuple[tuple[str, str, str]])
    """(key, label, kind)"""

    @property
    def markers(self) -> list[str]:
        """The words that tell this shop's broadcasts apart."""
        return [campaign.marker for campaign in self.campaigns]

    @property
    def tags(self) -> list[str]:
        """Every label that becomes a tag."""
        return [label for question in self.questions for label in question.choices]

    def question_in(self, words: str) -> Question | None:
        """Return the question that is asked in `words`, if one is."""
        return next((found for found in self.questions if found.title in words), None)


def tag(ids: TagIds, label: str) -> Rule:
    """Return the condition "has this tag"."""
    return {"kind": "tag", "op": "has", "tag_ids": [ids[label]]}


def all_of(*rules: Rule) -> Rule:
    """Return AND."""
    return {"kind": "all", "rules": list(rules)}


CURRY = Shop(
    name="スパイス食堂 贔屓",
    share=0.6,
    quota=60_000,
    consumed=29_900,
    greeting=(
        "{{ name | default: 'お客' }}さん、スパイス食堂 贔屓を友だちに追加いただき"
        "ありがとうございます🍛 かんたんな質問に答えると10%OFFクーポンをプレゼント!"
    ),
    greeting_marker="友だちに追加いただき",
    survey="お好みアンケート",
    intro="3問だけ、おうかがいします。",
    thanks="ご回答ありがとうございました! お礼のクーポンをお受け取りください。",
    thanks_marker="ご回答ありがとうございました",
    coupon="全品10%OFFクーポン",
    attributes=(("age", "年齢", "number"),),
    questions=(
        Question(
            "カレーの辛さのお好みは?",
            "choice",
            ("甘口", "中辛", "辛口", "激辛"),
            (0.28, 0.38, 0.24, 0.10),
        ),
        Question(
            "お好きなトッピングは?(いくつでも)",
            "choices",
            ("チーズ", "ゆで卵", "カツ", "野菜", "納豆"),
        ),
        Question("年齢を数字で教えてください", "number", attribute="age"),
    ),
    campaigns=(
        Campaign(
            segment="甘口が好き",
            rule=lambda ids: tag(ids, "甘口"),
            wants=lambda labels: "甘口" in labels,
            marker="新登場・ココナッツ甘口カレー",
            text=(
                "スパイス食堂 贔屓から、甘口がお好きな{{ name }}さんへ。\n"
                "新登場・ココナッツ甘口カレーを本日よりお出しします。"
            ),
            button="メニューを見る",
            url="https://spice.example/menu/coconut",
        ),
    ),
)

WEDDING = Shop(
    name="ウェディング やわらぎ",
    share=0.4,
    quota=30_000,
    consumed=1_250,
    greeting=(
        "{{ name | default: 'お客' }}様、ウェディング やわらぎの友だち登録ありがとうございます💐 "
        "ご状況をお聞かせいただくと、10%OFFクーポンを差し上げます。"
    ),
    greeting_marker="友だち登録ありがとうございます",
    survey="ご状況アンケート",
    intro="おふたりに合うご案内をするため、3つだけお聞かせください。",
    thanks="お聞かせいただきありがとうございました。クーポンをお届けします。",
    thanks_marker="お聞かせいただきありがとうございました",
    coupon="ご衣裳10%OFFクーポン",
    questions=(
        Question(
            "おふたりのご関係は?",
            "choice",
            ("婚約中", "結婚1年未満", "結婚3年以上"),
            (0.5, 0.25, 0.25),
            presentation="buttons",
        ),
        Question("お子さまは?", "choice", ("子どもあり", "子どもなし"), (0.35, 0.65)),
        Question(
            "結婚式については?",
            "choice",
            ("式を検討中", "式の予定あり", "式は済んだ"),
            (0.45, 0.3, 0.25),
        ),
    ),
    campaigns=(
        Campaign(
            segment="婚約中かつ検討中",
            rule=lambda ids: all_of(tag(ids, "婚約中"), tag(ids, "式を検討中")),
            wants=lambda labels: {"婚約中", "式を検討中"} <= labels,
            marker="はじめての式場見学会",
            text=(
                "ウェディング やわらぎです。\n"
                "ご結婚式を検討中の{{ name }}様へ、はじめての式場見学会のご案内です。"
            ),
            button="見学会を見る",
            url="https://yawaragi.example/tour",
        ),
        Campaign(
            segment="結婚3年以上・子どもあり・式の予定あり",
            rule=lambda ids: all_of(
                tag(ids, "結婚3年以上"), tag(ids, "子どもあり"), tag(ids, "式の予定あり")
            ),
            wants=lambda labels: {"結婚3年以上", "子どもあり", "式の予定あり"} <= labels,
            marker="お子さまと挙げる家族婚",
            text=(
                "ウェディング やわらぎです。\n"
                "{{ name }}様、お子さまと挙げる家族婚のプランができました。"
            ),
            button="プランを見る",
            url="https://yawaragi.example/family",
        ),
        Campaign(
            segment="子どもあり・式は済んだ",
            rule=lambda ids: all_of(tag(ids, "子どもあり"), tag(ids, "式は済んだ")),
            wants=lambda labels: {"子どもあり", "式は済んだ"} <= labels,
            marker="七五三フォトのご案内",
            text="ウェディング やわらぎです。{{ name }}様へ、七五三フォトのご案内をお届けします。",
            button="フォトプランを見る",
            url="https://yawaragi.example/753",
        ),
    ),
)

SHOPS = (CURRY, WEDDING)
