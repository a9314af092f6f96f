//! The public library that templates are added from: a few of our own making, by short ids of WeChat's two forms.

use super::{TEMPLATE_ID, Template};
use crate::platform::errcode::Errcode;

/// A template of the library.
struct Public {
    short_id: &'static str,
    title: &'static str,
    industry: u64,
    /// The lines' names with their places and an example. A number as short id lets the account choose among them.
    keywords: &'static [(&'static str, &'static str, &'static str)],
}

const LIBRARY: &[Public] = &[
    Public {
        short_id: "TM00001",
        title: "支付成功通知",
        industry: 1,
        keywords: &[
            ("", "first", "您的订单已支付"),
            ("支付金额", "amount", "9.90元"),
            ("商品", "product", "一杯咖啡"),
            ("", "remark", "感谢惠顾"),
        ],
    },
    Public {
        short_id: "OPENTM200000001",
        title: "预约提醒",
        industry: 1,
        keywords: &[
            ("", "first", "您有一个预约"),
            ("预约项目", "keyword1", "体检"),
            ("预约时间", "keyword2", "2026年1月1日 9:00"),
            ("", "remark", "请准时到达"),
        ],
    },
    Public {
        short_id: "40001",
        title: "订单状态通知",
        industry: 1,
        keywords: &[
            ("订单编号", "character_string1", "A20260101"),
            ("商品名称", "thing2", "一杯咖啡"),
            ("订单金额", "amount3", "9.90元"),
            ("下单时间", "time4", "2026年1月1日 9:00"),
            ("订单状态", "phrase5", "已支付"),
        ],
    },
    Public {
        short_id: "40002",
        title: "工单处理通知",
        industry: 2,
        keywords: &[
            ("工单编号", "number1", "10001"),
            ("提交人", "name2", "小明"),
            ("问题描述", "thing3", "打印机没有纸"),
            ("处理结果", "const4", "已完成"),
        ],
    },
];

/// Values that a `const` of the library may have.
pub const CONSTANTS: [&str; 3] = ["已受理", "处理中", "已完成"];

/// Makes the account's own copy. Templates with a number let the account choose 2 to 5 keywords by their names.
///
/// # Errors
/// 40037 for an unknown short id, or keywords that the template does not have.
pub fn make(short_id: &str, keywords: &[&str]) -> Result<Template, Errcode> {
    let public = LIBRARY.iter().find(|public| public.short_id == short_id).ok_or(TEMPLATE_ID)?;
    let lines: Vec<_> = if public.chooses() {
        let find = |name: &&str| public.keywords.iter().find(|keyword| keyword.0 == *name);
        let chosen: Option<Vec<_>> = keywords.iter().map(find).collect();
        chosen.filter(|chosen| (2..=5).contains(&chosen.len())).ok_or(TEMPLATE_ID)?
    } else {
        public.keywords.iter().collect()
    };
    let content = lines.iter().map(|(name, key, _)| line(name, &format!("{{{{{key}.DATA}}}}")));
    let example = lines.iter().map(|(name, _, example)| line(name, example));
    Ok(Template {
        id: String::new(),
        title: public.title.to_owned(),
        content: content.collect::<Vec<_>>().join("\n"),
        example: example.collect::<Vec<_>>().join("\n"),
        industry: Some(public.industry),
    })
}

impl Public {
    fn chooses(&self) -> bool {
        self.short_id.bytes().all(|byte| byte.is_ascii_digit())
    }
}

fn line(name: &str, value: &str) -> String {
    if name.is_empty() { value.to_owned() } else { format!("{name}：{value}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_made_whole_or_of_chosen_keywords() {
        let old = make("TM00001", &[]).unwrap();
        assert_eq!(
            old.content,
            "{{first.DATA}}\n支付金额：{{amount.DATA}}\n商品：{{product.DATA}}\n{{remark.DATA}}"
        );
        let new = make("40001", &["订单状态", "商品名称"]).unwrap();
        assert_eq!(new.content, "订单状态：{{phrase5.DATA}}\n商品名称：{{thing2.DATA}}");
        assert_eq!(new.example, "订单状态：已支付\n商品名称：一杯咖啡");
        assert!(make("40001", &["订单状态"]).is_err() && make("40001", &["订单状态", "天气"]).is_err());
        assert!(make("TM9", &[]).is_err());
    }
}
