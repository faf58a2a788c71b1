//! Goes through the tree of a page and takes out what is more than text.

use super::clean::without_slots;
use super::markdown;
use super::{LONGEST_PAGE, RenderedBlock, Renderer};
use crate::grammar::{self, Info};
use crate::model::{Action, Page, Problems, Quiz};
use crate::path::LabPath;
use crate::variables;
use comrak::Arena;
use comrak::nodes::{AstNode, NodeValue};

/// A page on its way to being HTML.
pub(super) struct Walk<'r, 'a> {
    pub(super) renderer: &'r Renderer<'r>,
    pub(super) arena: &'a Arena<'a>,
    pub(super) problems: &'r mut Problems,
    pub(super) blocks: Vec<RenderedBlock>,
    pub(super) quizzes: Vec<Quiz>,
    /// The files that include one another, the page first.
    pub(super) open: Vec<LabPath>,
    /// How many bytes of text further files may bring.
    pub(super) text_left: usize,
}

/// Where in a file a tree begins.
#[derive(Clone, Copy)]
pub(super) struct Source<'s> {
    pub(super) file: &'s LabPath,
    pub(super) line: u32,
}

impl Source<'_> {
    /// The line of the file on which a node begins.
    pub(super) fn line_of<'a>(&self, node: &'a AstNode<'a>) -> u32 {
        let line = node.data().sourcepos.start.line.saturating_sub(1);
        u32::try_from(line).unwrap_or(u32::MAX).saturating_add(self.line)
    }
}

impl<'r, 'a> Walk<'r, 'a> {
    pub(super) fn new(renderer: &'r Renderer<'r>, arena: &'a Arena<'a>, problems: &'r mut Problems) -> Self {
        let (blocks, quizzes) = (Vec::new(), Vec::new());
        Self { renderer, arena, problems, blocks, quizzes, open: Vec::new(), text_left: LONGEST_PAGE }
    }

    /// What was taken out.
    pub(super) fn done(self) -> (Vec<RenderedBlock>, Vec<Quiz>) {
        (self.blocks, self.quizzes)
    }

    /// The HTML of a page.
    pub(super) fn page(&mut self, page: &Page) -> String {
        let source = Source { file: &page.file, line: page.line };
        if page.text.len() > LONGEST_PAGE {
            let message = format!("the page has more than {LONGEST_PAGE} bytes; make several steps of it");
            self.problems.error(&page.file, page.line, message);
            return markdown::as_text(&page.text);
        }
        self.open.push(page.file.clone());
        let root = match markdown::parse(self.arena, &page.text) {
            Ok(root) => root,
            Err(refused) => {
                self.refused(source, refused);
                return markdown::as_text(&page.text);
            }
        };
        self.tree(root, source);
        self.html(root, source).unwrap_or_else(|| markdown::as_text(&page.text))
    }

    /// Says why a text was not parsed.
    pub(super) fn refused(&mut self, source: Source<'_>, (line, message): (u32, &str)) {
        self.problems.error(source.file, source.line.saturating_add(line - 1), message);
    }

    /// The cleaned HTML of a tree; none if it is too long.
    pub(super) fn html(&mut self, root: &'a AstNode<'a>, source: Source<'_>) -> Option<String> {
        let html = markdown::html(root);
        if html.is_none() {
            self.problems.error(source.file, source.line, "the page becomes too long; make several steps of it");
        }
        Some(self.renderer.cleaner.clean(&html?).to_string())
    }

    /// Takes out of a tree what is more than text.
    pub(super) fn tree(&mut self, root: &'a AstNode<'a>, source: Source<'_>) {
        let mut hints = Vec::new();
        let mut next = Some(root);
        while let Some(node) = next {
            if self.is_hint(node) {
                hints.push((node, self.add(RenderedBlock::Hint { title: String::new(), html: String::new() })));
            }
            self.node(node, source);
            next = markdown::following(node, root);
        }
        // The inner ones first: an outer one holds their slots.
        for (node, block) in hints.into_iter().rev() {
            self.hint(node, block, source);
        }
    }

    fn node(&mut self, node: &'a AstNode<'a>, source: Source<'_>) {
        let value = node.data().value.clone();
        match value {
            NodeValue::Text(text) => self.text(node, &text, source),
            NodeValue::Code(code) => self.code(node, &code.literal, source),
            NodeValue::CodeBlock(block) => self.fence(node, &block.info, &block.literal, source),
            NodeValue::Link(link) => self.link(node, &link.url, source),
            NodeValue::Image(image) => self.image(node, &image.url, &image.title, source),
            NodeValue::Paragraph => self.include_in_place_of(node, source),
            NodeValue::HtmlInline(html) => {
                let html = self.raw(node, &html, source);
                node.data_mut().value = NodeValue::HtmlInline(html);
            }
            NodeValue::HtmlBlock(block) => {
                let html = self.raw(node, &block.literal, source);
                node.data_mut().value = markdown::html_block(html);
            }
            _ => {}
        }
    }

    pub(super) fn add(&mut self, block: RenderedBlock) -> usize {
        self.blocks.push(block);
        self.blocks.len() - 1
    }

    pub(super) fn error(&mut self, source: Source<'_>, node: &'a AstNode<'a>, message: impl Into<String>) {
        self.problems.error(source.file, source.line_of(node), message);
    }

    pub(super) fn filled(&self, text: &str) -> String {
        variables::fill(text, self.renderer.values, |_| ()).into_owned()
    }

    fn text(&mut self, node: &'a AstNode<'a>, text: &str, source: Source<'_>) {
        let mut unknown = Vec::new();
        let filled = variables::fill(text, self.renderer.values, |name| unknown.push(name.to_owned())).into_owned();
        for name in unknown {
            self.error(source, node, format!("the lab has no variable {name}"));
        }
        node.data_mut().value = NodeValue::Text(filled.into());
    }

    fn code(&mut self, node: &'a AstNode<'a>, literal: &str, source: Source<'_>) {
        let code = self.filled(literal);
        let after = node.next_sibling().and_then(|next| match &next.data().value {
            NodeValue::Text(text) => grammar::suffix(text).map(|(action, end)| (action, text[end..].to_owned())),
            _ => None,
        });
        let Some((action, rest)) = after else {
            if let NodeValue::Code(code_of_node) = &mut node.data_mut().value {
                code_of_node.literal = code;
            }
            return;
        };
        if let Some(next) = node.next_sibling() {
            next.data_mut().value = NodeValue::Text(rest.into());
        }
        match action {
            Ok(action) => self.acting(node, code, (String::new(), action), true, source),
            Err(message) => self.error(source, node, message),
        }
    }

    fn fence(&mut self, node: &'a AstNode<'a>, info: &str, literal: &str, source: Source<'_>) {
        let mut code = self.filled(literal);
        let language = match grammar::info(info) {
            Ok(Info::Plain(language)) => language,
            Ok(Info::Action(language, action)) => {
                code.truncate(code.trim_end_matches('\n').len());
                return self.acting(node, code, (language, action), false, source);
            }
            Ok(Info::Quiz { name, score }) => return self.quiz(node, (name, score), literal, source),
            Err(message) => {
                self.error(source, node, message);
                String::new()
            }
        };
        if let NodeValue::CodeBlock(block) = &mut node.data_mut().value {
            block.info = language;
            block.literal = code;
        }
    }

    /// Makes a block of code that does something.
    fn acting(
        &mut self,
        node: &'a AstNode<'a>,
        code: String,
        (language, action): (String, Action),
        inline: bool,
        source: Source<'_>,
    ) {
        let block = match action {
            Action::Run { terminal, interrupt } => {
                if let Some(message) = self.renderer.unknown_terminal(terminal.as_deref()) {
                    self.error(source, node, message);
                }
                RenderedBlock::Run { code, language, terminal, interrupt, inline }
            }
            Action::Copy => RenderedBlock::Copy { code, language, inline },
            Action::Edit { file, container } => {
                if let Some(message) = self.renderer.unknown_container(container.as_deref()) {
                    self.error(source, node, message);
                }
                RenderedBlock::Edit { code, language, file, container }
            }
        };
        let block = self.add(block);
        markdown::put_slot(node, block, inline);
    }

    /// Raw HTML of the author, on its way to being cleaned.
    fn raw(&mut self, node: &'a AstNode<'a>, html: &str, source: Source<'_>) -> String {
        let html = without_slots(html);
        if html.to_ascii_lowercase().contains("<img") {
            self.error(source, node, "an image is written as `![what it shows](images/x.png)`, not as HTML");
        }
        variables::fill(&html, &self.renderer.escaped, |_| ()).into_owned()
    }
}
