//! How far an upload is.

use std::io::{Write, stderr};
use std::time::Duration;

/// How often a line of progress is written.
pub const TICK: Duration = Duration::from_millis(100);
/// Columns of the bar.
const BAR: u64 = 24;

/// A line that is written over and over; nothing where nobody looks.
#[derive(Debug)]
pub struct Progress {
    what: Option<String>,
    total: u64,
    ticks: u64,
}

impl Progress {
    /// No line.
    pub fn quiet() -> Self {
        Self { what: None, total: 0, ticks: 0 }
    }

    /// Of `total` bytes of something; no line unless it is `lively`.
    pub fn of(what: &str, total: u64, lively: bool) -> Self {
        Self { what: lively.then(|| what.to_owned()), total, ticks: 0 }
    }

    /// Time went by, and so many bytes have left.
    pub fn tick(&mut self, sent: u64) {
        self.ticks += 1;
        if let Some(what) = &self.what {
            let span = TICK.saturating_mul(u32::try_from(self.ticks).unwrap_or(u32::MAX));
            write(&format!("\r\u{1b}[2K{what}  {}", line(sent, self.total, span)));
        }
    }

    /// Takes the line away.
    pub fn end(&mut self) {
        if self.what.take().is_some() {
            write("\r\u{1b}[2K");
        }
    }
}

/// Writes what is no line.
pub fn write(text: &str) {
    let mut stderr = stderr();
    let _ = write!(stderr, "{text}");
    let _ = stderr.flush();
}

/// A bar, how much of how much, and how fast.
fn line(sent: u64, total: u64, span: Duration) -> String {
    // Around the file, the request has a head, which nobody wants to know of.
    let sent = sent.min(total);
    let full = (sent * BAR).checked_div(total).unwrap_or(BAR);
    let bar: String = (0..BAR).map(|column| if column < full { '━' } else { '─' }).collect();
    let percent = (sent * 100).checked_div(total).unwrap_or(100);
    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1);
    format!("{bar} {percent:3} %  {} / {}  {}/s", size(sent), size(total), size(sent * 1_000 / millis))
}

/// A size for people.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is() {
        let of = |sent, total| line(sent, total, Duration::from_secs(2));
        assert_eq!(of(0, 4_000_000), "────────────────────────   0 %  0 B / 4.0 MB  0 B/s");
        assert_eq!(of(2_500_000, 5_000_000), "━━━━━━━━━━━━────────────  50 %  2.5 MB / 5.0 MB  1.2 MB/s");
        assert_eq!(of(5_000_900, 5_000_000), "━━━━━━━━━━━━━━━━━━━━━━━━ 100 %  5.0 MB / 5.0 MB  2.5 MB/s");
        assert!(of(0, 0).contains("100 %"));
    }
}
