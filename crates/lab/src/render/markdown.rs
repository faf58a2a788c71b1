//! Markdown in, HTML out, both within bounds.

use super::clean::escaped;
use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options};
use std::fmt;

/// The most bytes of a page's HTML.
const LONGEST_HTML: usize = 4 << 20;
/// The most quotes and lists that may stand inside one another, as marks at the beginning of a line.
const DEEPEST: usize = 40;
/// The most ampersands of a page.
const AMPERSANDS: usize = 4096;

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.ofm_callouts = true;
    // Raw HTML goes through the list of what is allowed, like everything else.
    options.render.r#unsafe = true;
    options
}

/// Parses Markdown.
///
/// # Errors
/// The line, from 1, and what is on it that nobody means and that would take too long.
pub(super) fn parse<'a>(arena: &'a Arena<'a>, text: &str) -> Result<&'a AstNode<'a>, (u32, &'static str)> {
    let line_of = |line| u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1);
    if let Some(line) = text.lines().position(is_too_deep) {
        return Err((line_of(line), "too many quotes and lists begin inside one another on this line"));
    }
    // Writing HTML looks at all of a text again after each of them.
    let ampersands = text.lines().scan(0, |sum, line| {
        *sum += line.bytes().filter(|byte| *byte == b'&').count();
        Some(*sum)
    });
    if let Some(line) = { ampersands }.position(|sum| sum > AMPERSANDS) {
        return Err((line_of(line), "the page has thousands of ampersands by here"));
    }
    Ok(comrak::parse_document(arena, text, &options()))
}

/// Whether a line begins with more marks of quotes and lists than anybody writes.
fn is_too_deep(line: &str) -> bool {
    let (mut rest, mut marks) = (line.trim_start(), 0);
    while let Some(behind) = behind_mark(rest) {
        (rest, marks) = (behind.trim_start(), marks + 1);
    }
    // A line of nothing but hyphens or stars is a rule or underlines a heading.
    let mut distinct = line.chars().filter(|c| !c.is_whitespace());
    let first = distinct.next();
    marks > DEEPEST && !(first != Some('>') && distinct.all(|c| Some(c) == first))
}

/// What is behind the mark of a quote or a list that a text begins with; that of a list has a blank behind it.
fn behind_mark(text: &str) -> Option<&str> {
    if let Some(behind) = text.strip_prefix('>') {
        return Some(behind);
    }
    let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let behind =
        if number.len() < text.len() { number.strip_prefix(['.', ')']) } else { text.strip_prefix(['-', '*', '+']) };
    behind.filter(|behind| behind.is_empty() || behind.starts_with([' ', '\t']))
}

/// HTML of a tree, not cleaned yet; none if it is longer than a page may be.
pub(super) fn html<'a>(root: &'a AstNode<'a>) -> Option<String> {
    let mut bounded = Bounded(String::new());
    comrak::format_html(root, &options(), &mut bounded).ok()?;
    Some(bounded.0)
}

struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LONGEST_HTML {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// The node that comes next in the order of the document, within `root`.
pub(super) fn following<'a>(node: &'a AstNode<'a>, root: &'a AstNode<'a>) -> Option<&'a AstNode<'a>> {
    if let Some(child) = node.first_child() {
        return Some(child);
    }
    let mut node = node;
    while !node.same_node(root) {
        if let Some(next) = node.next_sibling() {
            return Some(next);
        }
        node = node.parent()?;
    }
    None
}

/// The text of a node without any marks.
pub(super) fn plain_text<'a>(node: &'a AstNode<'a>) -> String {
    let mut text = String::new();
    for node in node.descendants() {
        match &node.data().value {
            NodeValue::Text(part) => text.push_str(part),
            NodeValue::Code(code) => text.push_str(&code.literal),
            NodeValue::SoftBreak | NodeValue::LineBreak => text.push(' '),
            _ => {}
        }
    }
    text.trim().to_owned()
}

/// Puts a slot in the place of a node and all that is in it.
pub(super) fn put_slot<'a>(node: &'a AstNode<'a>, block: usize, inline: bool) {
    let value = if inline {
        NodeValue::HtmlInline(format!("<span data-block=\"{block}\"></span>"))
    } else {
        html_block(format!("<div data-block=\"{block}\"></div>\n"))
    };
    replace(node, value);
}

/// Makes a node another one without anything in it.
pub(super) fn replace<'a>(node: &'a AstNode<'a>, value: NodeValue) {
    while let Some(child) = node.first_child() {
        child.detach();
    }
    node.data_mut().value = value;
}

/// A block of HTML.
pub(super) fn html_block(literal: String) -> NodeValue {
    NodeValue::HtmlBlock(comrak::nodes::NodeHtmlBlock { block_type: 6, literal })
}

/// A page that could not be rendered, as the text that it is.
pub(super) fn as_text(text: &str) -> String {
    const SHOWN: usize = 64 << 10;
    let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= SHOWN).last().unwrap_or(0);
    let end = if text.len() <= SHOWN { text.len() } else { end };
    format!("<pre>{}</pre>", escaped(&text[..end]))
}
