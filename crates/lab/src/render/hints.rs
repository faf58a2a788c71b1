//! Hints: quotes that begin with `[!HINT]`.

use super::RenderedBlock;
use super::markdown;
use super::walk::{Source, Walk};
use comrak::nodes::{AstNode, NodeValue};

impl<'a> Walk<'_, 'a> {
    pub(super) fn is_hint(&self, node: &'a AstNode<'a>) -> bool {
        matches!(&node.data().value, NodeValue::Callout(callout) if callout.callout_type.eq_ignore_ascii_case("hint"))
    }

    /// Makes a block of a hint whose content was gone through already.
    pub(super) fn hint(&mut self, node: &'a AstNode<'a>, block: usize, source: Source<'_>) {
        let mut title = String::new();
        let content = self.arena.alloc(NodeValue::Document.into());
        while let Some(child) = node.first_child() {
            child.detach();
            if matches!(child.data().value, NodeValue::CalloutTitle) {
                title = markdown::plain_text(child);
            } else {
                content.append(child);
            }
        }
        if content.first_child().is_none() {
            self.error(source, node, "a hint needs lines `> …` after its first");
        }
        let at = Source { file: source.file, line: source.line_of(node) };
        let html = self.html(content, at).unwrap_or_default();
        self.blocks[block] = RenderedBlock::Hint { title, html };
        markdown::put_slot(node, block, false);
    }
}
