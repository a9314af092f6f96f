//! What each of WeChat's APIs needs of a client, and whether it may be called again when nobody knows what became of it.
//! <https://developers.weixin.qq.com/doc/service/api/>

use super::client::Scope;

/// How a path is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For a client with this scope, with the account's access token.
    Scoped(Rule),
    /// With what its query brings: the token of a person's web login, which is no secret of the account's.
    Open,
    /// Not at all: it needs the account's secret, or another app's.
    Secret,
}

/// What a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The scope.
    pub scope: Scope,
    /// To do it twice is to do it once.
    pub repeatable: bool,
}

/// May be repeated.
const AGAIN: bool = true;
/// Sends, makes or uses up something each time.
const ONCE: bool = false;

/// A folder, and names in it; `*` is whatever else is in it, at any depth.
type Row = (Scope, bool, &'static str, &'static str);

/// Every documented API. What is not here needs [`Scope::Everything`] and is not repeated.
const TABLE: &[Row] = &[
    (Scope::Read, AGAIN, "/cgi-bin/", "getcallbackip get_api_domain_ip get_current_selfmenu_info showqrcode"),
    (
        Scope::Read,
        AGAIN,
        "/cgi-bin/",
        "get_current_autoreply_info callback/check openapi/quota/get shorten/fetch",
    ),
    (Scope::Read, AGAIN, "/cgi-bin/", "ticket/getticket"),
    // It shows what others sent.
    (Scope::Everything, AGAIN, "/cgi-bin/", "openapi/rid/get"),
    (Scope::Everything, ONCE, "/cgi-bin/", "clear_quota openapi/quota/clear"),
    // Menus.
    (Scope::Read, AGAIN, "/cgi-bin/menu/", "get"),
    (Scope::Menu, AGAIN, "/cgi-bin/menu/", "create delete delconditional trymatch"),
    (Scope::Menu, ONCE, "/cgi-bin/menu/", "addconditional"),
    // Files, and what can be scanned or opened.
    (
        Scope::Read,
        AGAIN,
        "/cgi-bin/media/",
        "get get/jssdk voice/queryrecoresultfortext voice/translatecontent",
    ),
    (Scope::Media, ONCE, "/cgi-bin/media/", "upload uploadimg voice/addvoicetorecofortext"),
    (Scope::Read, AGAIN, "/cgi-bin/material/", "get_material batchget_material get_materialcount"),
    (Scope::Media, ONCE, "/cgi-bin/material/", "add_material add_news"),
    (Scope::Media, AGAIN, "/cgi-bin/material/", "del_material update_news"),
    (Scope::Media, AGAIN, "/cgi-bin/", "qrcode/create"),
    (Scope::Media, ONCE, "/cgi-bin/", "shorten/gen shorturl wxaapp/createwxaqrcode"),
    (
        Scope::Media,
        ONCE,
        "/wxa/",
        "getwxacode getwxacodeunlimit generate_urllink generatescheme generatenfcscheme",
    ),
    (Scope::Media, ONCE, "/wxa/", "genwxashortlink"),
    (Scope::Read, AGAIN, "/wxa/", "query_scheme query_urllink queryscheme"),
    // Drafts and publishing.
    (Scope::Read, AGAIN, "/cgi-bin/draft/", "get count batchget"),
    (Scope::Media, AGAIN, "/cgi-bin/draft/", "update delete"),
    (Scope::Media, ONCE, "/cgi-bin/draft/", "add switch"),
    (Scope::Read, AGAIN, "/cgi-bin/freepublish/", "get batchget getarticle"),
    (Scope::Media, ONCE, "/cgi-bin/freepublish/", "submit"),
    (Scope::Media, AGAIN, "/cgi-bin/freepublish/", "delete"),
    (Scope::User, AGAIN, "/cgi-bin/comment/", "list"),
    (Scope::Media, AGAIN, "/cgi-bin/comment/", "open close markelect unmarkelect delete reply/delete"),
    (Scope::Media, ONCE, "/cgi-bin/comment/", "reply/add"),
    // To one person.
    (
        Scope::Message,
        ONCE,
        "/cgi-bin/message/",
        "custom/send template/send template/subscribe subscribe/bizsend",
    ),
    (Scope::Message, ONCE, "/cgi-bin/message/", "subscribe/send wxopen/template/uniform_send"),
    (Scope::Message, ONCE, "/cgi-bin/message/", "wxopen/activityid/create wxopen/updatablemsg/send"),
    (Scope::Message, AGAIN, "/cgi-bin/message/", "custom/typing custom/business/typing"),
    (Scope::Read, AGAIN, "/cgi-bin/template/", "get_industry get_all_private_template"),
    (Scope::Message, ONCE, "/cgi-bin/template/", "api_set_industry api_add_template"),
    (Scope::Message, AGAIN, "/cgi-bin/template/", "del_private_template"),
    (
        Scope::Read,
        AGAIN,
        "/wxaapi/newtmpl/",
        "getcategory getpubtemplatetitles getpubtemplatekeywords gettemplate",
    ),
    (Scope::Message, ONCE, "/wxaapi/newtmpl/", "addtemplate"),
    (Scope::Message, AGAIN, "/wxaapi/newtmpl/", "deltemplate"),
    (Scope::Message, AGAIN, "/wxa/", "msg_sec_check img_sec_check"),
    (Scope::Message, ONCE, "/wxa/", "media_check_async"),
    // Agents, their sessions, and what was said in them.
    (Scope::Read, AGAIN, "/cgi-bin/customservice/", "getkflist getonlinekflist"),
    (Scope::Everything, ONCE, "/customservice/kfaccount/", "add inviteworker uploadheadimg"),
    (Scope::Everything, AGAIN, "/customservice/kfaccount/", "update del"),
    (Scope::Message, ONCE, "/customservice/kfsession/", "create close"),
    (
        Scope::User,
        AGAIN,
        "/customservice/",
        "kfsession/getsession kfsession/getsessionlist kfsession/getwaitcase",
    ),
    (Scope::User, AGAIN, "/customservice/", "msgrecord/getmsglist msgrecord/getrecord"),
    // To many.
    (Scope::Mass, ONCE, "/cgi-bin/message/mass/", "sendall send preview"),
    (Scope::Mass, AGAIN, "/cgi-bin/message/mass/", "delete get speed/get speed/set"),
    (Scope::Mass, ONCE, "/cgi-bin/media/", "uploadnews uploadvideo"),
    // People.
    (Scope::User, AGAIN, "/cgi-bin/user/", "get info info/batchget info/updateremark tag/get"),
    (Scope::User, ONCE, "/cgi-bin/tags/", "create"),
    (
        Scope::User,
        AGAIN,
        "/cgi-bin/tags/",
        "get update delete getidlist members/batchtagging members/batchuntagging",
    ),
    (Scope::User, AGAIN, "/cgi-bin/tags/members/", "getblacklist batchblacklist batchunblacklist"),
    (Scope::User, AGAIN, "/cgi-bin/", "changeopenid"),
    (Scope::User, AGAIN, "/datacube/", "*"),
    (Scope::User, AGAIN, "/wxa/", "checksession getpaidunionid getuserriskrank business/checkencryptedmsg"),
    (
        Scope::User,
        ONCE,
        "/wxa/",
        "resetusersessionkey business/getuserphonenumber business/getuserencryptkey",
    ),
];

/// What a person's own token opens.
const OPEN: &[(&str, &str)] = &[("/sns/", "userinfo auth oauth2/refresh_token")];

/// What needs a secret. Whoever has one would need no proxy, and whoever has none must not borrow ours.
const SECRET: &[(&str, &str)] =
    &[("/cgi-bin/", "token stable_token clear_quota/v2"), ("/cgi-bin/component/", "*"), ("/sns/", "*")];

/// How `path` is served, e.g. `/cgi-bin/menu/get`.
pub fn access(path: &str) -> Access {
    if any(OPEN, path) {
        return Access::Open;
    }
    if any(SECRET, path) {
        return Access::Secret;
    }
    let row = TABLE.iter().find(|(_, _, folder, names)| is_in(path, folder, names));
    let rule = row.map(|(scope, repeatable, ..)| Rule { scope: *scope, repeatable: *repeatable });
    Access::Scoped(rule.unwrap_or(Rule { scope: Scope::Everything, repeatable: false }))
}

/// Whether a row of the table names `path`, so that it is known and not only passed on.
pub fn is_known(path: &str) -> bool {
    any(OPEN, path)
        || any(SECRET, path)
        || TABLE.iter().any(|(_, _, folder, names)| is_in(path, folder, names))
}

fn any(rows: &[(&str, &str)], path: &str) -> bool {
    rows.iter().any(|(folder, names)| is_in(path, folder, names))
}

fn is_in(path: &str, folder: &str, names: &str) -> bool {
    let Some(own) = path.strip_prefix(folder) else { return false };
    names.split(' ').any(|name| name == own || name == "*")
}

/// The path as WeChat has it: without the version of this API, every slash once, and what the guides call by another
/// name by its real one. `None` if it is no path of an API: those have letters, digits, `_`, `-` and dots between them.
pub fn path_of(segments: &[&str]) -> Option<String> {
    let segments = segments.strip_prefix(&["v1"]).unwrap_or(segments);
    let mut path = String::new();
    for segment in segments {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if segment.starts_with('.') || !segment.bytes().all(plain) {
            return None;
        }
        path.push('/');
        path.push_str(segment);
    }
    Some(match path.as_str() {
        "/cgi-bin/material/upload" => "/cgi-bin/material/add_material".to_owned(),
        _ => path,
    })
}
