"""The phone pages' words in Japanese and English."""

from __future__ import annotations

from aiohttp import web

LANGUAGES = ("ja", "en")

_WORDS: dict[str, tuple[str, str]] = {
    "phones": ("スマートフォン一覧", "Phones"),
    "phones_intro": (
        "メッセージが届くと、その場で画面に表示されます。",
        "Messages show up here the moment they arrive.",
    ),
    "search": ("名前で探す", "Search by name"),
    "find": ("検索", "Search"),
    "previous": ("前へ", "Previous"),
    "next": ("次へ", "Next"),
    "of": ("人中", "of"),
    "nobody": ("まだ誰もいません。", "There is nobody yet."),
    "nobody_hint": (
        "line-emulator serve --friends 10 で起動するか、POST /_emulator/users で作成してください。",
        "Start with line-emulator serve --friends 10, or create people by POST /_emulator/users.",
    ),
    "nobody_found": ("見つかりませんでした。", "Nobody found."),
    "friend": ("友だち", "Friend"),
    "not_friend": ("友だちではありません", "Not a friend"),
    "blocked": ("ブロック中", "Blocked"),
    "add": ("友だち追加", "Add friend"),
    "block": ("ブロック", "Block"),
    "unblock": ("ブロック解除", "Unblock"),
    "message": ("メッセージを入力", "Message"),
    "send": ("送信", "Send"),
    "attach": ("写真・スタンプ・位置情報", "Photo, sticker, location"),
    "photo": ("写真を送る", "Send a photo"),
    "sticker": ("スタンプを送る", "Send a sticker"),
    "location": ("位置情報を送る", "Send a location"),
    "said_photo": ("写真", "Photo"),
    "follow": ("友だち追加しました", "Added as a friend"),
    "unfollow": ("ブロックしました", "Blocked"),
    "unblocked": ("ブロックを解除しました", "Unblocked"),
    "unsent": ("メッセージの送信を取り消しました", "Message unsent"),
    "postback": ("ポストバック", "Postback"),
    "empty": ("まだメッセージはありません", "No messages yet"),
    "empty_wall": ("メッセージなし", "No messages"),
    "pick": ("日時を選ぶ", "Pick a date or time"),
    "ok": ("決定", "OK"),
    "cancel": ("キャンセル", "Cancel"),
    "copied": ("コピーしました", "Copied"),
    "opened": ("開きました: ", "Opened: "),
    "lost": (
        "エミュレーターとの接続が切れました。再接続しています…",
        "Connection lost. Reconnecting…",
    ),
    "account": ("アカウント", "Account"),
    "person": ("この人", "This person"),
    "language": ("言語", "Language"),
    "user_id": ("ユーザーID", "User ID"),
    "all_phones": ("一覧へ", "All phones"),
    "other_language": ("English", "日本語"),
    "loading": ("入力中", "Typing"),
    "nothing_to_tap": ("この操作はエミュレーターでは開けません", "This cannot be opened here"),
}


def word(key: str, lang: str) -> str:
    """The word in Japanese or English."""
    return _WORDS[key][0 if lang == "ja" else 1]


def language_of(request: web.Request) -> str:
    """`?lang=`, else what the browser prefers, else Japanese."""
    asked = request.query.get("lang", "")
    if asked in LANGUAGES:
        return asked
    for part in request.headers.get("Accept-Language", "").split(","):
        tag = part.split(";")[0].strip().lower()[:2]
        if tag in LANGUAGES:
            return tag
    return "ja"
