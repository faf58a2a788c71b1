//! Questions: what students see of them, and what is right.

use super::markdown;
use super::walk::{Source, Walk};
use super::{RenderedBlock, RenderedQuiz};
use crate::grammar;
use crate::model::{Answers, Quiz};
use comrak::nodes::{AstNode, NodeValue};

impl<'a> Walk<'_, 'a> {
    pub(super) fn quiz(
        &mut self,
        node: &'a AstNode<'a>,
        (name, score): (Option<String>, u32),
        content: &str,
        source: Source<'_>,
    ) {
        let name = name.unwrap_or_else(|| format!("quiz-{}", self.quizzes.len() + 1));
        if self.quizzes.iter().any(|quiz| quiz.name == name) {
            self.error(source, node, format!("the step has two quizzes {name}"));
        }
        let mut quiz = match grammar::quiz(name, score, content) {
            Ok(quiz) => quiz,
            Err(message) => {
                self.error(source, node, message);
                return markdown::replace(node, markdown::html_block(String::new()));
            }
        };
        if let Answers::Text(texts) = &mut quiz.answers {
            for text in texts {
                *text = self.filled(text);
            }
        }
        let rendered = self.rendered(&quiz, node, source);
        self.quizzes.push(quiz);
        let block = self.add(RenderedBlock::Quiz(rendered));
        markdown::put_slot(node, block, false);
    }

    fn rendered(&mut self, quiz: &Quiz, node: &'a AstNode<'a>, source: Source<'_>) -> RenderedQuiz {
        let line = source.line_of(node).saturating_add(1);
        let at = Source { file: source.file, line };
        let question = self.fragment(&quiz.question, at);
        let (options, several) = match &quiz.answers {
            Answers::Choice(options) => {
                let right = options.iter().filter(|option| option.right).count();
                (options.iter().map(|option| self.fragment(&option.text, at)).collect(), right > 1)
            }
            Answers::Text(_) => (Vec::new(), false),
        };
        RenderedQuiz { name: quiz.name.clone(), question, options, several, score: quiz.score }
    }

    /// Cleaned HTML of Markdown in which nothing is more than text.
    pub(super) fn fragment(&mut self, text: &str, source: Source<'_>) -> String {
        let root = match markdown::parse(self.arena, text) {
            Ok(root) => root,
            Err(refused) => {
                self.refused(source, refused);
                return markdown::as_text(text);
            }
        };
        let mut next = Some(root);
        while let Some(node) = next {
            let value = node.data().value.clone();
            let filled = match value {
                NodeValue::Text(text) => Some(NodeValue::Text(self.filled(&text).into())),
                NodeValue::Code(mut code) => {
                    code.literal = self.filled(&code.literal);
                    Some(NodeValue::Code(code))
                }
                NodeValue::Image(_) => {
                    self.error(source, node, "images stand before a quiz, not in it");
                    markdown::replace(node, NodeValue::Text(markdown::plain_text(node).into()));
                    None
                }
                NodeValue::HtmlInline(_) => Some(NodeValue::HtmlInline(String::new())),
                NodeValue::HtmlBlock(_) => Some(markdown::html_block(String::new())),
                _ => None,
            };
            if let Some(filled) = filled {
                node.data_mut().value = filled;
            }
            next = markdown::following(node, root);
        }
        self.html(root, source).unwrap_or_default()
    }
}
