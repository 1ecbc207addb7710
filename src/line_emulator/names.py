"""Believable people for a seed: display names, languages, birthdays left out on purpose."""

from __future__ import annotations

import random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FAMILY = _words(
    "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 佐々木 山口 "
    "松本 井上 木村 林 斎藤 清水 山崎 森 池田 橋本 阿部 石川 山下 中島 石井 "
    "小川 前田 岡田 長谷川 藤田 後藤 近藤 村上 遠藤 青木 坂本 斉藤 福田 太田 "
    "西村 藤井 金子 岡本 藤原 三浦 中野 原田 松田 竹内 小野 田村"
)
_GIVEN = _words(
    "陽翔 蓮 湊 蒼 樹 大翔 悠真 翔太 健太 拓海 直樹 大輔 誠 浩二 隆 修 学 亮 "
    "和也 雄大 陽葵 凛 紬 結菜 芽依 葵 さくら 美咲 愛 七海 彩 麻衣 恵 由美子 "
    "直美 香織 智子 裕子 真由美 久美子 ひなた みお ゆうき まこと りん あおい "
    "はるか なつき かおり けんじ"
)
_NICK = _words(
    "ゆうちゃん まーくん みーたん たっくん あやぴ けんけん なおぽん ともとも さっちー "
    "ひろ mika yuki taka ryo_ken haru* ちぃ りょうママ "
    "はなパパ kei なな@育児中"
)
_ABROAD = (
    ("en", "Emma"),
    ("en", "Liam J."),
    ("en", "Olivia"),
    ("zh-Hant", "怡君"),
    ("zh-Hant", "志明"),
    ("zh-Hans", "晓明"),
    ("ko", "민준"),
    ("ko", "서연"),
)


def person(rng: random.Random) -> tuple[str, str]:
    """A display name and a BCP 47 language, mostly Japanese."""
    dice = rng.random()
    if dice < 0.04:
        language, name = rng.choice(_ABROAD)
        return name, language
    if dice < 0.16:
        return rng.choice(_NICK), "ja"
    given = rng.choice(_GIVEN)
    if dice < 0.30:
        return given, "ja"
    return f"{rng.choice(_FAMILY)} {given}", "ja"
