"""The words of the login, consent and account link pages in Japanese and English."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("ja", "en")

_WORDS: dict[str, tuple[str, str]] = {
    "emulator": ("LINEエミュレーター", "LINE emulator"),
    "log_in": ("ログイン", "Log in"),
    "log_in_to": ("{name} にログイン", "Log in to {name}"),
    "who": (
        "誰としてログインしますか？ 名前を選んでください。",
        "Who are you? Choose a person to log in as.",
    ),
    "again": ("前回と同じ人でログイン", "Continue as before"),
    "others": ("ほかの人", "Other people"),
    "search": ("名前で探す", "Search by name"),
    "find": ("検索", "Search"),
    "more": (
        "ほかに {count} 人います。名前で探してください。",
        "There are {count} more people. Search by name.",
    ),
    "nobody": (
        "まだ誰もいません。POST /_emulator/users で作成してください。",
        "There is nobody yet. Create people by POST /_emulator/users.",
    ),
    "nobody_found": ("見つかりませんでした。", "Nobody found."),
    "method": ("ログイン方法", "Log in with"),
    "pwd": ("メールアドレス", "Email address"),
    "lineqr": ("QRコード", "QR code"),
    "consent": (
        "{name} が次の許可を求めています",
        "{name} asks for these permissions",
    ),
    "as": ("{name} としてログイン中", "Logged in as {name}"),
    "required": ("必須", "Required"),
    "profile": ("プロフィール情報", "Main profile info"),
    "profile_hint": (
        "表示名、プロフィール画像、ステータスメッセージ",
        "Display name, profile image, status message",
    ),
    "openid": ("あなたの内部識別子", "Your internal identifier"),
    "openid_hint": ("このサービスでのユーザーID", "The user ID for this service"),
    "email": ("メールアドレス", "Email address"),
    "chat_message.write": ("トークルームへのメッセージ送信", "Send messages to chats"),
    "chat_hint": (
        "あなたの代わりにメッセージを送信します",
        "Messages are sent on your behalf",
    ),
    "friend_option": ("{name} を友だち追加", "Add {name} as a friend"),
    "unblock_option": ("{name} のブロックを解除", "Unblock {name}"),
    "is_friend": ("{name} は友だちです", "{name} is your friend"),
    "allow": ("許可する", "Allow"),
    "cancel": ("キャンセル", "Cancel"),
    "add_friend": ("友だち追加", "Add friend"),
    "unblock": ("ブロック解除", "Unblock"),
    "add_hint": (
        "友だちになると、お知らせをトークで受け取れます。",
        "As a friend you get its messages in a chat.",
    ),
    "not_now": ("今はしない", "Not now"),
    "going_on": ("移動しています…", "Taking you there…"),
    "go_on": ("続ける", "Continue"),
    "bad_request": ("400 Bad Request", "400 Bad Request"),
    "bad_client": (
        "client_id が正しくありません。LINEログインチャネルのIDは次のとおりです。",
        "Invalid client_id value. The LINE Login channels here have these IDs:",
    ),
    "bad_redirect": (
        "redirect_uri が正しくありません。コールバックURLに登録されているか確認してください。",
        "Invalid redirect_uri value. Check if it is registered as a callback URL of the channel.",
    ),
    "bad_liff": (
        "LIFFアプリが見つかりません。",
        "There is no such LIFF app.",
    ),
    "bad_liff_redirect": (
        "redirectUri はエンドポイントURLで始まる必要があります。",
        "redirectUri must start with the endpoint URL.",
    ),
    "over": (
        "この画面の有効期限が切れました。もう一度はじめからお試しください。",
        "This screen has expired. Start again.",
    ),
    "not_opened": (
        "許可しなかったので、アプリは開きませんでした。",
        "The app was not opened, as the permissions were not granted.",
    ),
    "cancelled": ("キャンセルしました", "Cancelled"),
    "picker": ("送信先を選ぶ", "Send to"),
    "picker_hint": (
        "選んだ人に、あなたからのメッセージとして送られます。",
        "The people you choose get it as a message from you.",
    ),
    "send": ("送信", "Send"),
    "scan": ("コードを読み取る", "Scan a code"),
    "scan_hint": (
        "カメラの代わりに、読み取った文字列を入力してください。",
        "There is no camera here: enter what the code says.",
    ),
    "scanned": ("コードの内容", "What the code says"),
    "close": ("閉じる", "Close"),
    "link_title": ("アカウント連携", "Account link"),
    "linked": ("アカウントを連携しました。", "The accounts are linked."),
    "link_failed": (
        "アカウントを連携できませんでした。リンクトークンは別の人に発行されたものです。",
        "The accounts could not be linked: the link token was issued for somebody else.",
    ),
    "link_invalid": (
        "リンクトークンが無効です。期限が切れたか、すでに使われています。",
        "The link token is invalid: it has expired or was used before.",
    ),
    "link_nonce": (
        "nonce は10文字以上255文字以下で指定してください。",
        "The nonce must be 10 to 255 characters long.",
    ),
    "back": ("トークに戻る", "Back to the chat"),
}


def word(key: str, lang: str, **values: object) -> str:
    """The words in Japanese or English, with values put in."""
    text = _WORDS[key][0 if lang == "ja" else 1]
    return text.format(**values) if values else text


def language(query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """`ui_locales` or `lang`, else what the browser prefers, else Japanese."""
    wanted = [*query.get("ui_locales", "").split()[:20], query.get("lang", "")]
    wanted += headers.get("Accept-Language", "").split(",")[:20]
    for part in wanted:
        tag = part.split(";")[0].strip().lower()[:2]
        if tag in LANGUAGES:
            return tag
    return "ja"
