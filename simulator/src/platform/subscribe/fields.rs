//! What the fields of a notification may hold, by the kind that their name begins with.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage.html>

use serde_json::Value;

use crate::platform::card;

/// Characters of a car's number plate, as its first and last may be Chinese.
const CAR_NUMBER: usize = 8;

/// The first place without a fitting value, in WeChat's words: `data.thing1.value invalid`. `options` has what a place
/// with fixed values may hold.
pub fn first_wrong<'a>(
    keys: impl IntoIterator<Item = &'a str>,
    data: &Value,
    options: &dyn Fn(&str) -> Option<&'static [&'static str]>,
) -> Option<String> {
    keys.into_iter().find_map(|key| {
        let value = card::value(data, key);
        if value.is_empty() {
            return Some(format!("data.{key}.value is empty"));
        }
        let fixed = matches!(kind(key), "enum_string" | "enum" | "const");
        let fits = match options(key).filter(|_| fixed) {
            Some(options) => options.contains(&value.as_str()),
            None => fits(kind(key), &value),
        };
        (!fits).then(|| format!("data.{key}.value invalid"))
    })
}

/// `thing` of `thing12`.
fn kind(key: &str) -> &str {
    key.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// Whether a field of this kind may hold the value; kinds that nobody knows hold anything.
fn fits(kind: &str, value: &str) -> bool {
    let count = value.chars().count();
    match kind {
        "thing" => count <= 20,
        "number" => count <= 32 && is_number(value),
        "letter" => count <= 32 && value.bytes().all(|byte| byte.is_ascii_alphabetic()),
        "symbol" => count <= 5 && !value.chars().any(char::is_alphanumeric),
        "character_string" => count <= 32 && value.chars().all(|c| c.is_ascii_graphic() || c == ' '),
        "time" => range(value, |part| is_moment(part, false)),
        "date" => range(value, |part| is_moment(part, true)),
        "amount" => is_amount(value),
        "phone_number" => {
            count <= 17 && value.bytes().all(|byte| byte.is_ascii_digit() || b"+-() ".contains(&byte))
        }
        "car_number" => count <= CAR_NUMBER,
        "name" => is_name(value),
        "phrase" => count <= 5 && value.chars().all(is_chinese),
        _ => true,
    }
}

fn is_number(value: &str) -> bool {
    let mut parts = value.splitn(2, '.');
    parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// One currency sign, ten digits at most, and 元 at the end if wanted.
fn is_amount(value: &str) -> bool {
    let value = value.strip_suffix('元').unwrap_or(value);
    let signs = ['￥', '¥', '$', '€', '£', '₩', '฿'];
    let value = value.strip_prefix(signs).unwrap_or(value);
    is_number(value) && value.bytes().filter(u8::is_ascii_digit).count() <= 10
}

/// Ten characters with Chinese ones among them, or twenty letters and signs.
fn is_name(value: &str) -> bool {
    let most = if value.chars().any(is_chinese) { 10 } else { 20 };
    value.chars().count() <= most && !value.chars().any(|c| c.is_ascii_digit())
}

fn is_chinese(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// One moment, or two with `~` between them.
fn range(value: &str, is_part: impl Fn(&str) -> bool) -> bool {
    let mut parts = value.split('~');
    let both = [parts.next(), parts.next()];
    parts.next().is_none() && both.into_iter().flatten().all(|part| is_part(part.trim()))
}

/// `2026年1月1日`, `2026-01-01`, `9:00`, or a day and a time; a `date` needs the day.
fn is_moment(text: &str, wants_day: bool) -> bool {
    let plain: String = text
        .chars()
        .map(|c| match c {
            '年' | '月' | '/' | '.' => '-',
            '日' => ' ',
            other => other,
        })
        .collect();
    let parts: Vec<_> = plain.split_whitespace().collect();
    match parts.as_slice() {
        [day] if day.contains('-') => is_day(day),
        [time] => !wants_day && is_time(time),
        [day, time] => is_day(day) && is_time(time),
        _ => false,
    }
}

fn is_day(text: &str) -> bool {
    // `1月1日` and `2026年1月` are days enough.
    match numbers(text, '-').as_deref() {
        Some([_, month, day]) => (1..=12).contains(month) && (1..=31).contains(day),
        Some([a, b]) => *a > 0 && (1..=31).contains(b),
        _ => false,
    }
}

fn is_time(text: &str) -> bool {
    match numbers(text, ':').as_deref() {
        Some([hour, rest @ ..]) => {
            *hour < 24 && (1..=2).contains(&rest.len()) && rest.iter().all(|part| *part < 60)
        }
        _ => false,
    }
}

fn numbers(text: &str, between: char) -> Option<Vec<u32>> {
    text.trim_end_matches(between).split(between).map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_kind_has_its_values() {
        let twenty = "一二三四五六七八九十一二三四五六七八九十";
        let good = [
            ("thing", twenty),
            ("number", "12.5"),
            ("letter", "abcXYZ"),
            ("symbol", "*#!"),
            ("character_string", "A-1 b"),
            ("time", "15:01"),
            ("time", "2019年10月1日 15:01:02"),
            ("time", "2019年10月1日 15:01 ~ 2019年10月2日 9:00"),
            ("date", "2019年10月1日"),
            ("date", "2018-01-01"),
            ("date", "2019-12-25 09:42"),
            ("amount", "￥100"),
            ("amount", "9.90元"),
            ("amount", "$1234567890"),
            ("phone_number", "+86-0766-66888866"),
            ("car_number", "粤A8Z888挂"),
            ("name", "欧阳小明"),
            ("name", "Xiao-Ming of Guangdo"),
            ("phrase", "审核通过"),
            ("keyword", "anything 任何"),
        ];
        for (kind, value) in good {
            assert!(fits(kind, value), "{kind} {value}");
        }
    }

    #[test]
    fn each_kind_has_its_limits() {
        let wrong = [
            ("thing", "一二三四五六七八九十一二三四五六七八九十一"),
            ("number", "1a"),
            ("number", "."),
            ("letter", "a1"),
            ("symbol", "a"),
            ("symbol", "******"),
            ("character_string", "订单"),
            ("time", "25:00"),
            ("time", "soon"),
            ("time", "9:00~10:00~11:00"),
            ("date", "15:01"),
            ("date", "2019年13月1日"),
            ("amount", "￥12345678901"),
            ("amount", "$$1"),
            ("phone_number", "a"),
            ("phone_number", "123456789012345678"),
            ("car_number", "粤A8Z888挂挂"),
            ("name", "一二三四五六七八九十一"),
            ("name", "小明2"),
            ("name", "Xiao-Ming of Guangdon"),
            ("phrase", "一二三四五六"),
            ("phrase", "ok"),
        ];
        for (kind, value) in wrong {
            assert!(!fits(kind, value), "{kind} {value}");
        }
    }

    #[test]
    fn the_first_wrong_field_is_named() {
        let data =
            json!({ "thing1": { "value": "好" }, "const2": { "value": "坏" }, "phrase3": { "value": "" } });
        let options = |_: &str| Some(&["好"][..]);
        let wrong = |keys: &[&'static str]| first_wrong(keys.iter().copied(), &data, &options);
        assert_eq!(wrong(&["thing1"]), None);
        assert_eq!(wrong(&["thing1", "const2", "phrase3"]).as_deref(), Some("data.const2.value invalid"));
        assert_eq!(wrong(&["phrase3"]).as_deref(), Some("data.phrase3.value is empty"));
    }
}
