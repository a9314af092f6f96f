"""wechatpy's client against wx-sim: `python client.py AREA`, one of the functions at the end.

wechatpy itself is as it comes from PyPI. Only connections to WeChat's hosts end at SIM_URL, those to its API at API_URL
if there is one: a proxy before wx-sim, where APP_ID and APP_SECRET are those of the proxy's client. With INVALIDATE, the
account's token dies whenever something happens at wx-sim. The account's settings come from the environment; prints one
line for each thing that was as wechatpy expects it, and `done` after the last.
"""

import io
import os
import sys
from urllib.parse import parse_qs, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter

SIM = urlsplit(os.environ["SIM_URL"])
API = urlsplit(os.environ.get("API_URL", os.environ["SIM_URL"]))
PROXIED = API != SIM
WECHAT = {"https://api.weixin.qq.com/": API, "https://mp.weixin.qq.com/": SIM, "https://open.weixin.qq.com/": SIM}


class Detour(HTTPAdapter):
    def __init__(self, end):
        super().__init__()
        self.end = end

    def send(self, request, **options):
        request.url = urlunsplit(urlsplit(request.url)._replace(scheme=self.end.scheme, netloc=self.end.netloc))
        return super().send(request, **options)


def with_detour(self, original=requests.Session.__init__):
    original(self)
    for host, end in WECHAT.items():
        self.mount(host, Detour(end))


requests.Session.__init__ = with_detour

from wechatpy import WeChatClient  # noqa: E402
from wechatpy.exceptions import WeChatClientException, WeChatOAuthException  # noqa: E402
from wechatpy.oauth import WeChatOAuth  # noqa: E402

APP_ID = os.environ["APP_ID"]
SECRET = os.environ["APP_SECRET"]
client = WeChatClient(APP_ID, SECRET)

FILES = os.path.join(os.path.dirname(__file__), "..", "files")


def file(name):
    with open(os.path.join(FILES, name), "rb") as opened:
        data = io.BytesIO(opened.read())
    data.name = name
    return data


def expect(condition, what):
    if not condition:
        raise SystemExit(f"wechatpy disagrees: {what}")
    print("ok", what)


def refused(errcode, what, call, *args, **options):
    try:
        answer = call(*args, **options)
    except (WeChatClientException, WeChatOAuthException) as error:
        expect(error.errcode == errcode, f"{what}: {errcode} (it was {error.errcode} {error.errmsg})")
    else:
        expect(False, f"{what}: {errcode} (it was {answer})")


def sim(path, **body):
    response = requests.post(f"{SIM.geturl().rstrip('/')}/_sim/{path}", json=body)
    if not response.ok:
        raise SystemExit(f"/_sim/{path} {body}: {response.text}")
    if "INVALIDATE" in os.environ and path != "token":
        sim("token", invalidate=True)
    return response.json()


def does(name, **what):
    """Somebody does something; returns their openid."""
    return sim("send", **{"as": name}, **what)["openid"]


def follows(name):
    return does(name, event={"type": "subscribe"})


def received(name, after=0, count=1):
    query = {"as": name, "after": after, "count": count, "wait_ms": 10_000}
    return requests.get(f"{SIM.geturl().rstrip('/')}/_sim/inbox", params=query).json()["messages"]


def token():
    first = client.access_token
    expect(first and client.access_token == first, "a token, which is kept")
    expect(client.misc.get_wechat_ips(), "the token is good for a call")
    sim("token", invalidate=True)
    expect(client.misc.get_wechat_ips(), "an invalid token is replaced, and the call repeated")
    second = client.access_token
    expect((second == first) == PROXIED, "the token is another one, unless it is the proxy's own")
    sim("clock", advance_s=7201)
    expect(client.misc.get_wechat_ips() and (client.access_token == second) == PROXIED, "so it is after 42001")
    refused(40125, "a wrong secret", WeChatClient(APP_ID, "0" * 32).fetch_access_token)
    refused(40013, "a wrong AppID", WeChatClient("wx0000000000000000", SECRET).fetch_access_token)
    sim("account", type="personal")
    refused(48001, "an unverified account has no menu API", client.menu.create, {"button": []})


MENU = {
    "button": [
        {"type": "click", "name": "今日歌曲", "key": "V1001_TODAY_MUSIC"},
        {
            "name": "菜单",
            "sub_button": [
                {"type": "view", "name": "搜索", "url": "http://www.soso.com/"},
                {"type": "miniprogram", "name": "小程序", "url": "http://mp.weixin.qq.com", "appid": "wx286b93c14bbf93aa", "pagepath": "pages/lunar/index"},
                {"type": "scancode_waitmsg", "name": "扫码", "key": "rselfmenu_0_0"},
            ],
        },
    ]
}


def names(buttons):
    return [(button["name"], names(button.get("sub_button", []))) for button in buttons]


def menu():
    expect(client.menu.get() is None, "no menu at first")
    expect(client.menu.create(MENU)["errcode"] == 0, "a menu is made")
    got = client.menu.get()["menu"]["button"]
    expect(names(got) == names(MENU["button"]), f"it is the one that was made: {got}")
    expect(got[0]["key"] == "V1001_TODAY_MUSIC" and got[1]["sub_button"][0]["url"], "its keys and addresses are there")
    info = client.menu.get_menu_info()
    expect(info["is_menu_open"] == 1, "the console sees it, too")
    children = info["selfmenu_info"]["button"][1]["sub_button"]["list"]
    expect([child["name"] for child in children] == ["搜索", "小程序", "扫码"], "with its sub-menu")
    follows("小明")
    tagged = client.tag.create("星标")
    client.tag.tag_user(tagged["id"], follows("小红"))
    rule = {**{"button": MENU["button"][:1]}, "matchrule": {"tag_id": str(tagged["id"])}}
    menuid = client.menu.add_conditional(rule)["menuid"]
    expect(menuid, "a conditional menu is made")
    expect(len(client.menu.get()["conditionalmenu"]) == 1, "it is listed")
    expect(names(client.menu.try_match(follows("小红"))["button"]) == names(rule["button"]), "who has the tag sees it")
    expect(len(client.menu.try_match(follows("小明"))["button"]) == 2, "others do not")
    client.menu.del_conditional(menuid)
    expect(len(client.menu.try_match(follows("小红"))["button"]) == 2, "until it is deleted")
    refused(40016, "four buttons", client.menu.create, {"button": MENU["button"][:1] * 4})
    client.menu.delete()
    expect(client.menu.get() is None, "no menu again")


def media():
    for kind, name in [("image", "pixel.png"), ("voice", "silence.amr"), ("video", "film.mp4")]:
        uploaded = client.media.upload(kind, file(name))
        expect(uploaded["type"] == kind and uploaded["media_id"] and int(uploaded["created_at"]), f"{kind} is taken")
        if kind != "video":
            expect(client.media.download(uploaded["media_id"]).content == file(name).read(), f"{kind} comes back, byte by byte")
        else:
            address = client.media.download(uploaded["media_id"])["video_url"]
            expect(requests.get(address).content == file(name).read(), "the film is where video_url says")
    expect(client.media.upload("thumb", file("pixel.jpg"))["thumb_media_id"], "a thumbnail")
    address = client.media.upload_image(file("pixel.png"))
    expect(requests.get(address).content == file("pixel.png").read(), "a picture for articles is where its url says")
    refused(40004, "a kind that is none", client.media.upload, "film", file("pixel.png"))
    refused(40007, "a media_id that nobody has", client.media.download, "nobody")
    old = client.media.upload("image", file("pixel.png"))["media_id"]
    sim("clock", advance_s=3 * 86_400 + 1)
    refused(40007, "after three days", client.media.download, old)


def large():
    picture = file("pixel.png").read()
    picture += os.urandom(10 * 1024 * 1024 - len(picture))
    uploaded = client.media.upload("image", ("large.png", picture))
    expect(client.media.download(uploaded["media_id"]).content == picture, "a picture of 10 MB comes back, byte by byte")


def material():
    added = client.material.add("image", file("pixel.png"))
    expect(added["media_id"] and added["url"], "a picture is kept")
    expect(client.material.get(added["media_id"]).content == file("pixel.png").read(), "it comes back, byte by byte")
    sim("clock", advance_s=30 * 86_400)
    expect(client.material.get(added["media_id"]).content, "also after a month")
    counts = client.material.get_count()
    expect((counts["image_count"], counts["voice_count"], counts["video_count"]) == (1, 0, 0), "it is counted")
    batch = client.material.batchget("image")
    expect((batch["total_count"], batch["item_count"], batch["item"][0]["media_id"]) == (1, 1, added["media_id"]), "it is listed")
    client.material.delete(added["media_id"])
    refused(40007, "what was deleted", client.material.get, added["media_id"])
    expect(client.material.get_count()["image_count"] == 0, "it is gone")


def qrcode():
    def create(action, scene, **more):
        return client.qrcode.create({"action_name": action, "action_info": {"scene": scene}, **more})

    code = create("QR_STR_SCENE", {"scene_str": "lg_8f2c"}, expire_seconds=600)
    expect(code["ticket"] and code["url"] and code["expire_seconds"] == 600, "a code for ten minutes")
    picture = client.qrcode.show(code)
    expect(picture.ok and picture.headers["content-type"].startswith("image/") and picture.content, "it can be seen")
    forever = create("QR_LIMIT_SCENE", {"scene_id": 42})
    expect(forever["ticket"] != code["ticket"] and "expire_seconds" not in forever, "one for ever")
    expect(client.qrcode.show("nobody").status_code == 404, "no picture for a wrong ticket")
    openid = does("小明", event={"type": "subscribe", "key": "lg_8f2c"})
    expect(client.user.get(openid)["qr_scene_str"] == "lg_8f2c", "the account knows by which code somebody came")


def user():
    xiaoming, xiaohong = follows("小明"), follows("小红")
    followers = client.user.get_followers()
    expect((followers["total"], followers["count"]) == (2, 2), "two followers")
    expect(set(followers["data"]["openid"]) == {xiaoming, xiaohong}, "by their openids")
    expect(set(client.user.iter_followers()) == {xiaoming, xiaohong}, "page by page")
    info = client.user.get(xiaoming)
    expect((info["subscribe"], info["openid"]) == (1, xiaoming) and info["subscribe_time"] > 1_600_000_000, "one of them")
    expect(info["remark"] == "" and info["tagid_list"] == [] and info["subscribe_scene"], "no remark, no tags")
    client.user.update_remark(xiaoming, "老客户")
    expect(client.user.get(xiaoming)["remark"] == "老客户", "a remark")
    both = client.user.get_batch([xiaoming, xiaohong])
    expect([one["openid"] for one in both] == [xiaoming, xiaohong], "both at once")
    does("小红", event={"type": "unsubscribe"})
    expect(client.user.get(xiaohong)["subscribe"] == 0, "one left")
    expect(client.user.get_followers()["total"] == 1, "one stays")
    refused(40003, "nobody", client.user.get, "o" * 28)


def tag():
    xiaoming, xiaohong = follows("小明"), follows("小红")
    made = client.tag.create("广东")
    expect(made["id"] >= 100 and made["name"] == "广东", "a tag")
    refused(45157, "the same name twice", client.tag.create, "广东")
    client.tag.update(made["id"], "广州")
    expect([one["name"] for one in client.tag.get() if one["id"] == made["id"]] == ["广州"], "another name")
    client.tag.tag_user(made["id"], [xiaoming, xiaohong])
    expect(client.tag.get_user_tag(xiaoming) == [made["id"]], "somebody's tags")
    expect(client.user.get(xiaoming)["tagid_list"] == [made["id"]], "also in what is known of them")
    expect(set(client.tag.iter_tag_users(made["id"])) == {xiaoming, xiaohong}, "who has it")
    expect([one["count"] for one in client.tag.get() if one["id"] == made["id"]] == [2], "how many")
    client.tag.untag_user(made["id"], xiaohong)
    expect(client.tag.get_tag_users(made["id"])["data"]["openid"] == [xiaoming], "one fewer")
    client.tag.delete(made["id"])
    expect(client.tag.get_user_tag(xiaoming) == [], "gone with its people")
    refused(45058, "a tag of the system", client.tag.delete, 1)


def blacklist():
    xiaoming, xiaohong = follows("小明"), follows("小红")
    expect(client.tag.get_black_list()["total"] == 0, "nobody at first")
    client.tag.batch_black_list([xiaoming])
    listed = client.tag.get_black_list()
    expect((listed["total"], listed["data"]["openid"]) == (1, [xiaoming]), "one is on it")
    client.tag.batch_unblack_list([xiaoming])
    expect(client.tag.get_black_list()["total"] == 0, "and off again")
    refused(49003, "who is none of ours", client.tag.batch_black_list, ["o" * 28])


def mass():
    people = [follows("小明"), follows("小红")]
    for audience in ["openids", "all"]:
        options = {"is_to_all": True} if audience == "all" else {}
        sent = client.message.send_mass_text(people if audience == "openids" else None, f"大家好 {audience}", **options)
        expect(sent["errcode"] == 0 and sent["msg_id"], f"a text to {audience}")
        expect(client.message.get_mass(sent["msg_id"])["msg_status"] in ["SENDING", "SEND_SUCCESS"], "on its way")
        texts = [str(one["body"]) for one in received("小红", after=0 if audience == "openids" else 1)]
        expect(any(f"大家好 {audience}" in text for text in texts), "it arrived")
        print("mass", sent["msg_id"])
    picture = client.media.upload("image", file("pixel.png"))["media_id"]
    expect(client.message.send_mass_image(people, picture)["msg_id"], "a picture")
    expect(client.message.send_mass_text(people[0], "预览", preview=True)["errcode"] == 0, "a preview")
    first = client.message.send_mass_text(people, "一次", client_msg_id="judge-1")
    expect(first["msg_id"], "one with an id of its own")
    refused(45065, "the same id again", client.message.send_mass_text, people, "一次", client_msg_id="judge-1")
    sim("account", type="subscription")
    refused(48001, "only service accounts send to openids", client.message.send_mass_text, people, "不行")


def custom():
    xiaoming = follows("小明")
    sim("clock", advance_s=61)
    refused(45015, "a minute after following", client.message.send_text, xiaoming, "你好")
    does("小明", text="在吗")
    picture = client.media.upload("image", file("pixel.png"))["media_id"]
    voice = client.media.upload("voice", file("silence.amr"))["media_id"]
    film = client.media.upload("video", file("film.mp4"))["media_id"]
    thumb = client.media.upload("thumb", file("pixel.jpg"))["thumb_media_id"]
    article = {"title": "标题", "description": "摘要", "url": "https://example.com/", "image": "https://example.com/a.png"}
    send = client.message
    send.send_text(xiaoming, "<b> & 表情 😀")
    send.send_image(xiaoming, picture)
    send.send_voice(xiaoming, voice)
    send.send_video(xiaoming, film, "片名", "说明")
    send.send_articles(xiaoming, [article])
    refused(45047, "a sixth message", send.send_text, xiaoming, "太多")
    kinds = [one["body"]["msgtype"] for one in received("小明", count=5)]
    expect(kinds == ["text", "image", "voice", "video", "news"], f"all arrived, in order: {kinds}")
    does("小明", text="还在吗")
    send.send_music(xiaoming, "http://example.com/m.mp3", "http://example.com/hq.mp3", thumb, "歌名", "歌手")
    options = [{"id": "101", "content": "满意"}, {"id": "102", "content": "不满意"}]
    send.send_msg_menu(xiaoming, {"head_content": "满意吗", "list": options, "tail_content": "谢谢"})
    page = {"title": "小程序", "appid": "wx286b93c14bbf93aa", "pagepath": "pages/index", "thumb_media_id": thumb}
    send.send_mini_program_page(xiaoming, page)
    refused(45008, "two articles", send.send_articles, xiaoming, [article, article])
    refused(40007, "a picture that nobody has", send.send_image, xiaoming, "nobody")
    refused(40003, "nobody", send.send_text, "o" * 28, "你好")


def template():
    xiaoming, xiaohong = follows("小明"), follows("小红")
    template_id = client.template.add("TM00001")
    listed = client.template.get_all_private_template()["template_list"]
    expect(template_id in [one["template_id"] for one in listed], "a template of the library is ours")
    values = {"first": "你好", "amount": "9.90元", "product": "一杯咖啡", "remark": "再见"}
    fields = {name: {"value": value, "color": "#173177"} for name, value in values.items()}
    sent = client.message.send_template(xiaoming, template_id, fields, url="https://example.com/")
    expect(sent["errcode"] == 0 and sent["msgid"], "it is sent")
    print("template", sent["msgid"])
    refused(47003, "a field too few", client.message.send_template, xiaoming, template_id, {"first": fields["first"]})
    does("小红", event={"type": "unsubscribe"})
    refused(43004, "who does not follow", client.message.send_template, xiaohong, template_id, fields)
    client.template.del_private_template(template_id)
    refused(40037, "what was deleted", client.message.send_template, xiaoming, template_id, fields)


def subscribe():
    xiaoming = follows("小明")
    sim("template", kind="subscribe", template_id="judge", title="发货提醒", content="商品：{{thing1.DATA}}")
    send, fields = client.message.send_subscribe_message, {"thing1": {"value": "一杯咖啡"}}
    refused(43101, "without consent", send, xiaoming, "judge", fields)
    sim("subscribe", **{"as": "小明"}, template_id="judge", accept=True)
    expect(send(xiaoming, "judge", fields)["errcode"] == 0, "one consent is one message")
    refused(43101, "and no more", send, xiaoming, "judge", fields)


def jsapi():
    ticket = client.jsapi.get_jsapi_ticket()
    expect(ticket and client.jsapi.get_jsapi_ticket() == ticket, "a ticket, which is kept")
    answer = client.jsapi.get_ticket()
    expect(answer["errcode"] == 0 and 0 < answer["expires_in"] <= 7200, "for two hours")


def agents():
    client.customservice.add_account("judge1@gh_test", "小美", "a password")
    listed = client.customservice.get_accounts()
    expect([one["kf_nick"] for one in listed] == ["小美"], "an agent")
    client.customservice.update_account("judge1@gh_test", "小丽", "a password")
    expect(client.customservice.get_accounts()[0]["kf_nick"] == "小丽", "another name")
    client.customservice.delete_account("judge1@gh_test")
    expect(client.customservice.get_accounts() == [], "nobody again")


def oauth():
    def visit(scope):
        """Somebody opens the page in WeChat and allows what it asks for; returns the code that it gets."""
        visited = WeChatOAuth(APP_ID, SECRET, "http://127.0.0.1:9/callback", scope, "judge")
        somebody = {"as": "new", "name": "小明", "answer": "allow"}
        answer = requests.post(visited.authorize_url, data=somebody, allow_redirects=False)
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        expect(query["state"] == ["judge"], "the page gets its state back")
        return visited, query["code"][0]

    silent, code = visit("snsapi_base")
    silent.fetch_access_token(code)
    expect(len(silent.open_id) == 28, "who it is")
    refused(40163, "the same code again", silent.fetch_access_token, code)
    refused(48001, "without consent, no more than that", silent.get_user_info)
    asked, code = visit("snsapi_userinfo")
    asked.fetch_access_token(code)
    expect(asked.open_id == silent.open_id, "the same person")
    info = asked.get_user_info()
    expect(info["openid"] == asked.open_id and info["nickname"] and "headimgurl" in info, "with consent, more")
    expect(asked.check_access_token(), "the token is good")
    asked.refresh_access_token(asked.refresh_token)
    expect(asked.check_access_token(), "so is the next one")
    refused(40029, "a code that is none", asked.fetch_access_token, "nobody")


areas = [token, menu, media, large, material, qrcode, user, tag, blacklist]
areas += [mass, custom, template, subscribe, jsapi, agents, oauth]
{area.__name__: area for area in areas}[sys.argv[1]]()
print("done")
