"""An independent judge: wechatpy plays WeChat's side of the wire against the running Worker.

wx-sim shares its protocol code with the Worker, so a mistake could cancel out between the two. wechatpy does not.
Settings come from the environment; prints one line for each thing that it found to be
right, and `done` after the last.
"""

import os
import time
import urllib.request
import xml.sax.saxutils as saxutils

import xmltodict
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import WeChatSigner

URL = os.environ["WORKER_URL"]
TOKEN = os.environ["WECHAT_TOKEN"]
KEY = os.environ.get("ENCODING_AES_KEY", "")
APP_ID = os.environ.get("APP_ID", "")
ACCOUNT = "gh_d3e07d51b513"
PERSON = "oPKu7jgOibOA-De4u8J2RuNKpZRw"


def call(query, body=None):
    data = body.encode() if body is not None else None
    with urllib.request.urlopen(f"{URL}?{query}", data=data, timeout=20) as response:
        return response.read().decode()


def signed(timestamp, nonce):
    signer = WeChatSigner()
    signer.add_data(TOKEN, timestamp, nonce)
    return f"signature={signer.signature}&timestamp={timestamp}&nonce={nonce}"


def send(number, elements):
    """Delivers a document as WeChat would; returns the plain reply."""
    now = str(int(time.time()))
    document = (
        f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName>\n"
        f"<FromUserName><![CDATA[{PERSON}]]></FromUserName>\n<CreateTime>{now}</CreateTime>\n"
        f"{elements}\n<MsgId>{number}</MsgId>\n</xml>"
    )
    if not KEY:
        return call(signed(now, "1320562132"), document)
    crypto = WeChatCrypto(TOKEN, KEY, APP_ID)
    envelope = parse_envelope(crypto.encrypt_message(document, "1320562132", now))
    query = f"{signed(now, '1320562132')}&encrypt_type=aes&msg_signature={envelope['MsgSignature']}"
    body = f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName><Encrypt><![CDATA[{envelope['Encrypt']}]]></Encrypt></xml>"
    answer = call(query, body)
    if answer in ("", "success"):
        return answer
    sealed = parse_envelope(answer)
    return crypto.decrypt_message(answer, sealed["MsgSignature"], sealed["TimeStamp"], sealed["Nonce"])


def parse_envelope(text):
    return xmltodict.parse(text)["xml"]


def expect(condition, what):
    if not condition:
        raise SystemExit(f"wechatpy disagrees: {what}")
    print("ok", what)


def text_reply(number, elements):
    reply = send(number, elements)
    message = parse_message(reply)
    expect(message.type == "text", f"message {number} is answered by text")
    expect((message.target, message.source) == (PERSON, ACCOUNT), f"the reply to {number} goes the other way")
    return message.content


now = str(int(time.time()))
expect(call(f"{signed(now, '99')}&echostr=4375120948345356249") == "4375120948345356249", "the URL is verified")

awkward = "tags <b> & ]]> quotes \" and 表情 😀"
answer = text_reply(23456789012345678, f"<MsgType><![CDATA[text]]></MsgType><Content>{saxutils.escape(awkward)}</Content>")
expect(awkward in answer, "every character survives both ways")

voice = "<MsgType><![CDATA[voice]]></MsgType><MediaId><![CDATA[m]]></MediaId><Format><![CDATA[amr]]></Format><Recognition><![CDATA[你好，语音]]></Recognition>"
expect("你好，语音" in text_reply(23456789012345679, voice), "recognised speech is answered")

subscribe = "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[subscribe]]></Event><EventKey><![CDATA[]]></EventKey>"
expect("bizmsgmenu" in text_reply(23456789012345680, subscribe), "a follower is welcomed")

location = "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[LOCATION]]></Event><Latitude>23.1</Latitude><Longitude>113.3</Longitude><Precision>119.4</Precision>"
expect(send(23456789012345681, location) == "success", "an event without a reply is acknowledged")
print("done")
