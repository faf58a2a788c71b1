//! Pages that stand in the place of an image whose file ends in `.md`.

use super::markdown;
use super::walk::{Source, Walk};
use comrak::nodes::{AstNode, NodeValue};

/// The most files that may include one another in a row.
const DEEPEST: usize = 8;

impl<'a> Walk<'_, 'a> {
    /// Puts the text of a file in the place of a paragraph that is only an image of it: `![](parts/setup.md)`.
    pub(super) fn include_in_place_of(&mut self, paragraph: &'a AstNode<'a>, source: Source<'_>) {
        let Some(url) = included(paragraph) else { return };
        let line = source.line_of(paragraph);
        markdown::replace(paragraph, markdown::html_block(String::new()));
        let path = match self.local(&url, source) {
            Ok(path) => path,
            Err(message) => return self.problems.error(source.file, line, message),
        };
        if self.open.contains(&path) {
            let way: Vec<&str> = self.open.iter().map(|open| open.as_str()).collect();
            let message = format!("{path} includes itself, by way of {}", way.join(", "));
            return self.problems.error(source.file, line, message);
        }
        if self.open.len() > DEEPEST {
            let message = format!("more than {DEEPEST} files include one another");
            return self.problems.error(source.file, line, message);
        }
        let Some(text) = self.renderer.folder.text(&path, (source.file, line), self.problems) else { return };
        let parts = crate::own::split_head(&text);
        let Some(left) = self.text_left.checked_sub(parts.1.len()) else {
            return self.problems.error(source.file, line, "the included files make the page too long");
        };
        self.text_left = left;
        let below = Source { file: &path, line: parts.0 };
        match markdown::parse(self.arena, parts.1) {
            Ok(root) => {
                self.open.push(path.clone());
                self.tree(root, below);
                self.open.pop();
                while let Some(child) = root.first_child() {
                    child.detach();
                    paragraph.insert_before(child);
                }
            }
            Err(refused) => self.refused(below, refused),
        }
    }
}

/// The file that a paragraph is only an image of, if it is Markdown.
fn included<'a>(paragraph: &'a AstNode<'a>) -> Option<String> {
    let only = paragraph.first_child().filter(|child| child.next_sibling().is_none())?;
    match &only.data().value {
        NodeValue::Image(image) if image.url.to_ascii_lowercase().ends_with(".md") => Some(image.url.clone()),
        _ => None,
    }
}
