//! The end of a container's log, bounded in lines, bytes and time: for the error of what failed.

use futures_util::StreamExt;
use pierhead_engine::{DynEngine, LogOptions};
use pierhead_model::ContainerId;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The most lines.
const LINES: usize = 20;
/// The most bytes of one line.
const LINE_BYTES: usize = 400;
/// How long an engine may take to tell them.
const PATIENCE: Duration = Duration::from_secs(2);

/// The last lines that a container printed, as it printed them. What an engine does not tell in time is left out.
pub(super) async fn read(engine: &DynEngine, id: &ContainerId) -> Vec<String> {
    let end = Instant::now() + PATIENCE;
    let options = LogOptions { tail: Some(LINES as u64), ..LogOptions::default() };
    let Ok(Ok(mut pieces)) = timeout_at(end, engine.logs(id, options)).await else { return Vec::new() };
    let mut text = Vec::new();
    while let Ok(Some(Ok(piece))) = timeout_at(end, pieces.next()).await {
        text.extend(piece.bytes);
        let surplus = text.len().saturating_sub(LINES * LINE_BYTES * 4);
        text.drain(..surplus);
    }
    last_lines(&text)
}

fn last_lines(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].iter().map(|line| cut(line)).collect()
}

fn cut(line: &str) -> String {
    if line.len() <= LINE_BYTES {
        return line.to_owned();
    }
    let end = (0..=LINE_BYTES).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &line[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_as_they_are() {
        let text: String = (0..30).map(|number| format!("line {number}\n")).collect();
        let lines = last_lines(text.as_bytes());
        assert_eq!((lines.len(), lines[0].as_str(), lines[19].as_str()), (20, "line 10", "line 29"));
        assert_eq!(last_lines(b"\x1b[31mred\n\xff"), ["\u{1b}[31mred", "\u{fffd}"]);
        assert!(last_lines(b"").is_empty());
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let lines = last_lines("ä".repeat(300).as_bytes());
        assert_eq!(lines, [format!("{}…", "ä".repeat(200))]);
        assert_eq!(last_lines("x".repeat(400).as_bytes()), ["x".repeat(400)]);
    }
}
