//! `wx media` and `wx material`

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use hyper::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::Wx;
use super::ask::go_on;
use super::columns::{Column, Kind, Part, facts, list, text, with_query};
use super::download::Download;
use super::outgoing::Form;
use super::progress::Progress;
use super::stop::{Ending, Stop};
use crate::query;

#[derive(Debug, Subcommand)]
pub enum Media {
    /// Upload a file
    Upload(Upload),
    /// What was uploaded through this Worker, and until when it lives
    List(Part),
    /// Download a file
    Get(Download),
}

#[derive(Debug, Subcommand)]
pub enum Material {
    /// What WeChat keeps
    List {
        /// Of which type
        #[arg(long = "type", value_enum, default_value_t = Stored::Image)]
        kind: Stored,
        /// Entries to pass over
        #[arg(long)]
        offset: Option<u32>,
        /// Most entries, up to 20
        #[arg(long)]
        limit: Option<u16>,
    },
    /// How much of each type WeChat keeps
    Count,
    /// Download a file; of articles, their JSON
    Get(Download),
    /// Delete for good
    Delete {
        /// Its media_id
        #[arg(allow_hyphen_values = true)]
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// What can be uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Type {
    Image,
    Voice,
    Video,
    Thumb,
}

/// What WeChat keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stored {
    Image,
    Voice,
    Video,
    News,
}

#[derive(Debug, Args)]
pub struct Upload {
    file: PathBuf,
    /// What it is; without it, what the file's name says
    #[arg(long = "type", value_enum)]
    kind: Option<Type>,
    /// For good, not for three days
    #[arg(long)]
    permanent: bool,
    /// What to call it in `wx media list`; else the file's name
    #[arg(long, conflicts_with = "permanent")]
    name: Option<String>,
    /// The title of a permanent video
    #[arg(long, requires = "permanent")]
    title: Option<String>,
    /// What a permanent video is about
    #[arg(long, requires = "permanent")]
    introduction: Option<String>,
}

const MEDIA: &[Column] = &[
    Column("media_id", "media_id", "/media_id", Kind::Id),
    Column("类型", "type", "/type", Kind::Text),
    Column("名称", "name", "/name", Kind::Text),
    Column("上传", "uploaded", "/created", Kind::Millis),
    Column("到期", "expires", "/expires", Kind::Millis),
    Column("已过期", "expired", "/expired", Kind::Text),
];
const MATERIAL: &[Column] = &[
    Column("media_id", "media_id", "/media_id", Kind::Id),
    Column("名称", "name", "/name", Kind::Text),
    Column("更新", "updated", "/update_time", Kind::Seconds),
    Column("标题", "title", "/content/news_item/0/title", Kind::Text),
    Column("网址", "url", "/url", Kind::Text),
];

impl Media {
    pub async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        match self {
            Self::Upload(upload) => upload.run(wx).await,
            Self::List(part) => {
                list(wx, &format!("/admin/media{}", part.query(&[])), "wx media list --after", MEDIA).await
            }
            Self::Get(download) => download.run(wx, "media").await,
        }
    }
}

impl Material {
    pub async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        match self {
            Self::List { kind, offset, limit } => {
                let (kind, offset) = (word(kind), offset.map(|offset| offset.to_string()));
                let limit = limit.map(|limit| limit.to_string());
                let pairs = [
                    ("type", Some(kind.as_str())),
                    ("offset", offset.as_deref()),
                    ("limit", limit.as_deref()),
                ];
                let path = with_query("/admin/material", pairs.into_iter());
                list(wx, &path, &format!("wx material list --type {kind} --offset"), MATERIAL).await
            }
            Self::Count => {
                let counts = wx.api.get("/admin/material/count").await?;
                wx.voice.answer(&counts, || facts(&counts));
                Ok(Ending::Good)
            }
            Self::Get(download) => download.run(wx, "material").await,
            Self::Delete { id, yes } => {
                go_on(wx, wx.voice.lang.pick("永久删除吗？", "Delete it for good?"), yes)?;
                let path = format!("/admin/material/{}", query::encode(&id));
                let answer = wx.api.ask(Method::DELETE, &path, None).await?;
                wx.voice.answer(&answer, || wx.voice.done(wx.voice.lang.pick("已删除", "it is gone")));
                Ok(Ending::Good)
            }
        }
    }
}

/// A value as it is typed.
fn word(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

impl Upload {
    /// 1. what it is. 2. It is sent; if the Worker got a new access token meanwhile and did nothing, once more.
    async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        let (kind, mime) = self.kind(wx)?;
        let path = self.path(&kind);
        let answer = match self.send(wx, &path, mime).await {
            Err(Stop::Problem(problem)) if problem.body.get("retry_after").is_some() => {
                let seconds = problem.body.get("retry_after").and_then(Value::as_u64).unwrap_or_default();
                sleep(Duration::from_secs(seconds.min(10))).await;
                self.send(wx, &path, mime).await?
            }
            outcome => outcome?,
        };
        wx.voice.answer(&answer, || {
            let mut words = wx.voice.done(&wx.voice.paint.bold(&text(&answer, "/media_id")));
            let url = text(&answer, "/url");
            if !url.is_empty() {
                words += &format!("\n  {url}");
            }
            words
        });
        Ok(Ending::Good)
    }

    async fn send(&self, wx: &Wx, path: &str, mime: &str) -> Result<Value, Stop> {
        let description = self.description().map(|description| description.to_string());
        let field = description.as_deref().map(|description| ("description", description));
        let form = Form::of(&self.file, mime, field);
        let form = form.map_err(|error| Stop::Usage(format!("{}: {error}", self.file.display())))?;
        let mut progress =
            Progress::of(&self.file_name(), form.body.left(), wx.voice.lively && !wx.voice.json);
        let content = Some((form.content_type, form.body));
        wx.api.exchange(Method::POST, path, content, &mut progress).await?.document(wx.voice.lang).await
    }

    fn file_name(&self) -> String {
        self.file.file_name().map(|name| super::voice::tame(&name.to_string_lossy())).unwrap_or_default()
    }

    fn path(&self, kind: &str) -> String {
        let name = self.name.clone().unwrap_or_else(|| self.file_name());
        // As much as the API takes.
        let name: String = name.chars().take(128).collect();
        if self.permanent {
            return with_query("/admin/material", [("type", Some(kind))].into_iter());
        }
        with_query("/admin/media", [("type", Some(kind)), ("name", Some(name.as_str()))].into_iter())
    }

    /// What WeChat wants to know of a permanent video.
    fn description(&self) -> Option<Value> {
        let (title, introduction) = (self.title.as_deref(), self.introduction.as_deref());
        (title.is_some() || introduction.is_some()).then(
            || json!({ "title": title.unwrap_or_default(), "introduction": introduction.unwrap_or_default() }),
        )
    }

    fn kind(&self, wx: &Wx) -> Result<(String, &'static str), Stop> {
        let lang = wx.voice.lang;
        let guessed = guess(&self.file);
        let kind = self.kind.or(guessed.map(|(kind, _)| kind)).ok_or_else(|| {
            let words = lang.pick("看不出类型，请用 --type 说明", "what is it? Say so by --type");
            Stop::Usage(format!("{}: {words}", self.file.display()))
        })?;
        if kind == Type::Video && self.permanent && self.title.is_none() {
            let words = lang.pick("永久视频需要 --title", "a permanent video needs a --title");
            return Err(Stop::Usage(words.to_owned()));
        }
        Ok((word(kind), guessed.map_or("application/octet-stream", |(_, mime)| mime)))
    }
}

/// What a file's name says it is.
fn guess(file: &Path) -> Option<(Type, &'static str)> {
    let extension = file.extension()?.to_str()?.to_ascii_lowercase();
    Some(match extension.as_str() {
        "png" => (Type::Image, "image/png"),
        "jpg" | "jpeg" => (Type::Image, "image/jpeg"),
        "gif" => (Type::Image, "image/gif"),
        "bmp" => (Type::Image, "image/bmp"),
        "amr" => (Type::Voice, "audio/amr"),
        "mp3" => (Type::Voice, "audio/mpeg"),
        "mp4" => (Type::Video, "video/mp4"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are() {
        assert_eq!(guess(Path::new("a/海报.PNG")), Some((Type::Image, "image/png")));
        assert_eq!(guess(Path::new("a.amr")), Some((Type::Voice, "audio/amr")));
        assert_eq!(guess(Path::new("a.txt")), None);
        assert_eq!(word(Type::Thumb), "thumb");
    }
}
