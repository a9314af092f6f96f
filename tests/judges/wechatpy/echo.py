"""A callback server as somebody writes it who knows only wechatpy: it repeats texts and pictures, and greets followers.

Settings come from the environment. It prints the address that it listens on, then one line of JSON for each message
that it accepted.
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.replies import ImageReply
from wechatpy.utils import check_signature

TOKEN = os.environ["WECHAT_TOKEN"]
KEY = os.environ.get("ENCODING_AES_KEY", "")
CRYPTO = WeChatCrypto(TOKEN, KEY, os.environ["APP_ID"]) if KEY else None
OLDEST = 300


def authenticate(query):
    check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
    # wechatpy leaves replays to its users.
    if abs(time.time() - int(query["timestamp"])) > OLDEST:
        raise InvalidSignatureException()


def reply_to(message):
    if message.type == "text":
        return create_reply(message.content, message)
    if message.type == "image":
        return ImageReply(message=message, media_id=message.media_id)
    if message.type == "event" and message.event.startswith("subscribe"):
        return create_reply("欢迎", message)
    return None


def answer(query, body):
    authenticate(query)
    if CRYPTO:
        body = CRYPTO.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
    message = parse_message(body)
    line = json.dumps({"type": message.type, "event": getattr(message, "event", None), **message._data})
    # With its end, in one piece: print writes the end by itself, and two threads would share a line.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
    reply = reply_to(message)
    if reply is None:
        return "success"
    xml = reply.render()
    return CRYPTO.encrypt_message(xml, query["nonce"], str(int(time.time()))) if CRYPTO else xml


class Callback(BaseHTTPRequestHandler):
    def do_GET(self):
        self.respond(lambda query: authenticate(query) or query["echostr"])

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.respond(lambda query: answer(query, body))

    def respond(self, work):
        query = dict(parse_qsl(urlsplit(self.path).query))
        try:
            status, text = 200, work(query)
        except (InvalidSignatureException, InvalidAppIdException, KeyError):
            status, text = 403, "forbidden"
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Callback)
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
