//! The pictures of people: a pattern of the id, always the same.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use sha1::{Digest, Sha1};

use crate::query;

/// The side of the pattern in fields; it is symmetrical.
const FIELDS: u8 = 5;

/// Where the picture is, in the size that WeChat's `headimgurl` has.
pub fn url(base_url: &str, id: &str) -> String {
    format!("{base_url}{}", path(id))
}

/// The same without the server.
pub fn path(id: &str) -> String {
    format!("/mmopen/{}/132", query::encode(id))
}

/// `GET /mmopen/{id}/{size}`
pub async fn handle(Path((id, _size)): Path<(String, String)>) -> Response {
    let headers = [
        (CONTENT_TYPE, "image/svg+xml"),
        (CACHE_CONTROL, "max-age=86400"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, draw(&id)).into_response()
}

fn draw(id: &str) -> String {
    let digest = Sha1::digest(id);
    let mut bytes = digest.iter().copied();
    let hue = u32::from(bytes.next().unwrap_or_default()) * 360 / 256;
    let mut pattern = String::new();
    for row in 0..FIELDS {
        for column in 0..=FIELDS / 2 {
            if bytes.next().is_none_or(|byte| byte < 128) {
                continue;
            }
            let mirrored = FIELDS - 1 - column;
            for x in if column == mirrored { vec![column] } else { vec![column, mirrored] } {
                pattern.push_str(&format!("M{x} {row}h1v1h-1z"));
            }
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"132\" height=\"132\" viewBox=\"-1 -1 7 7\" \
         shape-rendering=\"crispEdges\"><path fill=\"hsl({hue} 45% 88%)\" d=\"M-1-1h7v7h-7z\"/>\
         <path fill=\"hsl({hue} 55% 38%)\" d=\"{pattern}\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_has_their_own_picture() {
        assert_eq!(draw("小明"), draw("小明"));
        let pictures: std::collections::BTreeSet<_> = (0..1000).map(|n| draw(&n.to_string())).collect();
        assert_eq!(pictures.len(), 1000);
        assert_eq!(url("http://127.0.0.1:1", "小/明"), "http://127.0.0.1:1/mmopen/%E5%B0%8F%2F%E6%98%8E/132");
    }
}
