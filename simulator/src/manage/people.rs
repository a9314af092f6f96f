//! `wx users` and `wx tags`

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::Wx;
use super::ask::go_on;
use super::columns::{Column, Kind, Part, facts, list, table, text, with_query};
use super::progress::write;
use super::stop::{Ending, Stop};
use crate::query;

#[derive(Debug, Subcommand)]
pub enum Users {
    /// Store all followers, so that they can be listed and chosen
    Sync,
    /// Those who are stored
    List(List),
    /// What WeChat says of somebody now, and what is stored
    Show {
        #[arg(allow_hyphen_values = true)]
        openid: String,
    },
}

/// Whom to list. `unknown` as a value finds those of whom it is not known.
#[derive(Debug, Args)]
pub struct List {
    /// With this tag
    #[arg(long, value_name = "ID")]
    tag: Option<String>,
    #[arg(long)]
    language: Option<String>,
    /// 1 men, 2 women
    #[arg(long)]
    gender: Option<String>,
    #[arg(long)]
    country: Option<String>,
    #[arg(long)]
    province: Option<String>,
    #[arg(long)]
    city: Option<String>,
    /// How they came: ADD_SCENE_QR_CODE, …
    #[arg(long)]
    scene: Option<String>,
    #[arg(long)]
    unionid: Option<String>,
    #[command(flatten)]
    part: Part,
}

#[derive(Debug, Subcommand)]
pub enum Tags {
    /// All tags
    List,
    /// A new tag
    Create { name: String },
    /// Give a tag another name
    Rename { id: u64, name: String },
    /// Delete a tag; who had it stays
    Delete {
        id: u64,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Who has a tag
    Members {
        id: u64,
        /// Only those after this one
        #[arg(long, value_name = "OPENID", allow_hyphen_values = true)]
        after: Option<String>,
    },
    /// Give people a tag
    Add {
        id: u64,
        /// Up to 50
        #[arg(required = true)]
        openids: Vec<String>,
    },
    /// Take a tag from people
    Remove {
        id: u64,
        /// Up to 50
        #[arg(required = true)]
        openids: Vec<String>,
    },
}

const PEOPLE: &[Column] = &[
    Column("openid", "openid", "/openid", Kind::Id),
    Column("备注", "remark", "/remark", Kind::Text),
    Column("标签", "tags", "/tags", Kind::Text),
    Column("语言", "language", "/language", Kind::Text),
    Column("关注于", "since", "/subscribe_time", Kind::Seconds),
    Column("来源", "scene", "/scene", Kind::Text),
];
const TAGS: &[Column] = &[
    Column("编号", "id", "/id", Kind::Id),
    Column("名称", "name", "/name", Kind::Text),
    Column("人数", "people", "/count", Kind::Text),
];

impl Users {
    pub async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        match self {
            Self::Sync => sync(wx).await,
            Self::List(whom) => {
                list(wx, &format!("/admin/users{}", whom.query()), "wx users list --after", PEOPLE).await
            }
            Self::Show { openid } => {
                let person = wx.api.get(&format!("/admin/users/{}", query::encode(&openid))).await?;
                wx.voice.answer(&person, || facts(&person));
                Ok(Ending::Good)
            }
        }
    }
}

impl List {
    fn query(&self) -> String {
        self.part.query(&[
            ("tag", self.tag.as_deref()),
            ("language", self.language.as_deref()),
            ("gender", self.gender.as_deref()),
            ("country", self.country.as_deref()),
            ("province", self.province.as_deref()),
            ("city", self.city.as_deref()),
            ("scene", self.scene.as_deref()),
            ("unionid", self.unionid.as_deref()),
        ])
    }
}

/// Asks until everybody is stored: one request of the API's stores a part.
async fn sync(wx: &Wx) -> Result<Ending, Stop> {
    let lively = wx.voice.lively && !wx.voice.json;
    let (mut cursor, mut stored) = (Value::Null, 0);
    loop {
        let mut said =
            wx.api.post("/admin/users/sync", Some(json!({ "cursor": cursor }).to_string())).await?;
        stored += said.get("stored").and_then(Value::as_u64).unwrap_or_default();
        let next = said.get("cursor").cloned().unwrap_or_default();
        let followers = text(&said, "/followers");
        if lively {
            write(&format!("\r\u{1b}[2K{stored} / {followers}"));
        }
        if next.is_null() {
            if lively {
                write("\r\u{1b}[2K");
            }
            if let Some(members) = said.as_object_mut() {
                members.insert("stored".to_owned(), json!(stored));
            }
            let words = wx.voice.lang.pick("位关注者已保存", "followers are stored");
            wx.voice.answer(&said, || wx.voice.done(&format!("{stored} {words}")));
            return Ok(Ending::Good);
        }
        if next == cursor {
            return Err(Stop::Refused("the API gave the same cursor twice".to_owned()));
        }
        cursor = next;
    }
}

impl Tags {
    pub async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        let tag = |id: u64| format!("/admin/tags/{id}");
        let lang = wx.voice.lang;
        let said = match self {
            Self::List => {
                let answer = wx.api.get("/admin/tags").await?;
                wx.voice.answer(&answer, || {
                    let tags = answer.get("tags").and_then(Value::as_array);
                    table(wx.voice, TAGS, tags.map(Vec::as_slice).unwrap_or_default())
                });
                return Ok(Ending::Good);
            }
            Self::Members { id, after } => return members(wx, id, after.as_deref()).await,
            Self::Create { name } => {
                wx.api.post("/admin/tags", Some(json!({ "name": name }).to_string())).await?
            }
            Self::Rename { id, name } => {
                let body = json!({ "name": name }).to_string();
                wx.api.ask(Method::PUT, &tag(id), Some(body)).await?
            }
            Self::Delete { id, yes } => {
                go_on(wx, lang.pick("删除这个标签吗？", "Delete this tag?"), yes)?;
                wx.api.ask(Method::DELETE, &tag(id), None).await?
            }
            Self::Add { id, openids } => tagging(wx, &tag(id), "", &openids).await?,
            Self::Remove { id, openids } => tagging(wx, &tag(id), "/remove", &openids).await?,
        };
        wx.voice.answer(&said, || {
            let made = text(&said, "/tag/id");
            if made.is_empty() { wx.voice.done(lang.pick("完成", "done")) } else { wx.voice.done(&made) }
        });
        Ok(Ending::Good)
    }
}

async fn tagging(wx: &Wx, tag: &str, rest: &str, openids: &[String]) -> Result<Value, Stop> {
    let body = json!({ "openid_list": openids }).to_string();
    wx.api.post(&format!("{tag}/members{rest}"), Some(body)).await
}

async fn members(wx: &Wx, id: u64, after: Option<&str>) -> Result<Ending, Stop> {
    let path = with_query(&format!("/admin/tags/{id}/members"), [("next_openid", after)].into_iter());
    let answer = wx.api.get(&path).await?;
    wx.voice.answer(&answer, || {
        let openids = answer.pointer("/data/openid").and_then(Value::as_array).into_iter().flatten();
        openids.map(|openid| text(openid, "")).collect::<Vec<_>>().join("\n")
    });
    Ok(Ending::Good)
}
