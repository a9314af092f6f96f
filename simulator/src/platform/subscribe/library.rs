//! The public library of notifications: a few of our own making.

/// One keyword of a public template.
pub struct Keyword {
    /// Its number within the template.
    pub kid: u64,
    /// What the card calls it.
    pub name: &'static str,
    /// An example of a value.
    pub example: &'static str,
    /// Its kind, as `thing`.
    pub rule: &'static str,
    /// For kinds with fixed values: those values.
    pub options: &'static [&'static str],
}

/// One public template.
pub struct Public {
    /// Its number.
    pub tid: u64,
    /// Its title.
    pub title: &'static str,
    /// Whether one consent lasts.
    pub long_term: bool,
    /// The category that has it.
    pub category: u64,
    /// What an account chooses 2 to 5 of.
    pub keywords: &'static [Keyword],
}

/// The categories of the simulated account.
pub const CATEGORIES: [(u64, &str); 2] = [(616, "公交"), (670, "线上商城")];

const fn keyword(kid: u64, name: &'static str, example: &'static str, rule: &'static str) -> Keyword {
    Keyword { kid, name, example, rule, options: &[] }
}

/// Every public template.
pub const LIBRARY: &[Public] = &[
    Public {
        tid: 401,
        title: "发货提醒",
        long_term: false,
        category: 670,
        keywords: &[
            keyword(1, "商品名称", "一杯咖啡", "thing"),
            keyword(2, "订单号", "A20260101", "character_string"),
            keyword(3, "发货时间", "2026年1月1日 9:00", "time"),
            keyword(4, "金额", "￥9.90", "amount"),
            keyword(5, "收货人", "小明", "name"),
        ],
    },
    Public {
        tid: 402,
        title: "审核结果通知",
        long_term: false,
        category: 670,
        keywords: &[
            keyword(1, "审核状态", "审核通过", "phrase"),
            keyword(2, "审核日期", "2026年1月1日", "date"),
            keyword(3, "备注", "请尽快查看", "thing"),
            Keyword {
                kid: 4,
                name: "处理方式",
                example: "自动",
                rule: "enum_string",
                options: &["自动", "人工"],
            },
        ],
    },
    Public {
        tid: 601,
        title: "乘车提醒",
        long_term: true,
        category: 616,
        keywords: &[
            keyword(1, "线路", "一路", "thing"),
            keyword(2, "车牌号", "粤A8Z888", "car_number"),
            keyword(3, "上车时间", "9:00", "time"),
            keyword(4, "客服电话", "0755-88888888", "phone_number"),
        ],
    },
];

/// The public template with this number.
pub fn find(tid: u64) -> Option<&'static Public> {
    LIBRARY.iter().find(|public| public.tid == tid)
}
