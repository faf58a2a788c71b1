//! How two states of a lab differ: which files, and of texts the lines.

use super::{LabFile, Library, LibraryError, Tree, blocking};
use pierhead_lab::LabPath;
use similar::TextDiff;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The largest text whose lines are compared, in bytes.
const LONGEST_TEXT: u64 = 256 << 10;
/// The most that all differences hold, in bytes: more are told by their files alone.
const MOST_BYTES: usize = 1 << 20;
/// The most files that are told.
const MOST_FILES: usize = 5_000;
/// How long lines of one file are compared; after that the answer is a coarser one.
const PATIENCE: Duration = Duration::from_millis(500);
/// How many lines are shown around each difference.
const AROUND: usize = 3;

/// How two states of a lab differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabDifference {
    /// The files that differ, by their paths.
    pub files: Vec<LabFileChange>,
    /// Whether there are more.
    pub has_more: bool,
}

/// How a file of a lab differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabFileChange {
    /// The file.
    pub path: LabPath,
    /// What it was; nothing if it was added.
    pub before: Option<LabFile>,
    /// What it is; nothing if it was removed.
    pub after: Option<LabFile>,
    /// The lines that differ, in the unified form; nothing for what is no text, too large, or one too many.
    pub lines: Option<String>,
}

impl Library {
    /// How one state differs from another.
    pub(crate) async fn difference(&self, from: &Arc<Tree>, to: &Arc<Tree>) -> Result<LabDifference, LibraryError> {
        let paths: BTreeSet<&LabPath> = from.files.keys().chain(to.files.keys()).collect();
        let mut difference = LabDifference::default();
        let mut left = MOST_BYTES;
        for path in paths {
            let (before, after) = (from.files.get(path).cloned(), to.files.get(path).cloned());
            if before == after {
                continue;
            }
            if difference.files.len() >= MOST_FILES {
                difference.has_more = true;
                break;
            }
            let lines = if left > 0 { self.lines(path, before.as_ref(), after.as_ref()).await? } else { None };
            let lines = lines.filter(|lines| lines.len() <= left);
            left -= lines.as_ref().map_or(0, String::len);
            difference.files.push(LabFileChange { path: path.clone(), before, after, lines });
        }
        Ok(difference)
    }

    async fn lines(
        &self,
        path: &LabPath,
        before: Option<&LabFile>,
        after: Option<&LabFile>,
    ) -> Result<Option<String>, LibraryError> {
        let (Some(before), Some(after)) = (self.text(before).await?, self.text(after).await?) else { return Ok(None) };
        let _place = self.reader().await?;
        let path = path.to_string();
        blocking(move || Ok(Some(unified(&before, &after, &path)))).await
    }

    /// The text of a file; empty if there is none, and nothing if it is no text.
    async fn text(&self, file: Option<&LabFile>) -> Result<Option<String>, LibraryError> {
        let Some(file) = file else { return Ok(Some(String::new())) };
        if file.bytes > LONGEST_TEXT {
            return Ok(None);
        }
        let bytes = self.content(file).await?;
        Ok(String::from_utf8(bytes.to_vec()).ok().filter(|text| !text.contains('\0')))
    }
}

fn unified(before: &str, after: &str, path: &str) -> String {
    let difference = TextDiff::configure().timeout(PATIENCE).diff_lines(before, after);
    difference.unified_diff().context_radius(AROUND).header(path, path).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_in_the_unified_form() {
        let text = unified("a\nb\nc\n", "a\nB\nc\n", "x.md");
        assert_eq!(text, "--- x.md\n+++ x.md\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
        assert!(unified("", "new\n", "x").contains("+new"));
    }

    #[test]
    fn hostile_texts_end_soon() {
        let one: String = (0..60_000).map(|number| format!("{}\n", number % 7)).collect();
        let other: String = (0..60_000).map(|number| format!("{}\n", number % 5)).collect();
        assert!(unified(&one, &other, "x").len() < 4 << 20);
    }
}
