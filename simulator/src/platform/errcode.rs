//! WeChat's error codes, as far as the simulator answers them, with WeChat's own words.
//!
//! <https://developers.weixin.qq.com/doc/oplatform/developers/errCode/>

use serde_json::{Value, json};

use crate::ids;

/// An `errcode` other than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errcode(pub i64);

/// The token belongs to nobody, was replaced or was invalidated.
pub const NOT_LATEST: Errcode = Errcode(40001);
/// `grant_type` is not `client_credential`.
pub const GRANT_TYPE: Errcode = Errcode(40002);
/// No such user in this account.
pub const OPENID: Errcode = Errcode(40003);
/// No such type of file.
pub const MEDIA_TYPE: Errcode = Errcode(40004);
/// A file whose name has another suffix.
pub const FILE_SUFFIX: Errcode = Errcode(40005);
/// No such media, or it is older than three days.
pub const MEDIA_ID: Errcode = Errcode(40007);
/// No such `msgtype`, or its payload is missing.
pub const MESSAGE_TYPE: Errcode = Errcode(40008);
/// Another AppID than the simulated account's.
pub const APP_ID: Errcode = Errcode(40013);
/// Not even the form of an access token.
pub const TOKEN_FORM: Errcode = Errcode(40014);
/// No such code, or another app's.
pub const CODE: Errcode = Errcode(40029);
/// No such refresh token, or another app's.
pub const REFRESH_TOKEN: Errcode = Errcode(40030);
/// What is asked for makes no sense.
pub const INVALID: Errcode = Errcode(40035);
/// No such API.
pub const URL: Errcode = Errcode(40066);
/// A parameter is out of its range.
pub const ARGUMENTS: Errcode = Errcode(40097);
/// A wrong AppSecret.
pub const APP_SECRET: Errcode = Errcode(40125);
/// A scene that there is not, or with other characters.
pub const SCENE: Errcode = Errcode(40129);
/// No path, or too long a one.
pub const PATH: Errcode = Errcode(40159);
/// The code was exchanged before.
pub const CODE_USED: Errcode = Errcode(40163);
/// This type of account may not do this (a test account's `msgmenu`).
pub const ACCOUNT_TYPE: Errcode = Errcode(40200);
/// No `access_token` in the query.
pub const TOKEN_MISSING: Errcode = Errcode(41001);
/// No `appid`.
pub const APP_ID_MISSING: Errcode = Errcode(41002);
/// No `refresh_token`.
pub const REFRESH_TOKEN_MISSING: Errcode = Errcode(41003);
/// No `secret`.
pub const APP_SECRET_MISSING: Errcode = Errcode(41004);
/// The form has no file.
pub const NO_FILE: Errcode = Errcode(41005);
/// No `media_id`.
pub const MEDIA_ID_MISSING: Errcode = Errcode(41006);
/// No `code`.
pub const CODE_MISSING: Errcode = Errcode(41008);
/// No `openid`.
pub const OPENID_MISSING: Errcode = Errcode(41009);
/// The token's time is over.
pub const EXPIRED: Errcode = Errcode(42001);
/// The refresh token's time is over.
pub const REFRESH_TOKEN_EXPIRED: Errcode = Errcode(42002);
/// The code's time is over.
pub const CODE_EXPIRED: Errcode = Errcode(42003);
/// The user changed their password: they have to allow it again.
pub const REVOKED: Errcode = Errcode(42007);
/// This API wants GET.
pub const WANTS_GET: Errcode = Errcode(43001);
/// This API wants POST.
pub const WANTS_POST: Errcode = Errcode(43002);
/// The user does not follow the account.
pub const NOT_FOLLOWING: Errcode = Errcode(43004);
/// The user has not agreed, or no more.
pub const NOT_SUBSCRIBED: Errcode = Errcode(43101);
/// A POST without a body.
pub const EMPTY_BODY: Errcode = Errcode(44002);
/// A text message without text.
pub const EMPTY_TEXT: Errcode = Errcode(44004);
/// A text over 2048 bytes.
pub const TOO_LONG: Errcode = Errcode(45002);
/// No title, or too long a one.
pub const TITLE_LENGTH: Errcode = Errcode(45003);
/// More than one article.
pub const TOO_MANY_ARTICLES: Errcode = Errcode(45008);
/// The day's quota of this API is used up.
pub const DAILY_QUOTA: Errcode = Errcode(45009);
/// The minute's quota of this API is used up.
pub const MINUTE_QUOTA: Errcode = Errcode(45011);
/// The user wrote more than 48 hours ago, never wrote, or left.
pub const WINDOW_CLOSED: Errcode = Errcode(45015);
/// As many QR codes as there may be.
pub const TOO_MANY_CODES: Errcode = Errcode(45029);
/// All messages that the user's last action allowed were sent.
pub const COUNT_USED: Errcode = Errcode(45047);
/// A typing command other than `Typing` and `CancelTyping`.
pub const TYPING_COMMAND: Errcode = Errcode(45072);
/// Typing without a message from the user within 30 seconds.
pub const TYPING_TOO_LATE: Errcode = Errcode(45080);
/// Typing is already shown.
pub const TYPING_ALREADY: Errcode = Errcode(45081);
/// No such tag.
pub const TAG_ID: Errcode = Errcode(45159);
/// Not JSON.
pub const NOT_JSON: Errcode = Errcode(47001);
/// The account has no right to use this API.
pub const UNAUTHORIZED: Errcode = Errcode(48001);

/// What WeChat writes in `errmsg`, by code.
const WORDS: &[(i64, &str)] = &[
    (-1, "system error"),
    (40001, "invalid credential, access_token is invalid or not latest"),
    (40002, "invalid grant_type"),
    (40003, "invalid openid"),
    (40004, "invalid media type"),
    (40005, "invalid file type"),
    (40006, "invalid meida size"),
    (40007, "invalid media_id"),
    (40008, "invalid message type"),
    (40009, "invalid image size"),
    (40010, "invalid voice size"),
    (40011, "invalid video size"),
    (40012, "invalid thumb size"),
    (40013, "invalid appid"),
    (40014, "invalid access_token"),
    (40015, "invalid menu type"),
    (40016, "invalid button size"),
    (40017, "invalid button type"),
    (40018, "invalid button name size"),
    (40019, "invalid button key size"),
    (40020, "invalid button url size"),
    (40023, "invalid sub button size"),
    (40024, "invalid sub button type"),
    (40025, "invalid sub button name size"),
    (40026, "invalid sub button key size"),
    (40027, "invalid sub button url size"),
    (40029, "invalid code"),
    (40030, "invalid refresh_token"),
    (40032, "invalid openid list size"),
    (40033, "invalid charset. please check your request, if include \\uxxxx will create fail!"),
    (40035, "invalid args"),
    (40037, "invalid template_id"),
    (40038, "invalid packagesize"),
    (40039, "invalid url size"),
    (40048, "invalid url domain"),
    (40050, "invalid timeline type"),
    (40051, "invalid group name"),
    (40052, "invalid action name"),
    (40053, "invalid action info"),
    (40054, "invalid sub button url domain"),
    (40055, "invalid button url domain"),
    (40066, "invalid url"),
    (40092, "invalid remark name"),
    (40097, "invalid args"),
    (40102, "invalid industry id"),
    (40113, "unsupported file type"),
    (40114, "invalid index value"),
    (40118, "invalid media_id size"),
    (40119, "invalid button type"),
    (40120, "invalid sub button type"),
    (40121, "invalid media_id type"),
    (40125, "invalid appsecret"),
    (40129, "invalid scene"),
    (40130, "invalid openid list size, at least two openid"),
    (40132, "invalid username"),
    (40137, "invalid image format"),
    (40155, "invalid url"),
    (40159, "invalid length for path, or the data is not json string"),
    (40163, "code been used"),
    (40164, "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist"),
    (40165, "invalid weapp pagepath"),
    (40169, "invalid length for scene, or the data is not json string"),
    (40177, "invalid template"),
    (40200, "invalid account type"),
    (40201, "invalid url"),
    (40202, "invalid action"),
    (40203, "invalid check_operator"),
    (40212, "invalid query"),
    (40226, "high risk user, blocked"),
    (40243, "AppSecret has been frozen, please unfreeze it on the platform"),
    (41001, "access_token missing"),
    (41002, "appid missing"),
    (41003, "refresh_token missing"),
    (41004, "appsecret missing"),
    (41005, "media data missing"),
    (41006, "media_id missing"),
    (41007, "sub_menu data missing"),
    (41008, "missing code"),
    (41009, "missing openid"),
    (41010, "missing url"),
    (41011, "missing required fields! please check"),
    (41030, "invalid page"),
    (42001, "access_token expired"),
    (42002, "refresh_token expired"),
    (42003, "code expired"),
    (42007, "user password changed"),
    (43001, "require GET method"),
    (43002, "require POST method"),
    (43003, "require https"),
    (43004, "require subscribe"),
    (43019, "require remove blacklist"),
    (43100, "change template too frequently"),
    (43101, "user refuse to accept the msg"),
    (43104, "appid not match with openid"),
    (43107, "subscribe message is blocked for the user"),
    (43108, "subscribe template is blocked"),
    (44001, "empty media data"),
    (44002, "empty post data"),
    (44003, "empty news data"),
    (44004, "empty content"),
    (44991, "api minute-quota reach limit, must slower, retry next minute"),
    (45001, "media size out of limit"),
    (45002, "content size out of limit"),
    (45003, "title size out of limit"),
    (45004, "description size out of limit"),
    (45005, "url size out of limit"),
    (45006, "picurl size out of limit"),
    (45007, "playtime out of limit"),
    (45008, "article size out of limit"),
    (45009, "reach max api daily quota limit"),
    (45010, "create menu limit"),
    (45011, "api minute-quota reach limit, must slower, retry next minute"),
    (45015, "response out of time limit or subscription is canceled"),
    (45026, "template num exceeds limit"),
    (45027, "template conflict with industry"),
    (45028, "has no masssend quota"),
    (45029, "qrcode count out of limit"),
    (45033, "api concurrent limit, must slower, retry later"),
    (45047, "out of response count limit"),
    (45056, "too many tag now, no need to add new"),
    (45057, "can't delete the tag that has too many fans"),
    (45058, "can't modify sys tag"),
    (45059, "can not tag one user too much"),
    (45065, "clientmsgid exist"),
    (45066, "same clientmsgid retry too fast"),
    (45067, "clientmsgid size out of limit"),
    (45072, "invalid typing command"),
    (45080, "no message from the user within 30 seconds"),
    (45081, "already typing"),
    (45083, "speed is 0 to 4"),
    (45084, "speed missing"),
    (45110, "author size out of limit"),
    (45157, "invalid tag name"),
    (45158, "tag name too long"),
    (45159, "invalid tag id"),
    (45168, "content risky"),
    (46001, "media data no exist"),
    (46003, "menu no exist"),
    (46004, "user no exist"),
    (47001, "data format error"),
    (47003, "argument invalid!"),
    (48001, "api unauthorized"),
    (48002, "user block receive message"),
    (48004, "api forbidden for irregularities"),
    (48006, "forbid to clear quota because of reaching the limit"),
    (49003, "not match openid with appid"),
    (50001, "user unauthorized"),
    (50002, "user limited"),
    (50004, "forbid to use this api"),
    (50005, "user is unsubscribed"),
    (50007, "account limited"),
    (53500, "publish failed"),
    (53501, "publish too frequently"),
    (53502, "publish_id invalid"),
    (53600, "article_id invalid"),
    (61004, "access clientip is not registered"),
    (61010, "code is expired"),
    (61450, "system error"),
    (61451, "invalid parameter"),
    (61452, "invalid kf_account"),
    (61453, "kf_account exsited"),
    (61454, "invalid kf_acount length"),
    (61457, "invalid file type"),
    (63178, "appid wrong"),
    (63182, "openid_list empty"),
    (65301, "no such conditional menu"),
    (65302, "no such user"),
    (65303, "there is no selfmenu, please create selfmenu first"),
    (65304, "match rule empty"),
    (65305, "menu count limit"),
    (65306, "conditional menu not supported"),
    (65307, "conditional menu is empty"),
    (65308, "a button has no type"),
    (65309, "conditional menu is disabled"),
    (65310, "matchrule is invalid"),
    (65311, "sex invalid"),
    (65312, "country empty"),
    (65313, "province empty, but country filled"),
    (65314, "city empty, but province filled"),
    (65315, "country invalid"),
    (65316, "too many domains in the menu"),
    (65317, "invalid url"),
    (65318, "url invalid"),
    (65320, "match rule asks for private information"),
    (65401, "invalid custom service account"),
    (65402, "the custom service account need to bind a wechat user"),
    (65403, "illegal nickname"),
    (65404, "illegal custom service account"),
    (65405, "custom service account number reach limit"),
    (65406, "custom service account exists"),
    (65407, "the wechat user have been one of your workers"),
    (65409, "wechat account invalid"),
    (65412, "the custom service account have been bound by a wechat user"),
    (65413, "no effective session with the user"),
    (65414, "the user is served by another custom service account"),
    (65416, "param invalid, please check"),
    (65417, "the time range is too long"),
    (76001, "rid not found"),
    (76002, "rid is error"),
    (76003, "empty result"),
    (76004, "rid time is error"),
    (76021, "cgi_path not found, please check"),
    (76022, "you can not operate this api"),
    (85096, "scancode_time is system limit field"),
    (85401, "time limit between 1min and 30days"),
    (87007, "session_key is not existd or expired"),
    (87008, "invalid sig_method"),
    (87009, "invalid signature"),
    (87014, "risky content"),
    (88000, "without comment privilege"),
    (89501, "another call is waiting for the administrator's approval"),
    (89503, "此次调用需要管理员确认，请耐心等候"),
    (89504, "the administrator has not approved in 30 minutes"),
    (89505, "the administrator refused"),
    (89506, "the call was refused by the administrator for 24 hours"),
    (89507, "the call was refused by the administrator for 1 hour"),
    (200012, "personal template num exceed limit"),
    (200014, "invalid tid"),
    (200016, "invalid start"),
    (200017, "invalid limit"),
    (200018, "invalid ids"),
    (200020, "invalid kidList"),
    (200021, "invalid sceneDesc"),
    (9410010, "long_data size out of limit"),
    (9410011, "expire_seconds out of limit"),
    (9410012, "short_key not found"),
];

impl Errcode {
    /// What WeChat writes in `errmsg`, without its request id. For humans: never compare it.
    pub fn words(self) -> &'static str {
        WORDS.iter().find(|entry| entry.0 == self.0).map_or("error", |entry| entry.1)
    }

    /// The JSON body, with a request id as WeChat adds one.
    pub fn body(self, now_ms: u64) -> Value {
        self.about("", now_ms)
    }

    /// The JSON body with more words, as WeChat names the field that is wrong.
    pub fn about(self, what: &str, now_ms: u64) -> Value {
        let space = if what.is_empty() { "" } else { " " };
        let errmsg = format!("{}{space}{what} rid: {}", self.words(), ids::rid(now_ms));
        json!({ "errcode": self.0, "errmsg": errmsg })
    }
}
