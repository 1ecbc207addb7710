"""What the pages for customers say, in the four languages of LINE's biggest countries.

The console speaks the two languages of `hiiki.kit.i18n`; a shop's customers are more. The shop
may put words of its own in place of those in `OWN`.
"""

# ruff: noqa: E501 — one sentence a line, in scripts with letters of their own
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LANGUAGES: Mapping[str, str] = {
    "ja": "日本語",
    "en": "English",
    "zh-TW": "繁體中文",
    "th": "ไทย",
}
OWN = ("title", "lead", "number", "number_hint", "done", "card_title", "card_text", "card_button")
"""What a shop may say in its own words."""

_ORDER = tuple(LANGUAGES)
_PHRASES: Mapping[str, tuple[str, str, str, str]] = {
    "title": (
        "会員情報を連携する",
        "Link your membership",
        "連結會員資料",
        "เชื่อมต่อข้อมูลสมาชิก",
    ),
    "lead": (
        "会員情報とLINEを連携すると、お買い物に合ったお知らせや特典がLINEに届きます。",
        "Link your membership with LINE to get news and offers that suit what you buy.",
        "將會員資料與LINE連結後，就能在LINE收到適合您的消息與優惠。",
        "เชื่อมต่อสมาชิกกับ LINE เพื่อรับข่าวสารและสิทธิพิเศษที่เหมาะกับคุณ",
    ),
    "number": ("会員番号", "Membership number", "會員編號", "หมายเลขสมาชิก"),
    "number_hint": (
        "会員証やレシートに書かれている番号です。",
        "It is printed on your member card or receipt.",
        "印在會員卡或收據上的號碼。",
        "พิมพ์อยู่บนบัตรสมาชิกหรือใบเสร็จของคุณ",
    ),
    "done": (
        "連携が完了しました。ありがとうございます。",
        "You are linked. Thank you!",
        "連結完成，謝謝您。",
        "เชื่อมต่อเรียบร้อยแล้ว ขอบคุณค่ะ",
    ),
    "card_title": (
        "会員情報とLINEを連携しませんか",
        "Link your membership with LINE",
        "將會員資料與LINE連結",
        "เชื่อมต่อสมาชิกกับ LINE",
    ),
    "card_text": (
        "1分で終わります。あなたに合ったお知らせが届くようになります。いつでも解除できます。",
        "It takes a minute, and you get news that suits you. You can unlink at any time.",
        "只需一分鐘，即可收到適合您的消息，並可隨時解除。",
        "ใช้เวลาเพียงหนึ่งนาที รับข่าวสารที่เหมาะกับคุณ และยกเลิกได้ทุกเมื่อ",
    ),
    "card_button": ("連携する", "Link now", "立即連結", "เชื่อมต่อเลย"),
    "label": ("ID連携", "Account link", "帳號連結", "เชื่อมต่อบัญชี"),
    "email": (
        "登録しているメールアドレス",
        "Your registered e-mail address",
        "您登記的電子郵件",
        "อีเมลที่ลงทะเบียนไว้",
    ),
    "birthday": ("生年月日", "Date of birth", "出生日期", "วันเดือนปีเกิด"),
    "phone": (
        "登録している電話番号",
        "Your registered phone number",
        "您登記的電話號碼",
        "เบอร์โทรศัพท์ที่ลงทะเบียนไว้",
    ),
    "proof_hint": (
        "ご本人であることの確認に使います。",
        "We use it to make sure that it is you.",
        "用於確認是否為您本人。",
        "ใช้เพื่อยืนยันว่าเป็นคุณ",
    ),
    "link": ("連携する", "Link", "連結", "เชื่อมต่อ"),
    "to_site": (
        "ログインして連携する",
        "Log in and link",
        "登入並連結",
        "เข้าสู่ระบบและเชื่อมต่อ",
    ),
    "to_site_note": (
        "{shop}のログイン画面に移動します。10分以内にログインしてください。",
        "This takes you to the log-in page of {shop}. Please log in within ten minutes.",
        "將前往{shop}的登入畫面，請於10分鐘內登入。",
        "คุณจะไปยังหน้าเข้าสู่ระบบของ {shop} กรุณาเข้าสู่ระบบภายใน 10 นาที",
    ),
    "unlink_duty": (
        "連携はいつでもこのページから解除できます。",
        "You can unlink at any time on this page.",
        "您可以隨時在此頁面解除連結。",
        "คุณยกเลิกการเชื่อมต่อได้ทุกเมื่อจากหน้านี้",
    ),
    "fill_in": ("入力してください。", "Please fill this in.", "請填寫。", "กรุณากรอกข้อมูล"),
    "too_long": (
        "{most}文字以内で入力してください。",
        "Please shorten this to {most} characters.",
        "請輸入{most}個字元以內。",
        "กรุณากรอกไม่เกิน {most} ตัวอักษร",
    ),
    "bad_day": (
        "日付を正しく入力してください。",
        "Please enter a date.",
        "請輸入正確的日期。",
        "กรุณากรอกวันที่ให้ถูกต้อง",
    ),
    "wrong": (
        "ご入力の内容が登録と一致しません。番号ともう一つの項目をご確認ください。",
        "This does not match our records. Please check both entries.",
        "輸入的內容與登記資料不符，請確認兩個項目。",
        "ข้อมูลไม่ตรงกับที่ลงทะเบียนไว้ กรุณาตรวจสอบทั้งสองช่อง",
    ),
    "too_many": (
        "何度か一致しなかったため、しばらく受け付けできません。1時間ほどたってから、もう一度お試しください。",
        "There have been too many tries. Please try again in about an hour.",
        "嘗試次數過多，請約一小時後再試。",
        "ลองหลายครั้งเกินไป กรุณาลองใหม่ในอีกประมาณหนึ่งชั่วโมง",
    ),
    "taken": (
        "この会員番号は、別のLINEアカウントと連携されています。先にそちらの連携を解除するか、お店にご連絡ください。",
        "This number is linked with another LINE account. Please unlink it there first, or ask the shop.",
        "此會員編號已與其他LINE帳號連結。請先解除該連結，或與店家聯絡。",
        "หมายเลขนี้เชื่อมต่อกับบัญชี LINE อื่นอยู่ กรุณายกเลิกที่บัญชีนั้นก่อนหรือติดต่อร้าน",
    ),
    "other": (
        "このLINEアカウントは、すでに別の会員番号と連携されています。先に連携を解除してください。",
        "This LINE account is linked with another number. Please unlink it first.",
        "此LINE帳號已與其他會員編號連結，請先解除連結。",
        "บัญชี LINE นี้เชื่อมต่อกับหมายเลขอื่นอยู่ กรุณายกเลิกก่อน",
    ),
    "not_friend": (
        "連携するには、先に友だち追加してください。追加したら、このページに戻ってもう一度お試しください。",
        "Please add us as a friend on LINE first, then come back to this page.",
        "請先將我們加為好友，再回到此頁面重試。",
        "กรุณาเพิ่มเราเป็นเพื่อนใน LINE ก่อน แล้วกลับมาที่หน้านี้อีกครั้ง",
    ),
    "add_friend": ("友だち追加", "Add as a friend", "加入好友", "เพิ่มเพื่อน"),
    "login": ("LINEでログイン", "Log in with LINE", "使用LINE登入", "เข้าสู่ระบบด้วย LINE"),
    "login_note": (
        "LINEアカウントの確認のため、LINEにログインします。パスワードがお店に伝わることはありません。",
        "You log in at LINE so that we know it is your account. The shop never sees your password.",
        "為確認您的LINE帳號，請登入LINE。店家不會得知您的密碼。",
        "เข้าสู่ระบบ LINE เพื่อยืนยันบัญชีของคุณ ร้านจะไม่เห็นรหัสผ่านของคุณ",
    ),
    "from_chat": (
        "LINEのトークに届いたボタンから開いてください。",
        "Please open this page by the button in our LINE chat.",
        "請從LINE聊天室中的按鈕開啟。",
        "กรุณาเปิดจากปุ่มในแชท LINE ของเรา",
    ),
    "denied": (
        "ログインがキャンセルされました。連携するには、もう一度お試しください。",
        "You cancelled the log-in. Please try again to link.",
        "登入已取消。若要連結，請再試一次。",
        "คุณยกเลิกการเข้าสู่ระบบ กรุณาลองอีกครั้งเพื่อเชื่อมต่อ",
    ),
    "login_failed": (
        "LINEにログインできませんでした。もう一度お試しください。",
        "The log-in did not work. Please try again.",
        "無法登入LINE，請再試一次。",
        "เข้าสู่ระบบ LINE ไม่สำเร็จ กรุณาลองอีกครั้ง",
    ),
    "line_down": (
        "ただいまLINEにつながりません。少したってから、もう一度お試しください。",
        "LINE does not answer at present. Please try again in a moment.",
        "目前無法連線至LINE，請稍後再試。",
        "ขณะนี้เชื่อมต่อ LINE ไม่ได้ กรุณาลองใหม่ในอีกสักครู่",
    ),
    "again": ("もう一度試す", "Try again", "再試一次", "ลองอีกครั้ง"),
    "over": (
        "このページは時間が切れました。LINEのボタンから、もう一度開いてください。",
        "This page has been open for too long. Please open it again from LINE.",
        "此頁面已逾時，請從LINE重新開啟。",
        "หน้านี้หมดเวลาแล้ว กรุณาเปิดใหม่จาก LINE",
    ),
    "closed": (
        "ただいま連携を受け付けていません。",
        "Linking is not open at present.",
        "目前不受理連結。",
        "ขณะนี้ยังไม่เปิดให้เชื่อมต่อ",
    ),
    "going": (
        "LINEで確認しています。画面が変わらないときは、下のボタンを押してください。",
        "On to LINE for the last step. If nothing happens, please press the button.",
        "正在前往LINE確認。若畫面沒有變化，請按下方按鈕。",
        "กำลังไปยัง LINE เพื่อยืนยัน หากหน้าจอไม่เปลี่ยน กรุณากดปุ่มด้านล่าง",
    ),
    "go_on": ("LINEへ進む", "Go on to LINE", "前往LINE", "ไปยัง LINE"),
    "linked": ("連携済みです", "You are linked", "已連結", "เชื่อมต่อแล้ว"),
    "linked_as": (
        "会員番号 {number}（{day}から）",
        "Membership number {number}, since {day}",
        "會員編號 {number}（自{day}起）",
        "หมายเลขสมาชิก {number} ตั้งแต่ {day}",
    ),
    "unlink": ("連携を解除する", "Unlink", "解除連結", "ยกเลิกการเชื่อมต่อ"),
    "unlink_word": ("連携解除", "Unlink", "解除連結", "ยกเลิกการเชื่อมต่อ"),
    "manage_login": (
        "連携の確認や解除には、ご本人の確認が必要です。LINEでログインしてください。",
        "To see your link or to take it back, please log in with LINE, so that we know it is you.",
        "若要查看或解除連結，請先登入LINE以確認是您本人。",
        "หากต้องการดูหรือยกเลิกการเชื่อมต่อ กรุณาเข้าสู่ระบบ LINE เพื่อยืนยันว่าเป็นคุณ",
    ),
    "manage_chat": (
        "連携を解除するには、お店とのLINEのトークで「{word}」と送信してください。",
        "To take the link back, please send “{word}” in our LINE chat.",
        "若要解除連結，請在與本店的LINE聊天室中傳送「{word}」。",
        "หากต้องการยกเลิก กรุณาส่งคำว่า “{word}” ในแชท LINE ของเรา",
    ),
    "to_chat": ("トークを開く", "Open the chat", "開啟聊天室", "เปิดแชท"),
    "unlink_ask": (
        "解除すると、これからのお買い物はLINEと結びつかなくなります。これまでの記録は残ります。",
        "After that, what you buy is no longer connected with LINE. What is recorded so far stays.",
        "解除後，今後的購買將不再與LINE連結；既有紀錄會保留。",
        "หลังจากนั้นการซื้อของคุณจะไม่เชื่อมกับ LINE อีก ข้อมูลที่มีอยู่จะยังคงอยู่",
    ),
    "unlinked": (
        "連携を解除しました。",
        "You are no longer linked.",
        "已解除連結。",
        "ยกเลิกการเชื่อมต่อแล้ว",
    ),
    "chat_done": (
        "連携はいつでも次のページから解除できます。\n{url}",
        "You can unlink at any time on this page:\n{url}",
        "您可以隨時在以下頁面解除連結：\n{url}",
        "คุณยกเลิกการเชื่อมต่อได้ทุกเมื่อที่หน้านี้\n{url}",
    ),
    "language": ("言語", "Language", "語言", "ภาษา"),
}


UNLINK_WORDS = frozenset(word.casefold() for word in _PHRASES["unlink_word"])
"""What a friend writes in the chat to unlink, in any of the languages."""


def language_of(wanted: str | None) -> str | None:
    """Return our name of a language that LINE or a browser names ("zh-Hant-TW"), or None."""
    tag = (wanted or "").replace("_", "-").strip().lower()
    if tag.startswith("zh"):
        return "zh-TW" if tag == "zh" or "tw" in tag or "hant" in tag or "hk" in tag else None
    return tag[:2] if tag[:2] in LANGUAGES else None


class Words:
    """The phrases in one language, with the shop's own in their place."""

    def __init__(self, language: str, own: Mapping[str, Any] | None = None) -> None:
        """`own` is `Setting.texts`: language → name → words."""
        self.language = language
        self._at = _ORDER.index(language)
        self._own: Mapping[str, str] = (own or {}).get(language) or {}

    def __call__(self, name: str, **values: str) -> str:
        """Return a phrase, its gaps filled."""
        own = self._own.get(name)
        if own:
            return own
        said = _PHRASES[name][self._at]
        return said.format(**values) if values else said
