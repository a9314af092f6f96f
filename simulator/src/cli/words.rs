//! Every rule in words.

use super::Voice;
use crate::lang::Lang;
use crate::push::checks::Check;

/// One rule: a mark, its words, and what was found.
pub fn check_line(voice: Voice, check: &Check) -> String {
    let Voice { lang, paint } = voice;
    let (mark, words) = (if check.ok { "✓" } else { "✗" }, words(lang, &check.rule));
    let line = if check.ok { paint.green(mark) } else { paint.red(mark) };
    format!("{line} {words}  {}", paint.dim(&check.detail))
}

/// A rule that was not checked.
pub fn skipped_line(Voice { lang, paint }: Voice, rule: &str) -> String {
    paint.dim(&format!("– {}  {}", words(lang, rule), lang.pick("跳过", "skipped")))
}

/// A rule in words; an unknown one by its name.
fn words(lang: Lang, rule: &str) -> &str {
    let (zh, en) = match rule {
        "answered" => ("在时限内应答，状态码 200", "answered in time with status 200"),
        "nothing_shown" => {
            ("success 或空内容：不显示回复，也不报错", "success or empty: nothing is shown, no error")
        }
        "encrypted" => ("按所选模式加密回复", "encrypted as the mode wants it"),
        "msg_signature" => ("回复的 MsgSignature 正确", "the reply's MsgSignature is right"),
        "decrypts" => ("回复可以解密", "the reply can be decrypted"),
        "app_id" => ("密文中的 AppID 正确", "the AppID inside the ciphertext is right"),
        "no_bom" => ("<xml> 之前没有 BOM", "no byte order mark before <xml>"),
        "well_formed" => ("回复是格式正确的 XML", "the reply is well-formed XML"),
        "addresses" => ("ToUserName 与 FromUserName 已互换", "ToUserName and FromUserName are swapped"),
        "create_time" => ("CreateTime 是整数", "CreateTime is an integer"),
        "msg_type" => ("MsgType 是允许的类型", "MsgType is one that WeChat knows"),
        "text_not_empty" => ("文本不为空", "the text is not empty"),
        "text_size" => ("文本不超过 2048 字节", "the text has at most 2048 bytes"),
        "media_id" => ("有 MediaId", "there is a MediaId"),
        "articles" => ("至少有一篇图文", "there is an article"),
        "article_count" => ("ArticleCount 与图文数一致", "ArticleCount is the number of articles"),
        "mini_reply" => (
            "小程序只回复 success 或转接客服：微信忽略其他被动回复",
            "a Mini Program answers success or a transfer: WeChat ignores other passive replies",
        ),
        "same_reply" => ("重复投递得到相同的回复", "duplicates get the same reply"),
        "echostr" => ("GET 原样返回 echostr", "GET gives the echostr back as it is"),
        "echostr_again" => ("重复验证得到相同的结果", "asked again, it answers the same"),
        "echostr_forged" => ("签名错误时不返回 echostr", "no echostr for a wrong signature"),
        "echostr_unsigned" => ("没有签名时不返回 echostr", "no echostr without a signature"),
        "duplicate" => ("重复的消息得到相同的回复", "a duplicate is answered alike"),
        "wrong_signature" => ("拒绝签名错误的消息", "a message with a wrong signature is refused"),
        "unsigned" => ("拒绝没有签名的消息", "a message without a signature is refused"),
        "stale" => ("拒绝一小时前的消息", "a message of an hour ago is refused"),
        "downgrade" => ("安全模式下拒绝明文消息", "in secure mode, a plain message is refused"),
        "other_app_id" => ("拒绝其他 AppID 的密文", "a message for another AppID is refused"),
        other => (other, other),
    };
    lang.pick(zh, en)
}
