//! QR codes: drawn in the page, or as a picture that a long press finds.

use std::fmt::Write;

use maud::{Markup, html};
use qrcodegen::{QrCode, QrCodeEcc};

use super::png;

/// White squares around the code, which readers need: ISO/IEC 18004, 6.3.8.
const QUIET: i32 = 4;

/// `text` as a drawing with a mark in its middle, which covers 3 % of it; the code stands 15 %. `None`: it is too long.
pub(super) fn drawing(text: &str, label: &str) -> Option<Markup> {
    let code = code(text)?;
    let side = code.size() + 2 * QUIET;
    // A square of 9 modules, in the middle; the version has an odd number of modules.
    let corner = (side - 9) / 2;
    Some(html! {
        svg.qr viewBox=(format!("0 0 {side} {side}")) role="img" aria-label=(label) {
            path.ink d=(path(&code)) {}
            rect.gap x=(corner) y=(corner) width="9" height="9" rx="2" {}
            g.mark transform=(format!("translate({corner} {corner})")) {
                rect x="1" y="1" width="7" height="7" rx="1.8" {}
                circle cx="4.5" cy="3.5" r="1.2" {}
                path d="M2.4 6.6a2.1 1.8 0 0 1 4.2 0z" {}
            }
        }
    })
}

/// `text` as the address of a picture. `None`: it is too long.
pub(super) fn picture(text: &str) -> Option<String> {
    let code = code(text)?;
    let line = |y| (-QUIET..code.size() + QUIET).map(|x| code.get_module(x, y)).collect();
    let rows: Vec<Vec<bool>> = (-QUIET..code.size() + QUIET).map(line).collect();
    Some(png::data_uri(&rows))
}

fn code(text: &str) -> Option<QrCode> {
    QrCode::encode_text(text, QrCodeEcc::Medium).ok()
}

/// A line for each run of black modules of a row, as short as SVG has it: strokes of width 1.
fn path(code: &QrCode) -> String {
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        // Where the pen is, once it is on this row.
        let mut pen = None;
        while x < code.size() {
            let run = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
            let run = i32::try_from(run).unwrap_or_default();
            if run > 0 {
                // Writing to a String cannot fail.
                let _ = match pen {
                    None => write!(path, "M{} {}.5h{run}", x + QUIET, y + QUIET),
                    Some(pen) => write!(path, "m{} 0h{run}", x - pen),
                };
                pen = Some(x + run);
            }
            x += run.max(1);
        }
    }
    path
}
