//! A file from WeChat, written as it comes.

use std::fs::{File, OpenOptions, remove_file, rename};
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use clap::Args;
use hyper::Method;
use serde_json::json;

use super::Wx;
use super::api::Arriving;
use super::document::STDIN;
use super::progress::{Progress, size};
use super::stop::{Ending, Stop};
use crate::query;

/// Which file, and where to.
#[derive(Debug, Args)]
pub struct Download {
    /// Its media_id
    #[arg(allow_hyphen_values = true)]
    id: String,
    /// The file to write; - for standard output
    #[arg(long, short, value_name = "FILE")]
    output: String,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

impl Download {
    /// 1. the file is asked for; of a video, WeChat says where it is
    /// 2. it is written beside its place, and put there when it is whole
    pub async fn run(self, wx: &Wx, family: &str) -> Result<Ending, Stop> {
        let to_stdout = self.output == STDIN;
        if !to_stdout && !self.force && Path::new(&self.output).exists() {
            let words =
                wx.voice.lang.pick("已存在，覆盖请加 --force", "is there already: --force to write over it");
            return Err(Stop::Usage(format!("{}: {words}", self.output)));
        }
        let path = format!("/admin/{family}/{}", query::encode(&self.id));
        let mut arriving = wx.api.exchange(Method::GET, &path, None, &mut Progress::quiet()).await?;
        if arriving.is_json() {
            let answer = arriving.document(wx.voice.lang).await?;
            let video = ["video_url", "down_url"].iter().find_map(|name| answer.get(name)?.as_str());
            let Some(video) = video else { return self.keep(wx, format!("{answer:#}\n").as_bytes()) };
            let target = video.parse().map_err(|error| Stop::Refused(format!("{video}: {error}")))?;
            arriving = wx.api.elsewhere(&target).await?;
        }
        if to_stdout {
            write_all(&mut arriving, &mut stdout()).await?;
            return Ok(Ending::Good);
        }
        let (mut part, mut file) = self.part()?;
        let written = write_all(&mut arriving, &mut file).await?;
        part.put(&self.output)?;
        self.told(wx, written);
        Ok(Ending::Good)
    }

    /// What came was not the file, but what WeChat knows of it: articles.
    fn keep(&self, wx: &Wx, content: &[u8]) -> Result<Ending, Stop> {
        if self.output == STDIN {
            let _ = stdout().write_all(content);
            return Ok(Ending::Good);
        }
        let (mut part, mut file) = self.part()?;
        file.write_all(content).map_err(|error| Stop::Usage(format!("{}: {error}", self.output)))?;
        part.put(&self.output)?;
        self.told(wx, content.len() as u64);
        Ok(Ending::Good)
    }

    fn told(&self, wx: &Wx, written: u64) {
        let answer = json!({ "file": self.output, "bytes": written });
        wx.voice.answer(&answer, || wx.voice.done(&format!("{}  {}", self.output, size(written))));
    }

    fn part(&self) -> Result<(Part, File), Stop> {
        let path = PathBuf::from(format!("{}.part", self.output));
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(|error| Stop::Usage(format!("{}: {error}", path.display())))?;
        Ok((Part { path: Some(path) }, file))
    }
}

/// A file that is not whole; what is not put in its place goes.
struct Part {
    path: Option<PathBuf>,
}

impl Part {
    fn put(&mut self, place: &str) -> Result<(), Stop> {
        let Some(path) = &self.path else { return Ok(()) };
        rename(path, place).map_err(|error| Stop::Usage(format!("{place}: {error}")))?;
        self.path = None;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = remove_file(path);
        }
    }
}

async fn write_all(arriving: &mut Arriving, into: &mut impl Write) -> Result<u64, Stop> {
    let mut written = 0;
    while let Some(piece) = arriving.piece().await? {
        into.write_all(&piece).map_err(|error| Stop::Usage(error.to_string()))?;
        written += piece.len() as u64;
    }
    into.flush().map_err(|error| Stop::Usage(error.to_string()))?;
    Ok(written)
}
