"""The phone pages' words in Japanese and English."""

from __future__ import annotations

from aiohttp import web

LANGUAGES = ("ja", "en")

_WORDS: dict[str, tuple[str, str]] = {
    # People and accounts
    "friend": ("友だち", "Friend"),
    "not_friend": ("友だちではありません", "Not a friend"),
    "blocked": ("ブロック中", "Blocked"),
    "add": ("友だち追加", "Add friend"),
    "block": ("ブロック", "Block"),
    "unblock": ("ブロック解除", "Unblock"),
    "you": ("自分", "You"),
    "account": ("アカウント", "Account"),
    "groups": ("グループ・トークルーム", "Groups and rooms"),
    "person": ("この人について", "About this person"),
    "language": ("言語", "Language"),
    "user_id": ("ユーザーID", "User ID"),
    "letters": ("文字の大きさ", "Letter size"),
    "small": ("小", "Small"),
    "normal": ("標準", "Normal"),
    "large": ("大", "Large"),
    "extra_large": ("特大", "Extra large"),
    "all_phones": ("スマートフォン一覧", "All phones"),
    "gallery": ("Flexの見本", "Flex gallery"),
    "gallery_intro": (
        "Flex Messageがどう描かれるかを見比べるための見本です。JSONはそのまま送れます。",
        "Designs to judge by how Flex Messages are drawn here. Their JSON can be sent as it is.",
    ),
    "sample_account": ("ひだまり商店", "Hidamari Store"),
    "copied_json": ("JSONをコピーしました", "JSON copied"),
    "other_language": ("English", "日本語"),
    # The chat
    "message": ("メッセージを入力", "Message"),
    "send": ("送信", "Send"),
    "attach": ("写真・スタンプ・位置情報など", "Photo, sticker, location and more"),
    "keyboard": ("キーボードを開く", "Open the keyboard"),
    "open_menu": ("メニューを開く", "Open the menu"),
    "close_menu": ("メニューを閉じる", "Close the menu"),
    "rich_menu": ("リッチメニュー", "Rich menu"),
    "to_menu": ("リッチメニューに戻る", "Back to the rich menu"),
    "actions_for": ("メッセージの操作", "Message actions"),
    "quote": ("リプライ", "Reply"),
    "copy": ("コピー", "Copy"),
    "unsend": ("送信取消", "Unsend"),
    "edit": ("編集", "Edit"),
    "quoting": ("リプライ先", "Replying to"),
    "stop_quoting": ("リプライをやめる", "Do not reply"),
    "quoted_gone": ("このメッセージは表示できません", "This message is not available"),
    "read": ("既読", "Read"),
    "loading": ("入力中", "Typing"),
    "empty": ("まだメッセージはありません", "No messages yet"),
    "did_follow": ("友だち追加しました", "Added as a friend"),
    "did_unfollow": ("ブロックしました", "Blocked"),
    "did_unblock": ("ブロックを解除しました", "Unblocked"),
    "did_unsent": ("メッセージの送信を取り消しました", "Message unsent"),
    "did_something": ("操作しました", "Something was done"),
    "edited": ("編集済み", "Edited"),
    "group_created": ("{name}さんがトークを作成しました", "{name} started the chat"),
    "group_joined": ("{others}さんが参加しました", "{others} joined"),
    "group_left": ("{name}さんが退出しました", "{name} left"),
    "group_removed": (
        "{name}さんが{others}さんを退会させました",
        "{name} removed {others}",
    ),
    "group_unsent": (
        "{name}さんがメッセージの送信を取り消しました",
        "{name} unsent a message",
    ),
    "group_account_joined": ("公式アカウントが参加しました", "The official account joined"),
    "group_account_left": ("公式アカウントが退出しました", "The official account left"),
    "group_account_removed": (
        "{name}さんが公式アカウントを退会させました",
        "{name} removed the official account",
    ),
    "group_message": ("メッセージ", "Message"),
    "postback": ("ポストバック", "Postback"),
    "message_word": ("メッセージ", "Message"),
    "coupon": ("クーポン", "Coupon"),
    "location": ("位置情報", "Location"),
    "image": ("写真", "Photo"),
    "lost": (
        "エミュレーターとの接続が切れました。再接続しています…",
        "Connection lost. Reconnecting…",
    ),
    # What a person sends
    "photo": ("写真", "Photo"),
    "camera": ("カメラ", "Camera"),
    "sticker": ("スタンプ", "Sticker"),
    "video": ("動画", "Video"),
    "audio": ("音声", "Voice"),
    "file": ("ファイル", "File"),
    "close": ("閉じる", "Close"),
    "ok": ("決定", "OK"),
    "cancel": ("キャンセル", "Cancel"),
    "date": ("日付を選択", "Pick a date"),
    "time": ("時刻を選択", "Pick a time"),
    "datetime": ("日時を選択", "Pick a date and time"),
    "range": ("選べる範囲", "Allowed"),
    "out_of_range": ("選べる範囲の外です", "Outside the allowed range"),
    "take_photo": ("写真を撮る", "Take a photo"),
    "choose_photo": ("写真を選ぶ", "Choose a photo"),
    "choose_photos_note": (
        "エミュレーターが描いた写真を送るか、手元のファイルを選びます。",
        "Send one of the emulator's pictures, or choose a file of yours.",
    ),
    "own_photo": ("手元の画像を選ぶ", "Choose an image file"),
    "own_video": ("手元の動画を選ぶ", "Choose a video file"),
    "own_audio": ("手元の音声を選ぶ", "Choose a sound file"),
    "own_file": ("手元のファイルを選ぶ", "Choose a file"),
    "sample_video": ("見本の動画を送る", "Send a sample video"),
    "sample_audio": ("見本の音声を送る", "Send a sample sound"),
    "sample_file": ("見本のファイルを送る", "Send a sample file"),
    "pick_sticker": ("スタンプを選択", "Pick a sticker"),
    "pick_place": ("場所を選択", "Pick a place"),
    "other_place": ("ほかの場所", "Another place"),
    "place_title": ("名称", "Title"),
    "address": ("住所", "Address"),
    "latitude": ("緯度", "Latitude"),
    "longitude": ("経度", "Longitude"),
    "send_place": ("この場所を送信", "Send this place"),
    # Links
    "copied": ("コピーしました: ", "Copied: "),
    "would_call": ("電話をかけます", "This would make a call"),
    "would_mail": ("メールを書きます", "This would write a mail"),
    "would_line": ("LINEアプリの画面を開きます", "This would open a screen of the LINE app"),
    "would_open": ("リンクを開きます", "This would open a link"),
    "would_note": (
        "スマートフォンでは次のアドレスが開きます。",
        "On a phone this address would be opened.",
    ),
    "browser": ("アプリ内ブラウザー", "In-app browser"),
    "open_tab": ("新しいタブで開く", "Open in a new tab"),
    "nothing_to_tap": ("この操作はエミュレーターではできません", "This cannot be done here"),
    # Coupons
    "coupon_gone": ("このクーポンは見つかりません", "This coupon does not exist"),
    "coupon_period": ("有効期間", "Valid"),
    "coupon_how": ("利用条件", "Conditions"),
    "coupon_about": ("説明", "About"),
    "coupon_code": ("クーポンコード", "Coupon code"),
    "coupon_new": ("まだ受け取っていません", "Not taken yet"),
    "coupon_draw": ("抽選に参加できます", "You can draw for it"),
    "coupon_yours": ("お店で使えます", "Ready to be used at the shop"),
    "coupon_lost": ("残念、はずれでした", "No luck this time"),
    "coupon_used": ("使用済み", "Used"),
    "coupon_over": ("このクーポンは終了しました", "This coupon is over"),
    "coupon_early": ("まだ使えません", "Not valid yet"),
    "do_get": ("クーポンを受け取る", "Get the coupon"),
    "do_draw": ("抽選する", "Draw"),
    "do_use": ("使用済みにする", "Use it now"),
    "reward_discount": ("{amount} 割引", "{amount} off"),
    "reward_cashBack": ("{amount} キャッシュバック", "{amount} cash back"),
    "reward_free": ("無料", "Free"),
    "reward_gift": ("プレゼント", "A present"),
    # The wall
    "phones": ("スマートフォン一覧", "Phones"),
    "phones_intro": (
        "メッセージが届くと、その場で画面に表示されます。",
        "Messages show up here the moment they arrive.",
    ),
    "search": ("名前で探す", "Search by name"),
    "find": ("検索", "Search"),
    "everybody": ("全員", "Everybody"),
    "show_state": ("表示する人", "Show"),
    "per_page": ("台数", "Phones a page"),
    "previous": ("前へ", "Previous"),
    "next": ("次へ", "Next"),
    "arrived_count": ("届いた台数", "Reached"),
    "arrived_messages": ("届いた吹き出し", "Bubbles"),
    "clear": ("数え直す", "Start again"),
    "sound": ("着信音", "Sound"),
    "on": ("オン", "on"),
    "off": ("オフ", "off"),
    "nobody": ("まだ誰もいません。", "There is nobody yet."),
    "nobody_hint": (
        "line-emulator serve --friends 10 で起動するか、POST /_emulator/users で作成してください。",
        "Start with line-emulator serve --friends 10, or create people by POST /_emulator/users.",
    ),
    "nobody_found": ("見つかりませんでした。", "Nobody found."),
    "empty_wall": ("メッセージなし", "No messages"),
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
