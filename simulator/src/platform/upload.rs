//! What `media/upload`, `media/uploadimg` and `material/add_material` have in common: a file in a form, and its limits.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/New_temporary_materials.html>

use axum::body::Bytes;

use super::ApiRequest;
use super::errcode::{self, Errcode};
use crate::multipart::{self, Part};
use crate::{playtime, sniff};

const FILE_SIZE: Errcode = Errcode(40006);
const IMAGE_SIZE: Errcode = Errcode(40009);
const FILE_FORMAT: Errcode = Errcode(40113);
const EMPTY_FILE: Errcode = Errcode(44001);
const TOO_BIG: Errcode = Errcode(45001);
const TOO_LONG_VOICE: Errcode = Errcode(45007);

/// A file of so few bytes is none.
const LEAST_BYTES: usize = 5;
/// Most bytes of a picture inside an article.
const ARTICLE_IMAGE_BYTES: usize = 1 << 20;
/// The longest recording.
const VOICE_MS: u64 = 60_000;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A picture: PNG, JPEG or GIF up to 10 MB.
    Image,
    /// A recording: AMR or MP3 up to 2 MB and a minute.
    Voice,
    /// A video: MP4 up to 10 MB.
    Video,
    /// A thumbnail: JPEG up to 64 KB.
    Thumb,
}

impl Kind {
    /// WeChat's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Voice => "voice",
            Self::Video => "video",
            Self::Thumb => "thumb",
        }
    }

    /// The kind with WeChat's name.
    ///
    /// # Errors
    /// 40004 for another name.
    pub fn named(name: &str) -> Result<Self, Errcode> {
        let kinds = [Self::Image, Self::Voice, Self::Video, Self::Thumb];
        kinds.into_iter().find(|kind| kind.name() == name).ok_or(errcode::MEDIA_TYPE)
    }

    /// Most bytes, and the suffixes that a file's name may have, those of its format as `sniff` calls it first.
    fn limits(self) -> (usize, &'static [&'static str]) {
        match self {
            Self::Image => (10 << 20, &["jpg", "png", "gif", "jpeg"]),
            Self::Voice => (2 << 20, &["amr", "mp3"]),
            Self::Video => (10 << 20, &["mp4"]),
            Self::Thumb => (64 << 10, &["jpg", "jpeg"]),
        }
    }
}

/// A file that was uploaded.
#[derive(Debug)]
pub struct Upload {
    /// Its name.
    pub name: String,
    /// Its content.
    pub bytes: Bytes,
}

/// Reads the form's parts, as far as it is one.
pub fn form(request: &ApiRequest) -> Vec<Part<'_>> {
    multipart::parse(&request.content_type, &request.body).unwrap_or_default()
}

/// The form's file `media`, of the kind that the query's `type` names.
///
/// # Errors
/// 40004 to 40006, 40113, 41005, 44001, 45001, 45007.
pub fn media(request: &ApiRequest) -> Result<(Kind, Upload), Errcode> {
    let kind = Kind::named(request.parameter("type").unwrap_or_default())?;
    let upload = file(request)?;
    let (most, suffixes) = kind.limits();
    check(&upload, suffixes, most, TOO_BIG)?;
    if kind == Kind::Voice && playtime::ms(&upload.bytes) > VOICE_MS {
        return Err(TOO_LONG_VOICE);
    }
    Ok((kind, upload))
}

/// The form's file `media`: a picture for the inside of an article, JPEG or PNG under 1 MB.
///
/// # Errors
/// 40005, 40006, 40009, 40113, 41005, 44001.
pub fn article_image(request: &ApiRequest) -> Result<Upload, Errcode> {
    let upload = file(request)?;
    check(&upload, &["jpg", "png", "jpeg"], ARTICLE_IMAGE_BYTES, IMAGE_SIZE)?;
    Ok(upload)
}

/// WeChat takes the field for a file only if it has a file's name.
fn file(request: &ApiRequest) -> Result<Upload, Errcode> {
    let parts = form(request);
    let part = multipart::get(&parts, "media").ok_or(errcode::NO_FILE)?;
    let name = part.filename.clone().filter(|name| !name.is_empty()).ok_or(errcode::NO_FILE)?;
    Ok(Upload { name, bytes: request.body.slice_ref(part.content) })
}

fn check(upload: &Upload, suffixes: &[&str], most: usize, too_big: Errcode) -> Result<(), Errcode> {
    let suffix = upload.name.rsplit_once('.').map(|(_, suffix)| suffix.to_ascii_lowercase());
    if !suffix.is_some_and(|suffix| suffixes.contains(&suffix.as_str())) {
        return Err(errcode::FILE_SUFFIX);
    }
    match upload.bytes.len() {
        0 => return Err(EMPTY_FILE),
        size if size > most => return Err(too_big),
        size if size < LEAST_BYTES => return Err(FILE_SIZE),
        _ => {}
    }
    let format = sniff::file_type(&upload.bytes).extension;
    if suffixes.contains(&format) { Ok(()) } else { Err(FILE_FORMAT) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
    const JPEG: &[u8] = b"\xFF\xD8\xFF\xE0\x00";
    const AMR: &[u8] = b"#!AMR\n\x3c";

    fn ask(kind: &str, filename: Option<&str>, content: &[u8]) -> ApiRequest {
        let filename = filename.map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"media\"{filename}\r\n\r\n");
        ApiRequest {
            method: "POST".to_owned(),
            path: String::new(),
            query: vec![("type".to_owned(), kind.to_owned())],
            content_type: "multipart/form-data; boundary=b".to_owned(),
            body: [head.as_bytes(), content, b"\r\n--b--\r\n"].concat().into(),
        }
    }

    #[track_caller]
    fn refused(kind: &str, filename: &str, content: &[u8], code: i64) {
        assert_eq!(
            media(&ask(kind, Some(filename), content)).unwrap_err(),
            Errcode(code),
            "{kind} {filename}"
        );
    }

    fn padded(start: &[u8], size: usize) -> Vec<u8> {
        let mut bytes = start.to_vec();
        bytes.resize(size, 0x7C);
        bytes
    }

    #[test]
    fn a_file_comes_with_its_name_and_bytes() {
        let (kind, upload) = media(&ask("image", Some("图.PNG"), PNG)).unwrap();
        assert_eq!((kind, upload.name.as_str(), &upload.bytes[..]), (Kind::Image, "图.PNG", PNG));
    }

    #[test]
    fn each_limit_has_its_code() {
        refused("film", "a.png", PNG, 40004);
        refused("image", "a.bmp", PNG, 40005);
        refused("image", "png", PNG, 40005);
        refused("thumb", "a.png", PNG, 40005);
        refused("image", "a.jpg", b"\xFF\xD8\xFF", 40006);
        refused("image", "a.png", b"<html>", 40113);
        refused("thumb", "a.jpg", PNG, 40113);
        refused("image", "", PNG, 41005);
        refused("image", "a.png", b"", 44001);
        refused("image", "a.png", &padded(PNG, (10 << 20) + 1), 45001);
        refused("thumb", "a.jpg", &padded(JPEG, (64 << 10) + 1), 45001);
        refused("voice", "a.amr", &padded(AMR, (2 << 20) + 1), 45001);
        refused("voice", "a.amr", &padded(AMR, 100_000), 45007);
        assert_eq!(media(&ask("image", None, PNG)).unwrap_err(), errcode::NO_FILE);
        assert!(media(&ask("thumb", Some("a.jpeg"), &padded(JPEG, 64 << 10))).is_ok());
        let plain = ApiRequest { content_type: "image/png".to_owned(), ..ask("image", None, PNG) };
        assert_eq!(media(&plain).unwrap_err(), errcode::NO_FILE);
    }

    #[test]
    fn pictures_inside_articles_are_smaller() {
        assert!(article_image(&ask("", Some("a.png"), PNG)).is_ok());
        let big = padded(PNG, (1 << 20) + 1);
        assert_eq!(article_image(&ask("", Some("a.png"), &big)).unwrap_err(), IMAGE_SIZE);
        assert_eq!(article_image(&ask("", Some("a.gif"), b"GIF89a")).unwrap_err(), errcode::FILE_SUFFIX);
    }
}
