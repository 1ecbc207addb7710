"""LINE Login v2.1 over HTTP: the authorization request, codes, tokens, ID tokens, friendship."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
import pytest_asyncio

Json = dict[str, Any]

FORM = "application/x-www-form-urlencoded"
CALLBACK = "http://127.0.0.1:8000/callback?key=value"
VERIFIER = "wJKN8qz5t8SSI9lMFhBB6qwNkQBkuPZoCxzRhwLRUo1"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)


class Login:
    """A web app with LINE Login, and the browser of whoever visits it."""

    def __init__(self, line, api, channel: Json) -> None:
        self.line, self.api, self.channel = line, api, channel

    @property
    def id(self) -> str:
        return self.channel["channel_id"]

    @property
    def secret(self) -> str:
        return self.channel["channel_secret"]

    async def set(self, **settings: Any) -> None:
        await self.line.call("PATCH", f"/login/channels/{self.id}", settings)

    def query(self, **more: str | None) -> str:
        asked = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": CALLBACK,
            "state": "12345abcde",
            "scope": "profile openid",
        } | more
        return urlencode({name: value for name, value in asked.items() if value is not None})

    async def visit(self, path: str, cookies: str = "", **headers: str):
        sent = {"Cookie": cookies, "Accept-Language": "en"} | headers
        async with self.api.session.get(
            self.line.url + path, headers=sent, allow_redirects=False
        ) as response:
            return response.status, await response.text(), response.headers

    async def ask(self, cookies: str = "", **more: str | None):
        return await self.visit(f"/oauth2/v2.1/authorize?{self.query(**more)}", cookies)

    async def answer(self, screen: str, name: str, **fields: str):
        """Press the button that stands for `name` on the screen."""
        key = re.search(r'name="underway" value="([^"]+)"', screen)
        assert key, screen
        body = urlencode({"underway": key[1], "answer": name, "lang": "en"} | fields)
        action = re.search(r'method="post" action="([^"]+)"', screen)
        assert action
        async with self.api.session.post(
            self.line.url + action[1],
            data=body,
            headers={"Content-Type": FORM},
            allow_redirects=False,
        ) as response:
            return response.status, await response.text(), response.headers

    async def log_in(self, user: str, **given: Any) -> dict[str, str]:
        """All at once by the control API; the fields that the callback URL gets."""
        more = {
            name: given.pop(name)
            for name in list(given)
            if name not in ("allow", "email", "friend")
        }
        body = {"url": f"https://access.line.me/oauth2/v2.1/authorize?{self.query(**more)}"}
        result = await self.line.call("POST", "/login/authorize", body | {"user": user} | given)
        return fields(result["redirect"])

    async def token(self, code: str, **more: str | None):
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "client_id": self.id,
            "client_secret": self.secret,
        } | more
        body = urlencode({name: value for name, value in asked.items() if value is not None})
        return await self.api.call("POST", "/oauth2/v2.1/token", data=body, Content_Type=FORM)

    async def tokens(self, user: str, **more: Any) -> Json:
        done = await self.token((await self.log_in(user, **more))["code"])
        assert done.status == 200, done.json
        return done.json

    async def get(self, path: str, token: str, method: str = "GET"):
        return await self.api.call(method, path, Authorization=f"Bearer {token}")

    async def post(self, path: str, **given: str):
        return await self.api.call("POST", path, data=urlencode(given), Content_Type=FORM)


def fields(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


@pytest_asyncio.fixture
async def login(line, api) -> Login:
    return Login(line, api, (await line.call("GET", "/login/channels"))["channels"][0])


# The authorization request


async def test_from_login_screen_to_tokens(line, login):
    friend = await line.new_friend(name="山田 花子")
    status, screen, headers = await login.ask(nonce="n-0S6", max_age="600")
    assert status == 200
    assert "山田 花子" in screen
    assert "default-src 'none'" in headers["Content-Security-Policy"]

    following = html.unescape(re.search(r'name="next" value="([^"]+)"', screen)[1])
    async with login.api.session.post(
        f"{line.url}/_emulator/login/choose",
        data={"next": following, "user": friend, "method": "pwd"},
        allow_redirects=False,
    ) as chosen:
        assert chosen.status == 303
        there = chosen.headers["Location"]
        session = chosen.cookies["line_emulator_session"].OutputString().split(";")[0]
    status, screen, _ = await login.visit(there, session)
    assert status == 200
    assert "Main profile info" in screen
    status, _, headers = await login.answer(screen, "allow")
    assert status == 302
    back = headers["Location"]
    assert back.startswith("http://127.0.0.1:8000/callback?key=value&")
    got = fields(back)
    assert got["state"] == "12345abcde"
    assert "friendship_status_changed" not in got

    issued = await login.token(got["code"])
    assert issued.json["expires_in"] == 2_592_000
    assert issued.json["scope"] == "profile openid"
    assert issued.json["token_type"] == "Bearer"
    claims = jwt.decode(
        issued.json["id_token"],
        login.secret,
        algorithms=["HS256"],
        audience=login.id,
        issuer="https://access.line.me",
    )
    assert (claims["sub"], claims["nonce"], claims["name"]) == (friend, "n-0S6", "山田 花子")
    assert claims["amr"] == ["pwd"]
    assert claims["auth_time"] <= claims["iat"] == claims["exp"] - 3600
    assert claims["picture"].startswith(line.url)
    assert "email" not in claims

    # The person is remembered: one click, no consent any more; a ticket serves once.
    status, screen, _ = await login.ask(session)
    assert "Continue as before" in screen
    status, screen, _ = await login.visit(there, session)
    assert status == 200
    assert "Main profile info" not in screen


async def test_a_phone_logs_in_by_itself(line, login):
    friend = await line.new_friend()
    phone = f"line_emulator_person={friend}"
    _, screen, _ = await login.ask(phone)
    await login.answer(screen, "allow")
    status, _, headers = await login.ask(phone)
    assert status == 302
    issued = await login.token(fields(headers["Location"])["code"])
    claims = jwt.decode(issued.json["id_token"], options={"verify_signature": False})
    assert claims["amr"] == ["lineautologin"]
    assert "auth_time" not in claims
    for disabled in ({"disable_auto_login": "true"}, {"prompt": "login"}):
        status, screen, _ = await login.ask(phone, **disabled)
        assert (status, "Who are you?" in screen) == (200, True)
    status, screen, _ = await login.ask(phone, prompt="consent")
    assert "Main profile info" in screen


async def test_prompt_none_shows_nothing(line, login):
    friend = await line.new_friend()
    phone = f"line_emulator_person={friend}.{line.channel['channel_id']}"
    _, _, headers = await login.ask(prompt="none")
    assert fields(headers["Location"])["error"] == "LOGIN_REQUIRED"
    _, _, headers = await login.ask(phone, prompt="none")
    assert fields(headers["Location"])["error"] == "INTERACTION_REQUIRED"
    await login.log_in(friend)
    _, _, headers = await login.ask(phone, prompt="none")
    assert "code" in fields(headers["Location"])
    await login.set(auto_login=False)
    _, _, headers = await login.ask(phone, prompt="none")
    assert fields(headers["Location"])["error"] == "LOGIN_REQUIRED"


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"response_type": "token"}, "UNSUPPORTED_RESPONSE_TYPE"),
        ({"response_type": None}, "INVALID_REQUEST"),
        ({"state": None}, "INVALID_REQUEST"),
        ({"scope": None}, "INVALID_SCOPE"),
        ({"scope": "email"}, "INVALID_SCOPE"),
        ({"scope": "profile email"}, "INVALID_SCOPE"),
        ({"scope": "profile friends"}, "INVALID_SCOPE"),
        ({"prompt": "maybe"}, "INVALID_REQUEST"),
        ({"bot_prompt": "yes"}, "INVALID_REQUEST"),
        ({"max_age": "-1"}, "INVALID_REQUEST"),
        ({"max_age": "x"}, "INVALID_REQUEST"),
        ({"response_mode": "fragment"}, "INVALID_REQUEST"),
        ({"code_challenge": CHALLENGE}, "INVALID_REQUEST"),
        ({"code_challenge": VERIFIER, "code_challenge_method": "plain"}, "INVALID_REQUEST"),
    ],
)
async def test_bad_requests_are_told_to_the_callback_url(login, more, error):
    status, _, headers = await login.ask(**more)
    assert status == 302
    got = fields(headers["Location"])
    assert got["error"] == error
    assert got["error_description"]
    assert got.get("state") == (None if "state" in more else "12345abcde")
    assert "code" not in got


@pytest.mark.parametrize(
    "more",
    [
        {"client_id": "1"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://example.com/callback"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://127.0.0.1:8000/\r\nX: y"},
        {"redirect_uri": "http://[::1"},
        {"redirect_uri": "http://127.0.0.1:8000/#there"},
        {"redirect_uri": "//127.0.0.1/"},
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_not_the_channels(login, more):
    status, screen, headers = await login.ask(**more)
    assert status == 400
    assert "Location" not in headers
    assert "Invalid" in screen


async def test_registered_callback_urls(login):
    await login.set(
        callback_urls=["https://example.com/auth", "myapp://back"], local_callbacks=False
    )
    for good in ("https://example.com/auth", "https://example.com/auth?key=1", "myapp://back"):
        assert (await login.ask(redirect_uri=good))[0] == 200
    for bad in (
        CALLBACK,
        "https://example.com/auth2",
        "https://example.com/",
        "http://example.com/auth",
    ):
        assert (await login.ask(redirect_uri=bad))[0] == 400


async def test_cancelling_is_access_denied(line, login):
    friend = await line.new_friend()
    _, screen, _ = await login.ask(**{"as": friend})
    status, _, headers = await login.answer(screen, "cancel")
    assert status == 302
    assert fields(headers["Location"]) == {
        "key": "value",
        "error": "ACCESS_DENIED",
        "error_description": "The resource owner denied the request.",
        "state": "12345abcde",
    }
    # That screen has had its answer.
    assert (await login.answer(screen, "allow"))[0] == 400
    denied = await login.log_in(friend, allow=False)
    assert denied["error"] == "ACCESS_DENIED"


async def test_screens_wait_ten_minutes(line, login):
    friend = await line.new_friend()
    _, screen, _ = await login.ask(**{"as": friend})
    await line.clock(advance=601)
    status, told, _ = await login.answer(screen, "allow")
    assert (status, "expired" in told) == (400, True)


async def test_response_modes(line, login):
    friend = await line.new_friend()
    await login.log_in(friend)
    phone = f"line_emulator_person={friend}"
    status, screen, _ = await login.ask(phone, response_mode="form_post")
    assert status == 200
    assert 'action="http://127.0.0.1:8000/callback?key=value"' in screen
    assert 'name="state" value="12345abcde"' in screen
    assert re.search(r'name="code" value="\w{20}"', screen)
    for mode in ("jwt", "query.jwt"):
        _, _, headers = await login.ask(phone, response_mode=mode)
        got = fields(headers["Location"])
        assert set(got) == {"key", "response"}
        claims = jwt.decode(got["response"], login.secret, ["HS256"], audience=login.id)
        assert (await login.token(claims["code"])).status == 200
        assert claims["state"] == "12345abcde"
    _, screen, _ = await login.ask(phone, response_mode="form_post.jwt")
    assert 'name="response"' in screen
    assert 'name="code"' not in screen


async def test_the_email_can_be_kept_back(line, login):
    friend = await line.new_friend(attributes={"email": "hanako@example.jp"})
    scope = "profile openid email"
    _, screen, _ = await login.ask(scope=scope, **{"as": friend})
    assert "hanako@example.jp" in screen
    _, _, headers = await login.answer(screen, "allow")
    kept = (await login.token(fields(headers["Location"])["code"])).json
    assert "email" not in jwt.decode(kept["id_token"], options={"verify_signature": False})
    _, screen, _ = await login.ask(scope=scope, prompt="consent", **{"as": friend})
    _, _, headers = await login.answer(screen, "allow", email="yes")
    given = (await login.token(fields(headers["Location"])["code"])).json
    claims = jwt.decode(given["id_token"], options={"verify_signature": False})
    assert claims["email"] == "hanako@example.jp"
    assert given["scope"] == "profile openid"
    await login.set(email_permission=False)
    _, _, headers = await login.ask(scope=scope)
    assert fields(headers["Location"])["error"] == "INVALID_SCOPE"


# Adding the account


async def test_bot_prompt_normal_adds_the_friend(line, bot, login):
    stranger = await line.new_stranger()
    _, screen, _ = await login.ask(bot_prompt="normal", **{"as": stranger})
    assert "as a friend" in screen
    assert 'name="friend" value="yes">' in screen
    _, _, headers = await login.answer(screen, "allow", friend="yes")
    got = fields(headers["Location"])
    assert got["friendship_status_changed"] == "true"
    event = (await bot.until(1))[0]
    assert (event["type"], event["source"]["userId"]) == ("follow", stranger)
    token = (await login.token(got["code"])).json["access_token"]
    assert (await login.get("/friendship/v1/status", token)).json == {"friendFlag": True}
    await line.block(stranger)
    assert (await login.get("/friendship/v1/status", token)).json == {"friendFlag": False}
    _, screen, _ = await login.ask(bot_prompt="normal", prompt="consent", **{"as": stranger})
    assert "Unblock" in screen
    _, _, headers = await login.answer(screen, "allow", friend="yes")
    assert fields(headers["Location"])["friendship_status_changed"] == "true"
    assert (await bot.until(3))[2]["follow"] == {"isUnblocked": True}
    _, screen, _ = await login.ask(bot_prompt="normal", prompt="consent", **{"as": stranger})
    assert "is your friend" in screen
    _, _, headers = await login.answer(screen, "allow")
    assert fields(headers["Location"])["friendship_status_changed"] == "false"
    # Without a consent screen nobody was asked.
    _, _, headers = await login.ask(bot_prompt="normal", **{"as": stranger})
    assert "friendship_status_changed" not in fields(headers["Location"])


async def test_bot_prompt_aggressive_has_a_screen_of_its_own(line, bot, login):
    for choice, changed in (("skip", "false"), ("add", "true")):
        stranger = await line.new_stranger()
        _, screen, _ = await login.ask(bot_prompt="aggressive", **{"as": stranger})
        assert 'name="friend"' not in screen
        status, screen, _ = await login.answer(screen, "allow")
        assert (status, "Not now" in screen) == (200, True)
        _, _, headers = await login.answer(screen, choice)
        assert fields(headers["Location"])["friendship_status_changed"] == changed
    assert [event["type"] for event in await bot.until(1)] == ["follow"]


async def test_a_certified_provider_preselects_the_option(line, login):
    await login.set(certified=True)
    stranger = await line.new_stranger()
    _, screen, _ = await login.ask(bot_prompt="normal", **{"as": stranger})
    assert 'name="friend" value="yes" checked>' in screen


async def test_without_a_linked_account_there_is_no_option(line, login):
    await login.set(linked_channel=None)
    stranger = await line.new_stranger()
    _, screen, _ = await login.ask(bot_prompt="normal", **{"as": stranger})
    assert 'name="friend"' not in screen
    token = (await login.tokens(stranger))["access_token"]
    assert (await login.get("/friendship/v1/status", token)).status == 400


# Codes and tokens


@pytest.mark.parametrize(
    ("more", "error", "description"),
    [
        ({"code": "x"}, "invalid_grant", "invalid authorization code"),
        ({"code": None}, "invalid_request", "some parameters missed or invalid"),
        ({"redirect_uri": None}, "invalid_request", "some parameters missed or invalid"),
        ({"redirect_uri": "http://127.0.0.1/"}, "invalid_grant", "redirect_uri does not match"),
        ({"client_id": "1"}, "invalid_client", "invalid client_id"),
        ({"client_secret": "x"}, "invalid_client", "invalid client_secret"),
        ({"client_secret": None}, "invalid_client", "invalid client_secret"),
        ({"grant_type": "password"}, "unsupported_grant_type", "unsupported grant type"),
    ],
)
async def test_codes_that_are_refused(line, login, more, error, description):
    code = (await login.log_in(await line.new_friend()))["code"]
    refused = await login.token(**{"code": code} | more)
    assert refused.status == 400
    assert refused.json == {"error": error, "error_description": description}


async def test_a_code_lives_ten_minutes_and_once(line, login):
    friend = await line.new_friend()
    await line.clock(freeze=True)
    code = (await login.log_in(friend))["code"]
    await line.clock(advance=599)
    assert (await login.token(code)).status == 200
    assert (await login.token(code)).json["error"] == "invalid_grant"
    code = (await login.log_in(friend))["code"]
    await line.clock(advance=600)
    assert (await login.token(code)).json["error"] == "invalid_grant"


async def test_a_code_belongs_to_its_channel(line, login):
    other = Login(line, login.api, await line.call("POST", "/login/channels", {}))
    code = (await login.log_in(await line.new_friend()))["code"]
    assert (await other.token(code)).json["error"] == "invalid_grant"
    assert other.id != login.id


async def test_pkce(line, login):
    friend = await line.new_friend()
    asked = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    code = (await login.log_in(friend, **asked))["code"]
    for wrong in (None, "short", "x" * 43):
        assert (await login.token(code, code_verifier=wrong)).status == 400
    assert (await login.token(code, code_verifier=VERIFIER)).status == 200


async def test_access_tokens_live_thirty_days_and_refresh_tokens_ninety(line, login):
    friend = await line.new_friend()
    await line.clock(freeze=True)
    first = await login.tokens(friend)
    known = {"client_id": login.id, "client_secret": login.secret}
    refreshing = known | {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    await line.clock(advance=30 * 86400)
    assert (await login.get("/v2/profile", first["access_token"])).status == 401
    expired = await login.api.call(
        "GET", f"/oauth2/v2.1/verify?access_token={first['access_token']}"
    )
    assert expired.json["error_description"] == "The access token expired"
    second = await login.post("/oauth2/v2.1/token", **refreshing)
    assert second.json["refresh_token"] == first["refresh_token"]
    assert second.json["access_token"] != first["access_token"]
    assert "id_token" not in second.json
    assert (await login.get("/v2/profile", second.json["access_token"])).status == 200
    without = dict(refreshing, client_secret="")
    assert (await login.post("/oauth2/v2.1/token", **without)).json["error"] == "invalid_client"
    await login.set(web_only=False)
    assert (await login.post("/oauth2/v2.1/token", **without)).status == 200
    # Refreshing does not lengthen the refresh token's life.
    await line.clock(advance=60 * 86400)
    over = await login.post("/oauth2/v2.1/token", **refreshing)
    assert over.status == 400
    assert over.json == {"error": "invalid_grant", "error_description": "invalid refresh token"}


async def test_verify_and_revoke_access_tokens(line, login):
    token = (await login.tokens(await line.new_friend()))["access_token"]

    async def verify(text: str):
        return await login.api.call("GET", f"/oauth2/v2.1/verify?access_token={text}")

    good = await verify(token)
    assert good.json == {
        "scope": "profile openid",
        "client_id": login.id,
        "expires_in": good.json["expires_in"],
    }
    assert 2_591_990 < good.json["expires_in"] <= 2_592_000
    assert (await verify("x")).json["error_description"] == "The access token not JWS"
    assert (await verify("")).status == 400
    known = {"client_id": login.id, "access_token": token}
    assert (await login.post("/oauth2/v2.1/revoke", **known, client_secret="x")).status == 400
    done = await login.post("/oauth2/v2.1/revoke", **known, client_secret=login.secret)
    assert (done.status, done.json) == (200, b"")
    assert (await verify(token)).json["error_description"] == "The access token revoked"
    assert (await login.get("/v2/profile", token)).status == 401


async def test_what_each_scope_opens(line, login):
    friend = await line.new_friend(name="佐藤", status_message="元気です")
    profile = (await login.tokens(friend, scope="profile"))["access_token"]
    openid = await login.tokens(friend, scope="openid")
    assert "name" not in jwt.decode(openid["id_token"], options={"verify_signature": False})
    got = (await login.get("/v2/profile", profile)).json
    assert got == {
        "userId": friend,
        "displayName": "佐藤",
        "pictureUrl": f"{line.url}/_emulator/avatars/{friend}.svg",
        "statusMessage": "元気です",
    }
    for path in ("/v2/profile", "/friendship/v1/status"):
        assert (await login.get(path, openid["access_token"])).status == 403
    for method in ("GET", "POST"):
        answer = await login.get("/oauth2/v2.1/userinfo", openid["access_token"], method)
        assert answer.json == {"sub": friend}
        assert (await login.get("/oauth2/v2.1/userinfo", profile, method)).status == 403
    # A channel access token is no user's token.
    for path in ("/v2/profile", "/friendship/v1/status", "/oauth2/v2.1/userinfo"):
        assert (await login.get(path, line.token)).status == 401
        assert (await login.api.call("GET", path, Authorization="")).status == 401


async def test_id_tokens_verified_by_line(line, login):
    friend = await line.new_friend()
    token = (await login.tokens(friend, nonce="n1"))["id_token"]

    async def verify(**more: str):
        return await login.post(
            "/oauth2/v2.1/verify", **{"id_token": token, "client_id": login.id} | more
        )

    good = await verify(nonce="n1", user_id=friend)
    assert good.status == 200
    assert good.json["sub"] == friend
    assert good.json["aud"] == login.id
    other = (await line.call("POST", "/login/channels", {}))["channel_id"]
    head, _, tail = token.partition(".")
    none = jwt.encode({"aud": login.id}, None, algorithm="none")
    forged = jwt.encode({"iss": "x", "aud": login.id, "exp": 9e9}, login.secret, "HS256")
    for more, description in (
        ({"nonce": "n2"}, "Invalid IdToken Nonce."),
        ({"user_id": "U1"}, "Invalid IdToken Subject Identifier."),
        ({"client_id": other}, "Invalid IdToken Audience."),
        ({"client_id": "1"}, "Invalid IdToken Audience."),
        ({"id_token": "x"}, "Invalid IdToken."),
        ({"id_token": f"{head}x.{tail}"}, "Invalid IdToken."),
        ({"id_token": token[:-3] + "abc"}, "Invalid IdToken."),
        ({"id_token": none}, "Invalid IdToken."),
        ({"id_token": forged}, "Invalid IdToken Issuer."),
    ):
        refused = await verify(**more)
        assert refused.status == 400, more
        assert refused.json == {"error": "invalid_request", "error_description": description}, more
    await line.clock(advance=3600)
    assert (await verify()).json["error_description"] == "IdToken expired."


async def test_es256_by_the_published_keys(line, login):
    friend = await line.new_friend()
    code = (await login.log_in(friend))["code"]
    issued = await login.token(code, id_token_key_type="JWK")
    token = issued.json["id_token"]
    keys = (await login.api.call("GET", "/oauth2/v2.1/certs")).json
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["typ"]) == ("ES256", "JWT")
    key = jwt.PyJWKSet.from_dict(keys)[header["kid"]]
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=login.id)
    assert claims["sub"] == friend
    assert "d" not in keys["keys"][0]
    checked = await login.post("/oauth2/v2.1/verify", id_token=token, client_id=login.id)
    assert checked.json["sub"] == friend
    await line.reset()
    assert (await login.api.call("GET", "/oauth2/v2.1/certs")).json == keys


async def test_the_configuration_document_leads_to_what_is_served(line, login):
    document = (await login.api.call("GET", "/.well-known/openid-configuration")).json
    assert document["issuer"] == "https://access.line.me"
    served = await line.operations()
    for name in ("authorization_endpoint", "userinfo_endpoint", "jwks_uri"):
        assert "GET " + document[name].removeprefix(line.url) in served
    for name in ("token_endpoint", "revocation_endpoint"):
        assert "POST " + document[name].removeprefix(line.url) in served


async def test_deauthorize(line, login):
    friend = await line.new_friend()
    tokens = await login.tokens(friend)
    stateless = await login.post(
        "/oauth2/v3/token",
        grant_type="client_credentials",
        client_id=login.id,
        client_secret=login.secret,
    )
    bearer = f"Bearer {stateless.json['access_token']}"
    body = {"userAccessToken": tokens["access_token"]}

    async def deauthorize(given: Any, authorization: str = bearer):
        return await login.api.call(
            "POST", "/user/v1/deauthorize", given, Authorization=authorization
        )

    assert (await deauthorize(body, f"Bearer {line.token}")).status == 403
    assert (await deauthorize(body, "Bearer x")).status == 401
    assert (await deauthorize({})).json["details"][0]["property"] == "userAccessToken"
    done = await deauthorize(body)
    assert (done.status, done.json) == (204, b"")
    assert (await deauthorize(body)).json == {"message": "invalid token"}
    assert (await login.get("/v2/profile", tokens["access_token"])).status == 401
    refreshed = await login.post(
        "/oauth2/v2.1/token",
        grant_type="refresh_token",
        refresh_token=tokens["refresh_token"],
        client_id=login.id,
        client_secret=login.secret,
    )
    assert refreshed.json["error"] == "invalid_grant"
    _, screen, _ = await login.ask(**{"as": friend})
    assert "Main profile info" in screen


async def test_a_person_takes_back_what_they_granted(line, login):
    friend = await line.new_friend()
    token = (await login.tokens(friend))["access_token"]
    channel = (await line.call("GET", "/login/channels"))["channels"][0]
    assert channel["grants"] == {friend: ["openid", "profile"]}
    await line.call("DELETE", f"/login/channels/{login.id}/grants/{friend}")
    assert (await login.get("/v2/profile", token)).status == 401


async def test_whatever_comes_the_pages_stand(line, login):
    friend = await line.new_friend()
    odd = ["\ud800", "\x00", "<script>", "é" * 600, "%ff%fe", "a" * 6000, "U" + "0" * 32, "-1"]
    for name in ("redirect_uri", "state", "scope", "nonce", "max_age", "ui_locales", "as", "q",
                 "login_ticket", "client_id", "response_mode", "bot_prompt"):  # fmt: skip
        for value in odd:
            query = login.query(**{name: value.encode("utf-8", "surrogatepass")})
            status, screen, _ = await login.visit(f"/oauth2/v2.1/authorize?{query}")
            assert status in (200, 302, 400), (name, value)
            assert "<script>" not in screen
    cookies = (
        "line_emulator_person=",
        "line_emulator_person=" + friend + "...",
        "=;;==",
        'a=é; "; b',
    )
    for cookie in cookies:
        assert (await login.visit(f"/oauth2/v2.1/authorize?{login.query()}", cookie))[0] == 200
    for path in ("choose", "consent", "friend"):
        for data in (b"", b"\xff\xfe", b"underway=x&answer=allow", b"a=b&" * 50_000,
                     b"next=//evil.example&user=" + friend.encode()):  # fmt: skip
            async with login.api.session.post(
                f"{line.url}/_emulator/login/{path}",
                data=data,
                headers={"Content-Type": FORM},
                allow_redirects=False,
            ) as response:
                assert response.status == 400
    for path in ("/oauth2/v2.1/token", "/oauth2/v2.1/verify", "/oauth2/v2.1/revoke"):
        for data in (b"\xff", b"grant_type=authorization_code&code=\xed\xa0\x80", b"&" * 9000):
            answer = await login.api.call("POST", path, data=data, Content_Type=FORM)
            assert answer.status == 400


async def test_reset_keeps_the_login_channel_and_forgets_the_rest(line, login):
    token = (await login.tokens(await line.new_friend()))["access_token"]
    await line.reset()
    after = (await line.call("GET", "/login/channels"))["channels"]
    assert [(one["channel_id"], one["channel_secret"]) for one in after] == [
        (login.id, login.secret)
    ]
    assert after[0]["grants"] == {}
    assert (await login.get("/v2/profile", token)).status == 401


async def test_an_issuer_of_ones_own_for_libraries_that_insist_on_it(line, login):
    await login.set(issuer=line.url)
    document = (await login.api.call("GET", "/.well-known/openid-configuration")).json
    token = (await login.tokens(await line.new_friend()))["id_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["iss"] == document["issuer"] == line.url
    checked = await login.post("/oauth2/v2.1/verify", id_token=token, client_id=login.id)
    assert checked.status == 200


@pytest.mark.parametrize(
    "settings",
    [{"linked_channel": "1"}, {"callback_urls": "x"}, {"callback_urls": [1]}, {"web_only": 1},
     {"issuer": ""}, {"grants": {}}, {"id": "1"}],
)  # fmt: skip
async def test_settings_that_no_login_channel_has(login, settings):
    path = f"/_emulator/login/channels/{login.id}"
    assert (await login.api.call("PATCH", path, {"name": "x"} | settings)).status == 400
    assert (await login.api.call("POST", "/_emulator/login/channels", settings)).status == 400
    channels = (await login.line.call("GET", "/login/channels"))["channels"]
    assert [one["name"] for one in channels] == [login.channel["name"]]
