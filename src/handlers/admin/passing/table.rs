//! Every route that is passed on.

use super::super::fields::Rule::{Bytes, Choice, List, Note, Number, Numbers, Object, Text, Texts};
use super::super::fields::{Field, may, must};
use super::{PAGE, Pass, Special};
use crate::wechat::api::Method::{self, Get, Post};
use crate::wechat::api::qrcode::EXPIRY_LIMIT;

/// An openid has 28 characters; this is what nobody's has.
const OPENID: super::super::fields::Rule = Text(128);
/// The id of a template.
const TEMPLATE: super::super::fields::Rule = Text(128);

const fn pass(method: &'static str, pattern: &'static str, call: Method, path: &'static str) -> Pass {
    Pass { method, pattern, call, path, query: &[], fields: &[], special: Special::None, status: 200 }
}

const fn get(pattern: &'static str, call: Method, path: &'static str) -> Pass {
    pass("GET", pattern, call, path)
}

/// Something comes to be.
const fn create(pattern: &'static str, path: &'static str) -> Pass {
    Pass { status: 201, ..pass("POST", pattern, Post, path) }
}

/// Something is done, and there is nothing to say about it.
const fn act(method: &'static str, pattern: &'static str, call: Method, path: &'static str) -> Pass {
    Pass { status: 204, ..pass(method, pattern, call, path) }
}

/// A page of WeChat's.
const fn page(pattern: &'static str, path: &'static str, always: &'static str) -> Pass {
    Pass {
        query: &["offset", "limit"],
        fields: &[OFFSET, LIMIT],
        special: Special::Page(always),
        ..get(pattern, Post, path)
    }
}

const OFFSET: Field = must("/offset", Number(0, u32::MAX as u64));
const LIMIT: Field = must("/limit", Number(1, PAGE));

/// Every route that is passed on.
pub const PASSES: &[Pass] = &[
    // Messages to one person.
    // <https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage>
    Pass {
        fields: &[must("/touser", OPENID), must("/msgtype", Text(32))],
        ..pass("POST", "messages/send", Post, "/cgi-bin/message/custom/send")
    },
    Pass {
        fields: &[must("/touser", OPENID), must("/command", Choice(&["Typing", "CancelTyping"]))],
        ..act("POST", "messages/typing", Post, "/cgi-bin/message/custom/typing")
    },
    // Template messages. With `client_msg_id` (32 bytes), WeChat knows a repetition for ten minutes.
    // <https://developers.weixin.qq.com/doc/service/api/notify/template/api_sendtemplatemessage>
    get("templates", Get, "/cgi-bin/template/get_all_private_template"),
    Pass {
        fields: &[must("/template_id_short", Text(64)), may("/keyword_name_list", Texts(0, 32))],
        ..create("templates", "/cgi-bin/template/api_add_template")
    },
    get("templates/industry", Get, "/cgi-bin/template/get_industry"),
    Pass {
        fields: &[must("/industry_id1", Text(8)), must("/industry_id2", Text(8))],
        ..act("PUT", "templates/industry", Post, "/cgi-bin/template/api_set_industry")
    },
    Pass {
        fields: &[
            must("/touser", OPENID),
            must("/template_id", TEMPLATE),
            must("/data", Object),
            may("/url", Note(2048)),
            may("/miniprogram/appid", Text(64)),
            may("/client_msg_id", Bytes(32)),
        ],
        ..pass("POST", "templates/send", Post, "/cgi-bin/message/template/send")
    },
    // After a one-time subscription. Limits: title 15 characters, content 200.
    // <https://developers.weixin.qq.com/doc/service/api/notify/message/api_sendonetimesubscribemessage>
    Pass {
        fields: &[
            must("/touser", OPENID),
            must("/template_id", TEMPLATE),
            must("/scene", Text(16)),
            must("/title", Text(15)),
            must("/data/content/value", Text(200)),
        ],
        ..pass("POST", "templates/send-once", Post, "/cgi-bin/message/template/subscribe")
    },
    Pass {
        fields: &[must("/template_id", TEMPLATE)],
        ..act("DELETE", "templates/:template_id", Post, "/cgi-bin/template/del_private_template")
    },
    // Subscribe messages.
    // <https://developers.weixin.qq.com/doc/service/api/notify/notify/api_sendnewsubscribemsg>
    Pass {
        fields: &[must("/touser", OPENID), must("/template_id", TEMPLATE), must("/data", Object)],
        ..pass("POST", "subscribe/send", Post, "/cgi-bin/message/subscribe/bizsend")
    },
    get("subscribe/templates", Get, "/wxaapi/newtmpl/gettemplate"),
    Pass {
        fields: &[must("/tid", Text(32)), must("/kidList", Numbers(2, 5)), may("/sceneDesc", Note(15))],
        ..create("subscribe/templates", "/wxaapi/newtmpl/addtemplate")
    },
    Pass {
        fields: &[must("/priTmplId", TEMPLATE)],
        ..act("DELETE", "subscribe/templates/:priTmplId", Post, "/wxaapi/newtmpl/deltemplate")
    },
    get("subscribe/categories", Get, "/wxaapi/newtmpl/getcategory"),
    Pass {
        query: &["ids", "start", "limit"],
        fields: &[
            must("/ids", Text(256)),
            must("/start", Number(0, 1_000_000)),
            must("/limit", Number(1, 30)),
        ],
        special: Special::Defaults(&[("start", 0), ("limit", 30)]),
        ..get("subscribe/library", Get, "/wxaapi/newtmpl/getpubtemplatetitles")
    },
    get("subscribe/library/:tid", Get, "/wxaapi/newtmpl/getpubtemplatekeywords"),
    // QR codes, and short keys for long data.
    // <https://developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode.html>
    Pass {
        fields: &[
            must(
                "/action_name",
                Choice(&["QR_SCENE", "QR_STR_SCENE", "QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE"]),
            ),
            may("/expire_seconds", Number(1, EXPIRY_LIMIT)),
        ],
        special: Special::QrCode,
        ..create("qrcodes", "/cgi-bin/qrcode/create")
    },
    // <https://developers.weixin.qq.com/doc/service/api/qrcode/shorten/api_genshortkey>
    Pass {
        fields: &[must("/long_data", Bytes(4096)), may("/expire_seconds", Number(1, EXPIRY_LIMIT))],
        ..create("shortkeys", "/cgi-bin/shorten/gen")
    },
    get("shortkeys/:short_key", Post, "/cgi-bin/shorten/fetch"),
    // Tags and the blacklist.
    // <https://developers.weixin.qq.com/doc/service/api/usermanage/tagsmanage/api_createtag>
    get("tags", Get, "/cgi-bin/tags/get"),
    Pass {
        fields: &[must("/name", Text(30))],
        special: Special::Within("tag"),
        ..create("tags", "/cgi-bin/tags/create")
    },
    Pass {
        fields: &[must("/id", Number(0, u32::MAX as u64)), must("/name", Text(30))],
        special: Special::Within("tag"),
        ..act("PUT", "tags/:id", Post, "/cgi-bin/tags/update")
    },
    Pass {
        fields: &[must("/id", Number(0, u32::MAX as u64))],
        special: Special::Within("tag"),
        ..act("DELETE", "tags/:id", Post, "/cgi-bin/tags/delete")
    },
    Pass {
        query: &["next_openid"],
        fields: &[must("/tagid", Number(0, u32::MAX as u64))],
        ..get("tags/:tagid/members", Post, "/cgi-bin/user/tag/get")
    },
    Pass {
        fields: &[must("/tagid", Number(0, u32::MAX as u64)), must("/openid_list", Texts(1, 50))],
        ..act("POST", "tags/:tagid/members", Post, "/cgi-bin/tags/members/batchtagging")
    },
    Pass {
        fields: &[must("/tagid", Number(0, u32::MAX as u64)), must("/openid_list", Texts(1, 50))],
        ..act("POST", "tags/:tagid/members/remove", Post, "/cgi-bin/tags/members/batchuntagging")
    },
    get("users/:openid/tags", Post, "/cgi-bin/tags/getidlist"),
    // <https://developers.weixin.qq.com/doc/service/api/usermanage/blacklist/api_batchblacklist>
    Pass { query: &["begin_openid"], ..get("blacklist", Post, "/cgi-bin/tags/members/getblacklist") },
    Pass {
        fields: &[must("/openid_list", Texts(1, 20))],
        ..act("POST", "blacklist", Post, "/cgi-bin/tags/members/batchblacklist")
    },
    Pass {
        fields: &[must("/openid_list", Texts(1, 20))],
        ..act("POST", "blacklist/remove", Post, "/cgi-bin/tags/members/batchunblacklist")
    },
    // Agents of the customer service, whom they talk to, and what was said.
    // <https://developers.weixin.qq.com/doc/service/api/customer/customer/api_addkfaccount>
    get("agents", Get, "/cgi-bin/customservice/getkflist"),
    get("agents/online", Get, "/cgi-bin/customservice/getonlinekflist"),
    Pass {
        fields: &[must("/kf_account", Text(64)), must("/nickname", Text(16))],
        ..act("POST", "agents", Post, "/customservice/kfaccount/add")
    },
    Pass {
        fields: &[must("/nickname", Text(16))],
        ..act("PUT", "agents/:kf_account", Post, "/customservice/kfaccount/update")
    },
    act("DELETE", "agents/:kf_account", Get, "/customservice/kfaccount/del"),
    Pass {
        fields: &[must("/invite_wx", Text(64))],
        ..act("POST", "agents/:kf_account/invite", Post, "/customservice/kfaccount/inviteworker")
    },
    get("agents/sessions/waiting", Get, "/customservice/kfsession/getwaitcase"),
    get("agents/:kf_account/sessions", Get, "/customservice/kfsession/getsessionlist"),
    Pass {
        fields: &[must("/openid", OPENID)],
        ..act("POST", "agents/:kf_account/sessions", Post, "/customservice/kfsession/create")
    },
    act("DELETE", "agents/:kf_account/sessions/:openid", Post, "/customservice/kfsession/close"),
    get("users/:openid/session", Get, "/customservice/kfsession/getsession"),
    // At most a day at once.
    // <https://developers.weixin.qq.com/doc/service/api/customer/record/api_getmsglist>
    Pass {
        query: &["starttime", "endtime", "msgid", "number"],
        fields: &[
            must("/starttime", Number(1, u32::MAX as u64)),
            must("/endtime", Number(1, u32::MAX as u64)),
            must("/msgid", Number(1, i64::MAX as u64)),
            must("/number", Number(1, 10_000)),
        ],
        special: Special::Defaults(&[("msgid", 1), ("number", 1_000)]),
        ..get("agents/records", Post, "/customservice/msgrecord/getmsglist")
    },
    // How often WeChat may still be asked, and what it knows of a request.
    // <https://developers.weixin.qq.com/doc/service/api/apimanage/api_getapiquota>
    Pass {
        query: &["cgi_path"],
        fields: &[must("/cgi_path", Text(256))],
        ..get("quota", Post, "/cgi-bin/openapi/quota/get")
    },
    Pass {
        fields: &[must("/cgi_path", Text(256))],
        ..act("POST", "quota/clear", Post, "/cgi-bin/openapi/quota/clear")
    },
    Pass { special: Special::AppId, ..act("POST", "quota/clear-all", Post, "/cgi-bin/clear_quota") },
    get("requests/:rid", Post, "/cgi-bin/openapi/rid/get"),
    // Where WeChat calls from, and where it is called.
    // <https://developers.weixin.qq.com/doc/service/api/base/api_getcallbackip>
    get("addresses/callback", Get, "/cgi-bin/getcallbackip"),
    get("addresses/api", Get, "/cgi-bin/get_api_domain_ip"),
    // Material, drafts, and what is published. The texts of articles can be a megabyte each; lists come without.
    // <https://developers.weixin.qq.com/doc/service/api/draftbox/draftmanage/api_draft_add>
    Pass {
        query: &["type", "offset", "limit"],
        fields: &[must("/type", Choice(&["image", "voice", "video", "news"])), OFFSET, LIMIT],
        ..page("material", "/cgi-bin/material/batchget_material", "")
    },
    get("material/count", Get, "/cgi-bin/material/get_materialcount"),
    act("DELETE", "material/:media_id", Post, "/cgi-bin/material/del_material"),
    page("drafts", "/cgi-bin/draft/batchget", "no_content"),
    Pass { fields: &[must("/articles", List)], ..create("drafts", "/cgi-bin/draft/add") },
    get("drafts/count", Get, "/cgi-bin/draft/count"),
    get("drafts/:media_id", Post, "/cgi-bin/draft/get"),
    Pass {
        fields: &[must("/articles", Object), must("/index", Number(0, u32::MAX as u64))],
        ..act("PUT", "drafts/:media_id", Post, "/cgi-bin/draft/update")
    },
    act("DELETE", "drafts/:media_id", Post, "/cgi-bin/draft/delete"),
    Pass { status: 202, ..create("drafts/:media_id/publish", "/cgi-bin/freepublish/submit") },
    page("publications", "/cgi-bin/freepublish/batchget", "no_content"),
    get("publications/:publish_id", Post, "/cgi-bin/freepublish/get"),
    get("publications/:article_id/articles", Post, "/cgi-bin/freepublish/getarticle"),
    Pass {
        query: &["index"],
        fields: &[may("/index", Number(0, u32::MAX as u64))],
        ..act("DELETE", "publications/:article_id", Post, "/cgi-bin/freepublish/delete")
    },
];
