//! Links and images: to previews, other steps, files of the folder, and the world outside.

use super::RenderedBlock;
use super::markdown;
use super::walk::{Source, Walk};
use crate::grammar;
use crate::path::LabPath;
use comrak::nodes::{AstNode, NodeLink, NodeValue};

/// What a page can show.
const IMAGES: [&str; 7] = ["avif", "gif", "jpeg", "jpg", "png", "svg", "webp"];

impl<'a> Walk<'_, 'a> {
    pub(super) fn link(&mut self, node: &'a AstNode<'a>, url: &str, source: Source<'_>) {
        let url = self.filled(url);
        let text = || Some(markdown::plain_text(node)).filter(|text| !text.is_empty());
        if let Some(preview) = grammar::preview(&url) {
            match preview {
                Ok((container, port, path)) => {
                    if let Some(message) = self.renderer.unknown_container(container.as_deref()) {
                        self.error(source, node, message);
                    }
                    let text = self.filled(&text().unwrap_or_else(|| format!("port {port}")));
                    self.put(node, RenderedBlock::Preview { text, container, port, path });
                }
                Err(message) => self.broken(node, source, message),
            }
            return;
        }
        match scheme_of(&url) {
            Some("http" | "https" | "mailto") => self.set_url(node, url),
            Some(_) => {
                self.broken(node, source, "a link begins with http:, https:, mailto: or preview:, or names a file")
            }
            // Headings have no names, so that nothing in a page can pretend to be a part of the program's own.
            None if url.starts_with('#') || url.is_empty() => self.set_url(node, String::new()),
            None => match self.local(&url, source) {
                Ok(path) => {
                    let text = self.filled(&text().unwrap_or_else(|| path.name().to_owned()));
                    let step = self.renderer.steps.get(&path).copied();
                    let block = match step {
                        Some(step) => RenderedBlock::Step { text, step },
                        None => RenderedBlock::File { text, file: path },
                    };
                    self.put(node, block);
                }
                Err(message) => self.broken(node, source, message),
            },
        }
    }

    pub(super) fn image(&mut self, node: &'a AstNode<'a>, url: &str, title: &str, source: Source<'_>) {
        let alt = self.filled(&markdown::plain_text(node));
        if scheme_of(url).is_some() || url.starts_with("//") {
            self.error(source, node, "an image must be a file of the lab; images of other sites are shown as links");
            let link = NodeLink { url: url.to_owned(), title: String::new() };
            let is_web = matches!(scheme_of(url), Some("http" | "https"));
            if node.first_child().is_none() {
                let text = if is_web { url.to_owned() } else { "(image)".to_owned() };
                node.append(self.arena.alloc(NodeValue::Text(text.into()).into()));
            }
            node.data_mut().value = if is_web { NodeValue::Link(Box::new(link)) } else { NodeValue::Emph };
            return;
        }
        match self.local(url, source) {
            Ok(file) if IMAGES.contains(&file.extension().as_str()) => {
                let title = self.filled(title);
                self.put(node, RenderedBlock::Image { file, alt, title });
            }
            Ok(file) => {
                let message = format!("{file} is not an image that a page can show: {}", IMAGES.join(", "));
                self.lost(node, source, &alt, message);
            }
            Err(message) => self.lost(node, source, &alt, message),
        }
    }

    /// The file of the folder that a reference means.
    pub(super) fn local(&self, url: &str, source: Source<'_>) -> Result<LabPath, String> {
        let end = url.find(['#', '?']).unwrap_or(url.len());
        let reference = decoded(&url[..end]);
        let path = source.file.parent().resolve(&reference).map_err(|error| error.to_string())?;
        if self.renderer.folder.has(&path) { Ok(path) } else { Err(format!("there is no file {path}")) }
    }

    fn put(&mut self, node: &'a AstNode<'a>, block: RenderedBlock) {
        let block = self.add(block);
        markdown::put_slot(node, block, true);
    }

    fn set_url(&mut self, node: &'a AstNode<'a>, url: String) {
        if let NodeValue::Link(link) = &mut node.data_mut().value {
            link.url = url;
        }
    }

    /// A link that leads nowhere: its text stays.
    fn broken(&mut self, node: &'a AstNode<'a>, source: Source<'_>, message: impl Into<String>) {
        self.error(source, node, message);
        self.set_url(node, String::new());
    }

    /// An image that can't be shown: what it shows stays.
    fn lost(&mut self, node: &'a AstNode<'a>, source: Source<'_>, alt: &str, message: String) {
        self.error(source, node, message);
        markdown::replace(node, NodeValue::Text(alt.to_owned().into()));
    }
}

/// The scheme of an address, as far as a browser could see one.
fn scheme_of(url: &str) -> Option<&str> {
    let url = url.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    let end = url.find([':', '/', '?', '#'])?;
    url[end..].starts_with(':').then_some(&url[..end])
}

/// Percent signs taken for what they mean, where that is text.
pub(super) fn decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match digits.filter(|two| !two.starts_with('+')).and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
