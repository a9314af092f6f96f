"""Authlib, as its integrations for frameworks use it: https://github.com/authlib/authlib

Prints the address to log in at, reads the address at which the login ended, prints the claims.
"""

import json
import os
import sys
from urllib.parse import parse_qs, urlsplit

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # this machine has no certificate

from authlib.integrations.base_client import BaseApp, OAuth2Mixin, OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session


class App(OAuth2Mixin, OpenIDMixin, BaseApp):
    client_cls = OAuth2Session


app = App(
    None,
    name="wechat",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile", "code_challenge_method": "S256"},
)
redirect_uri = os.environ["REDIRECT_URI"]

asked = app.create_authorization_url(redirect_uri, nonce="n-1")
print(asked["url"], flush=True)

came = {name: values[0] for name, values in parse_qs(urlsplit(sys.stdin.readline().strip()).query).items()}
assert came["state"] == asked["state"], came
assert came["iss"] == os.environ["ISSUER"], came
token = app.fetch_access_token(redirect_uri=redirect_uri, code=came["code"], code_verifier=asked["code_verifier"])
claims = app.parse_id_token(token, nonce="n-1")
info = app.userinfo(token=token)
assert info["sub"] == claims["sub"], (info, claims)
print(json.dumps({"claims": dict(claims), "idToken": token["id_token"]}), flush=True)
