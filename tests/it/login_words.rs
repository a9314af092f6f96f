//! Which messages mean something to a login.

use wxapi::login::words::{self, Word};
use wxapi::wechat::message::Inbound;

fn meaning(text: &str) -> Option<Word> {
    let document = format!(
        "<xml><ToUserName>a</ToUserName><FromUserName>u</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><Content><![CDATA[{text}]]></Content><MsgId>1</MsgId></xml>"
    );
    words::of(&Inbound::parse(&document).unwrap())
}

proptest::proptest! {
    #[test]
    fn no_text_and_no_scene_is_too_strange(text in "\\PC{0,70}", scene in "wxl_[0-9a-f名]{50,60}") {
        meaning(&text.replace("]]>", ""));
        let event = format!("<xml><ToUserName>a</ToUserName><FromUserName>u</FromUserName><CreateTime>1</CreateTime><MsgType>event</MsgType><Event>SCAN</Event><EventKey>{scene}</EventKey></xml>");
        let word = words::of(&Inbound::parse(&event).unwrap());
        proptest::prop_assert_eq!(word.is_some(), scene.len() == 60 && scene.is_ascii());
    }
}

#[test]
fn every_word_and_every_way_to_write_it() {
    let code = || Some(Word::Code("482913".to_owned()));
    let written = "登录 482913|登录482913|login 482913|LOGIN 482913|登录　４８２９１３|登陆 482913|log in 482913|\
                   登录：482913|登录 482 913|登录 482-913| 登录  482913 。|登录#482913";
    for text in written.split('|') {
        assert_eq!(meaning(text), code(), "{text}");
    }
    assert_eq!(meaning("login 48291377"), Some(Word::Code("48291377".to_owned())));
    assert_eq!(meaning("登录 12345"), Some(Word::Code("12345".to_owned())));
    for text in "482913|４８２９１３| 482913 |482 913|482-913|482913。".split('|') {
        assert_eq!(meaning(text), Some(Word::Bare("482913".to_owned())), "{text}");
    }
    assert_eq!(meaning("48291377"), Some(Word::Bare("48291377".to_owned())));
    for text in "确认|确认登录|1|１|yes|YES|Confirm|y|是|确认。".split('|') {
        assert_eq!(meaning(text), Some(Word::Yes(None)), "{text}");
    }
    for text in "确认 47|确认47|确认　４７|confirm 47|yes 47|确认登录 47".split('|') {
        assert_eq!(meaning(text), Some(Word::Yes(Some(47))), "{text}");
    }
    assert_eq!(meaning("47"), Some(Word::Number(47)));
    for text in "取消|取消登录|cancel|Cancel!|不是我|not me".split('|') {
        assert_eq!(meaning(text), Some(Word::No), "{text}");
    }
    for text in "退出|退出登录|log out|Logout|sign out".split('|') {
        assert_eq!(meaning(text), Some(Word::Out), "{text}");
    }
    for text in "登录|login|Log in|登陆".split('|') {
        assert_eq!(meaning(text), Some(Word::How), "{text}");
    }
    let others = "|why?|登录网站怎么用|logins|12345|1234567|123456789|48 2913|482  913|1 12|112|确认一下|\
                  yes please|year|确认 4|确认 123|取消订单|退出登录的按钮在哪|①②③④⑤⑥|４８２９１|+482913|\
                  a text that is longer than any word of a login can be 482913";
    for text in others.split('|') {
        assert_eq!(meaning(text), None, "{text}");
    }
}
