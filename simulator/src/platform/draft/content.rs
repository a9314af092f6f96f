//! What WeChat removes from an article's HTML: scripts, and pictures that were not uploaded to it.

/// Hosts of WeChat's own pictures, beside the simulator.
const WECHAT_HOSTS: [&str; 2] = ["mmbiz.qpic.cn", "mmbiz.qlogo.cn"];

/// The HTML without scripts and without pictures from elsewhere.
pub fn clean(html: &str, base_url: &str) -> String {
    let mut written = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        written.push_str(before);
        if is_tag(tag, "script") {
            rest = after_script(tag);
            continue;
        }
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let (tag, after) = tag.split_at(end);
        if !is_tag(tag, "img") || is_ours(tag, base_url) {
            written.push_str(tag);
        }
        rest = after;
    }
    written + rest
}

/// The text without its tags.
pub fn plain(html: &str) -> String {
    let mut written = String::new();
    for (index, piece) in html.split('<').enumerate() {
        let text = if index == 0 { piece } else { piece.split_once('>').map_or("", |(_, text)| text) };
        written.push_str(text);
    }
    written.trim().to_owned()
}

/// Whether a tag with this name opens here.
fn is_tag(tag: &str, name: &str) -> bool {
    let opens = tag.get(1..=name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    opens
        && tag.get(name.len() + 1..).is_none_or(|rest| !rest.starts_with(|next: char| next.is_alphanumeric()))
}

fn after_script(tag: &str) -> &str {
    const END: &str = "</script>";
    let lower = tag.to_ascii_lowercase();
    lower.find(END).and_then(|end| tag.get(end + END.len()..)).unwrap_or_default()
}

/// Whether every URL of a picture's tag is WeChat's or the simulator's.
fn is_ours(tag: &str, base_url: &str) -> bool {
    let mut urls = tag.split(['"', '\'', ' ', '=']).filter(|part| part.contains("//")).peekable();
    let ours = |url: &str| {
        let host = url.split_once("//").map_or("", |(_, rest)| rest).split(['/', '?', '>']).next();
        url.strip_prefix(base_url).is_some_and(|path| path.starts_with('/'))
            || host.is_some_and(|host| WECHAT_HOSTS.contains(&host))
    };
    urls.peek().is_some() && urls.all(ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "http://127.0.0.1:8788";

    #[track_caller]
    fn check(html: &str, cleaned: &str) {
        assert_eq!(clean(html, BASE), cleaned);
    }

    #[test]
    fn scripts_go_and_text_stays() {
        check("<p>一<b>二</b></p> a < b", "<p>一<b>二</b></p> a < b");
        check("一<script>alert('<p>')</script>二<SCRIPT src=x></SCRIPT >三", "一二");
        check("一<script>alert()", "一");
        check("<scripture>", "<scripture>");
        check("", "");
    }

    #[test]
    fn pictures_stay_if_they_were_uploaded() {
        for ours in [
            "<img src=\"http://127.0.0.1:8788/_sim/media/a\">",
            "<img data-src='https://mmbiz.qpic.cn/mmbiz_png/1/0?wx_fmt=png' alt='图'/>",
        ] {
            check(ours, ours);
        }
        for other in [
            "<img src=\"https://example.com/a.png\">",
            "<IMG src=http://127.0.0.1:8788.example/a.png>",
            "<img src=\"/a.png\">",
            "<img src=\"http://127.0.0.1:8788/a\" data-src=\"https://mmbiz.qpic.cn.example/a\">",
            "<img src=\"//example.com/mmbiz.qpic.cn/a\">",
        ] {
            check(&format!("一{other}二"), "一二");
        }
    }

    #[test]
    fn plain_text_has_no_tags() {
        assert_eq!(plain("<p>一 <b class=\"x\">二</b></p>三 <br"), "一 二三");
    }
}
