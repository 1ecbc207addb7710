"""Channel access tokens of all kinds: assertions, limits, lifetimes, errors."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from linebot.v3.oauth import ApiClient, ChannelAccessToken, Configuration

Json = dict[str, Any]

FORM = "application/x-www-form-urlencoded"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PRIVATE = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
NO_KEY = {"message": "Cannot find channel key that satisfies the conditions"}


def public(key: rsa.RSAPrivateKey = PRIVATE, **more: Any) -> Json:
    made = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    return {name: made[name] for name in ("kty", "n", "e")} | {"alg": "RS256", "use": "sig"} | more


async def registered(line, channel: str | None = None) -> str:
    channel = channel or line.channel["channel_id"]
    return (await line.call("POST", f"/channels/{channel}/assertion-keys", public()))["kid"]


async def assertion(
    line, kid: str, *, key: Any = PRIVATE, header: Json | None = None, **claims: Any
):
    now = (await line.call("GET", "/clock"))["now"]
    channel = line.channel["channel_id"]
    body = {
        "iss": channel,
        "sub": channel,
        "aud": "https://api.line.me/",
        "exp": int(now) + 1800,
        "token_exp": 86400,
    } | claims
    body = {name: value for name, value in body.items() if value is not None}
    return jwt.encode(body, key, algorithm="RS256", headers={"kid": kid} | (header or {}))


async def ask(api, path: str, **fields: str):
    return await api.call("POST", path, data=urlencode(fields), Content_Type=FORM)


async def issue(api, line, kid: str, path: str = "/oauth2/v2.1/token", **claims: Any):
    text = await assertion(line, kid, **claims)
    return await ask(
        api,
        path,
        grant_type="client_credentials",
        client_assertion_type=TYPE,
        client_assertion=text,
    )


async def test_a_token_by_assertion_opens_the_api_as_long_as_was_asked_for(line, api):
    kid = await registered(line)
    issued = await issue(api, line, kid, token_exp=3600)
    assert issued.status == 200
    assert issued.json["expires_in"] == 3600
    assert issued.json["token_type"] == "Bearer"
    token = issued.json["access_token"]
    assert len(token.split(".")) == 3

    verified = await api.call("GET", f"/oauth2/v2.1/verify?access_token={token}")
    assert verified.json["client_id"] == line.channel["channel_id"]
    assert 3595 <= verified.json["expires_in"] <= 3600
    assert "scope" in verified.json

    text = await assertion(line, kid)
    query = urlencode({"client_assertion_type": TYPE, "client_assertion": text})
    listed = await api.call("GET", f"/oauth2/v2.1/tokens/kid?{query}")
    assert listed.json == {"kids": [issued.json["key_id"]]}

    api.token = token
    assert (await api.call("GET", "/v2/bot/info")).status == 200
    await line.clock(advance=3601)
    assert (await api.call("GET", "/v2/bot/info")).status == 401
    verified = await api.call("GET", f"/oauth2/v2.1/verify?access_token={token}")
    assert verified.status == 400
    assert verified.json == {
        "error": "invalid_request",
        "error_description": "The access token expired",
    }
    text = await assertion(line, kid)
    query = urlencode({"client_assertion_type": TYPE, "client_assertion": text})
    assert (await api.call("GET", f"/oauth2/v2.1/tokens/kid?{query}")).json == {"kids": []}


@pytest.mark.parametrize(
    ("claims", "description"),
    [
        ({"iss": "1"}, "iss and clientId of key do not match"),
        ({"sub": "1"}, "Invalid sub"),
        ({"aud": "https://api.line.me"}, "Invalid aud"),
        ({"exp": 1}, "Invalid exp"),
        ({"exp": None}, "Invalid exp"),
        ({"exp": 99999999999}, "Invalid exp"),
        ({"exp": True}, "Invalid exp"),
        ({"exp": {}}, "Invalid exp"),
        ({"token_exp": 30 * 86400 + 1}, "Invalid token_exp"),
        ({"token_exp": 0}, "Invalid token_exp"),
        ({"token_exp": None}, "Invalid token_exp"),
        ({"key": OTHER}, "Invalid signature"),
    ],
)
async def test_assertions_that_do_not_hold(line, api, claims, description):
    answer = await issue(api, line, await registered(line), **claims)
    assert answer.status == 400
    assert answer.json == {"error": "invalid_client", "error_description": description}


async def test_assertions_of_another_making(line, api):
    kid = await registered(line)
    unknown = await issue(api, line, "nobody")
    assert (unknown.status, unknown.json) == (404, NO_KEY)
    channel = line.channel["channel_id"]
    secret = jwt.encode({"iss": channel}, "x" * 32, algorithm="HS256", headers={"kid": kid})
    none = jwt.encode({"iss": channel}, None, algorithm="none", headers={"kid": kid})
    deep = "eyJhbGciOiJSUzI1NiJ9." + "W1tb" * 4000 + ".AAAA"
    for text in (secret, none, "x", "a.b.c", "..", deep, "é", "x" * 100_000):
        answer = await ask(
            api,
            "/oauth2/v2.1/token",
            grant_type="client_credentials",
            client_assertion_type=TYPE,
            client_assertion=text,
        )
        assert answer.status in (400, 404), text[:20]
    await line.call("DELETE", f"/channels/{channel}/assertion-keys/{kid}")
    assert (await issue(api, line, kid)).json == NO_KEY


async def test_thirty_tokens_and_no_more_until_one_expires_or_is_revoked(line, api):
    kid = await registered(line)
    tokens = [
        (await issue(api, line, kid, token_exp=60 if n == 0 else 900)).json["access_token"]
        for n in range(30)
    ]
    refused = await issue(api, line, kid)
    assert refused.status == 400
    assert refused.json == {
        "message": "The maximum number of access tokens has already been issued"
    }
    await line.clock(advance=61)
    assert (await issue(api, line, kid)).status == 200
    assert (await issue(api, line, kid)).status == 400
    known = {
        "client_id": line.channel["channel_id"],
        "client_secret": line.secret,
        "access_token": tokens[5],
    }
    revoked = await ask(api, "/oauth2/v2.1/revoke", **known)
    assert (revoked.status, revoked.json) == (200, b"")
    assert (await issue(api, line, kid)).status == 200
    api.token = tokens[5]
    assert (await api.call("GET", "/v2/bot/info")).status == 401


async def test_revoking_asks_for_the_secret_and_a_token_in_form(line, api):
    kid = await registered(line)
    token = (await issue(api, line, kid)).json["access_token"]
    known = {"client_id": line.channel["channel_id"], "access_token": token}
    wrong = await ask(api, "/oauth2/v2.1/revoke", **known, client_secret="x")
    assert wrong.json == {"error": "invalid_client", "error_description": "invalid client_secret"}
    formless = await ask(
        api, "/oauth2/v2.1/revoke", **known | {"access_token": "x"}, client_secret=line.secret
    )
    assert formless.json["error_description"] == "The access token not JWS"
    unknown = await ask(
        api, "/oauth2/v2.1/revoke", **known | {"access_token": "a.b.c"}, client_secret=line.secret
    )
    assert unknown.status == 200
    api.token = token
    assert (await api.call("GET", "/v2/bot/info")).status == 200


async def test_stateless_tokens_by_assertion_live_a_quarter_of_an_hour_and_cannot_be_revoked(
    line, api
):
    kid = await registered(line)
    issued = await issue(api, line, kid, "/oauth2/v3/token", token_exp=None)
    assert issued.json["expires_in"] == 900
    assert "key_id" not in issued.json
    token = issued.json["access_token"]
    known = {"client_id": line.channel["channel_id"], "client_secret": line.secret}
    await ask(api, "/oauth2/v2.1/revoke", **known, access_token=token)
    await ask(api, "/v2/oauth/revoke", access_token=token)
    api.token = token
    assert (await api.call("GET", "/v2/bot/info")).status == 200
    await line.clock(advance=900)
    assert (await api.call("GET", "/v2/bot/info")).status == 401
    missing = await issue(api, line, "nobody", "/oauth2/v3/token")
    assert (missing.status, missing.json) == (404, NO_KEY)


@pytest.mark.parametrize(
    "key",
    [
        public(kid="mine"),
        public(alg="RS512"),
        public(use="enc"),
        public(rsa.generate_private_key(65537, 1024)),
        json.loads(RSAAlgorithm.to_jwk(PRIVATE)) | {"alg": "RS256", "use": "sig"},
        public(n="???"),
        public(n=7),
        public(key_ops=["sign"]),
        {"kty": "EC"},
        {},
    ],
)
async def test_keys_that_the_console_would_not_register(line, api, key):
    path = f"/_emulator/channels/{line.channel['channel_id']}/assertion-keys"
    assert (await api.call("POST", path, key)).status == 400
    assert (await api.call("GET", path)).json == {"keys": []}


async def test_login_channels_have_channel_access_tokens_too(line, api):
    login = (await line.call("GET", "/login/channels"))["channels"][0]
    kid = await registered(line, login["channel_id"])
    issued = await issue(api, line, kid, iss=login["channel_id"], sub=login["channel_id"])
    assert issued.status == 200
    verified = await api.call(
        "GET", f"/oauth2/v2.1/verify?access_token={issued.json['access_token']}"
    )
    assert verified.json["client_id"] == login["channel_id"]
    # It opens what belongs to the login channel, and nothing of the Messaging API.
    api.token = issued.json["access_token"]
    assert (await api.call("GET", "/v2/bot/info")).status == 401
    crossed = await issue(api, line, kid)
    assert crossed.json["error_description"] == "iss and clientId of key do not match"


async def test_the_sdk_drives_every_token_operation(line):
    kid = await registered(line)
    text = await assertion(line, kid)
    with ApiClient(Configuration(host=line.url)) as client:
        sdk = ChannelAccessToken(client)
        channel = line.channel["channel_id"]
        v21 = sdk.issue_channel_token_by_jwt("client_credentials", TYPE, text)
        assert sdk.gets_all_valid_channel_access_token_key_ids(TYPE, text).kids == [v21.key_id]
        assert sdk.verify_channel_token_by_jwt(v21.access_token).client_id == channel
        sdk.revoke_channel_token_by_jwt(channel, line.secret, v21.access_token)
        short = sdk.issue_channel_token("client_credentials", channel, line.secret)
        assert sdk.verify_channel_token(short.access_token).scope == "P CM"
        sdk.revoke_channel_token(short.access_token)
        stateless = sdk.issue_stateless_channel_token(
            "client_credentials", client_id=channel, client_secret=line.secret
        )
        assert stateless.expires_in == 900
