"""What the preview itself says, in Japanese and English."""

from typing import Final

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "broken_image": ("画像を表示できません", "The image cannot be shown"),
    "unknown": ("表示できないメッセージ", "This message cannot be shown"),
    "unknown_component": ("不明な部品", "Unknown component"),
    "too_deep": ("入れ子が深すぎます", "Nested too deeply"),
    "empty_text": ("（本文がありません）", "(No text)"),
    "empty_box": ("（内容がありません）", "(Empty)"),
    "no_label": ("（ラベルなし）", "(No label)"),
    "emoji": ("LINE絵文字", "LINE emoji"),
    "everyone": ("@全員", "@All"),
    "mention": ("@ユーザー", "@User"),
    "sticker": ("スタンプ", "Sticker"),
    "image": ("画像", "Image"),
    "video": ("動画", "Video"),
    "audio": ("音声", "Audio"),
    "play": ("再生", "Play"),
    "location": ("位置情報", "Location"),
    "coupon": ("クーポン", "Coupon"),
    "coupon_use": ("クーポンを見る", "View coupon"),
    "quoted": ("引用したメッセージ", "Quoted message"),
    "file": ("ファイル", "File"),
    "lottery": ("抽選クーポン", "Lottery coupon"),
    "valid_until": ("有効期限", "Valid until"),
    "coupon_gone": ("このクーポンは見つかりません", "This coupon does not exist"),
    "quick_replies": ("クイックリプライ", "Quick replies"),
    "carousel": ("カルーセル", "Carousel"),
    "phone": ("スマートフォンのプレビュー", "Phone preview"),
    "input": ("メッセージを入力", "Enter a message"),
    "none_yet": ("メッセージはまだありません", "No messages yet"),
}


def word(key: str, lang: str) -> str:
    """Return a word of ours in the given language; any language but Japanese gets English."""
    japanese, english = _WORDS[key]
    return japanese if lang.lower().startswith("ja") else english
