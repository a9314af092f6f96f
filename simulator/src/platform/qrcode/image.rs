//! The picture of a QR code.

use axum::body::Bytes;
use png::{BitDepth, ColorType, Encoder};
use qrcodegen::{QrCode, QrCodeEcc};

/// White modules around the code, as the standard asks for.
const BORDER: i32 = 4;
/// The picture is at most this wide, as WeChat's.
const WIDTH: i32 = 430;

/// A square PNG in black and white; absent if `text` is too long for a QR code.
pub fn png(text: &str) -> Option<Bytes> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let modules = code.size() + 2 * BORDER;
    let scale = (WIDTH / modules).max(1);
    let width = modules * scale;
    let pixel = |x, y| if code.get_module(x / scale - BORDER, y / scale - BORDER) { 0 } else { 255 };
    let pixels: Vec<u8> =
        (0..width).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect();
    let mut file = Vec::new();
    let side = u32::try_from(width).ok()?;
    let mut encoder = Encoder::new(&mut file, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    encoder.write_header().ok()?.write_image_data(&pixels).ok()?;
    Some(file.into())
}
