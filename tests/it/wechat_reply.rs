//! Replies as documents: every type comes back as its fields, whatever the texts are.

use proptest::prelude::*;
use wxapi::wechat::reply::{Article, Reply, ReplyError, TEXT_LIMIT, menu_link};
use wxapi::wechat::xml::{Fields, XmlWriter, parse_xml};
use wxapi::wechat::{OpenId, OriginalId};

fn xml(reply: &Reply) -> Result<String, ReplyError> {
    reply.to_xml(&OpenId::new("oUser"), &OriginalId::new("gh_1"), 1_790_000_000)
}

/// The leaves of a document as `A/B=text` lines, in order.
fn leaves(document: &str) -> Vec<String> {
    fn collect(fields: &Fields, at: &str, found: &mut Vec<String>) {
        for child in fields.all() {
            let path = format!("{at}{}", child.name());
            if child.all().is_empty() {
                found.push(format!("{path}={}", child.text()));
            }
            collect(child, &format!("{path}/"), found);
        }
    }
    let mut found = Vec::new();
    collect(&parse_xml(document).unwrap(), "", &mut found);
    found
}

#[track_caller]
fn round_trip(reply: &Reply, msg_type: &str, expected: &[&str]) {
    let found = leaves(&xml(reply).unwrap());
    let msg_type = format!("MsgType={msg_type}");
    let common = ["ToUserName=oUser", "FromUserName=gh_1", "CreateTime=1790000000", &msg_type];
    assert_eq!(found, [&common[..], expected].concat());
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn texts_come_back_whatever_they_contain() {
    for text in [
        "你好",
        "]]>",
        "a]]]>b]]>]]>c",
        "]]",
        "ends with ]]]",
        "<![CDATA[x]]>",
        "<a href=\"https://e.com/?a=1&b=2\">链接</a>",
        "&amp; &lt; &#0; %3C",
        "👩‍👩‍👧‍👦 🇨🇳 e\u{301}",
        "line\nline\tend",
    ] {
        round_trip(&Reply::Text { content: text.to_owned() }, "text", &[&format!("Content={text}")]);
    }
}

#[test]
fn characters_that_xml_forbids_are_dropped() {
    for (text, kept) in [
        ("a\0b\u{1}c\u{b}d\u{1f}e\u{7f}f", "abcde\u{7f}f"),
        ("a\u{fffe}b\u{ffff}c\u{fffd}", "abc\u{fffd}"),
        ("]\u{1}]\u{2}>", "]]>"),
        ("]]\u{1}>x", "]]>x"),
    ] {
        round_trip(&Reply::Text { content: text.to_owned() }, "text", &[&format!("Content={kept}")]);
    }
}

#[test]
fn texts_have_limits() {
    let length = |content: String| xml(&Reply::Text { content }).map(|_| ());
    for empty in ["", " ", "\n\t", "\u{3000}", "\u{1}\u{2}"] {
        assert_eq!(length(empty.to_owned()), Err(ReplyError::EmptyText), "{empty:?}");
    }
    assert_eq!(length("x".repeat(TEXT_LIMIT)), Ok(()));
    assert_eq!(length("x".repeat(TEXT_LIMIT + 1)), Err(ReplyError::LongText));
    assert_eq!(length("字".repeat(682)), Ok(()));
    assert_eq!(length("字".repeat(683)), Err(ReplyError::LongText));
}

#[test]
fn media_replies() {
    round_trip(&Reply::Image { media_id: "m]]>".to_owned() }, "image", &["Image/MediaId=m]]>"]);
    round_trip(&Reply::Voice { media_id: "m".to_owned() }, "voice", &["Voice/MediaId=m"]);
    let video = |title, description| Reply::Video { media_id: "m".to_owned(), title, description };
    round_trip(&video(None, None), "video", &["Video/MediaId=m"]);
    round_trip(
        &video(some("标题"), some("<d>")),
        "video",
        &["Video/MediaId=m", "Video/Title=标题", "Video/Description=<d>"],
    );
    let bare = Reply::Music {
        title: None,
        description: None,
        music_url: None,
        hq_music_url: None,
        thumb_media_id: "t".to_owned(),
    };
    round_trip(&bare, "music", &["Music/ThumbMediaId=t"]);
    let full = Reply::Music {
        title: some("歌"),
        description: some("d"),
        music_url: some("https://e.com/a?b=1&c=2"),
        hq_music_url: some("https://e.com/h"),
        thumb_media_id: "t".to_owned(),
    };
    let fields = [
        "Music/Title=歌",
        "Music/Description=d",
        "Music/MusicUrl=https://e.com/a?b=1&c=2",
        "Music/HQMusicUrl=https://e.com/h",
        "Music/ThumbMediaId=t",
    ];
    round_trip(&full, "music", &fields);
}

#[test]
fn news_replies_have_one_to_eight_articles() {
    let article = |number: usize| Article {
        title: format!("T{number}]]>"),
        description: format!("D{number}"),
        pic_url: format!("https://e.com/{number}.jpg?a&b"),
        url: format!("https://e.com/{number}"),
    };
    let news = |count: usize| Reply::News((0..count).map(article).collect());
    for count in 1..=8 {
        let item = |number: usize| {
            [
                format!("Articles/item/Title=T{number}]]>"),
                format!("Articles/item/Description=D{number}"),
                format!("Articles/item/PicUrl=https://e.com/{number}.jpg?a&b"),
                format!("Articles/item/Url=https://e.com/{number}"),
            ]
        };
        let expected: Vec<String> =
            [format!("ArticleCount={count}")].into_iter().chain((0..count).flat_map(item)).collect();
        round_trip(&news(count), "news", &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
    assert_eq!(xml(&news(0)), Err(ReplyError::ArticleCount));
    assert_eq!(xml(&news(9)), Err(ReplyError::ArticleCount));
}

#[test]
fn hand_over_and_silence() {
    let transfer = |kf_account| Reply::TransferCustomerService { kf_account };
    round_trip(&transfer(None), "transfer_customer_service", &[]);
    round_trip(&transfer(some("a@b")), "transfer_customer_service", &["TransInfo/KfAccount=a@b"]);
    assert_eq!(xml(&Reply::Success).as_deref(), Ok("success"));
}

/// WeChat shows an error for anything around the document.
#[test]
fn nothing_stands_around_the_document() {
    let document = xml(&Reply::Text { content: "x".to_owned() }).unwrap();
    assert!(document.starts_with("<xml><ToUserName><![CDATA[oUser]]></ToUserName>"));
    assert!(document.ends_with("</xml>"));
}

#[test]
fn menu_links_send_their_command() {
    assert_eq!(
        menu_link("继续", "/retrieve"),
        "<a href=\"weixin://bizmsgmenu?msgmenucontent=%2Fretrieve&msgmenuid=1\">继续</a>"
    );
    assert_eq!(
        menu_link("<a> & \"b\"", "登录 1&2\"'<>%+"),
        "<a href=\"weixin://bizmsgmenu?msgmenucontent=%E7%99%BB%E5%BD%95%201%262%22%27%3C%3E%25%2B&msgmenuid=1\">\
         &lt;a&gt; &amp; &quot;b&quot;</a>"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever goes in comes out, but for what XML cannot write and how it ends lines.
    #[test]
    fn any_text_survives_the_writer(text in "\\PC{0,8}[\\]>\\[<&\u{0}-\u{20}]{0,12}\\PC{0,8}[\\]>]{0,8}") {
        let mut writer = XmlWriter::new(0);
        writer.cdata("T", &text);
        let document = writer.finish();
        let kept: String = text.chars().filter(|c| wxapi::wechat::xml::is_allowed(*c)).collect();
        let kept = kept.replace("\r\n", "\n").replace('\r', "\n");
        let fields = parse_xml(&document).unwrap();
        prop_assert_eq!(fields.get("T").unwrap(), kept.trim());
    }
}
