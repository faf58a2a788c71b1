//! What pages show of other sites, and images that are written as HTML.

use super::page::{attribute, breaks, outside_code};
use super::spans::window;
use crate::model::Problems;
use crate::path::LabPath;
use std::fmt::Write;

/// The text with links in place of frames and images of other sites, and with images as Markdown has them; as many
/// lines. What a page shows comes from the lab itself, so that nobody else learns who reads it.
pub(super) fn without_foreign(text: &str, file: &LabPath, line: u32, problems: &mut Problems) -> String {
    if !["<iframe", "<img", "]("].iter().any(|mark| text.contains(mark)) {
        return text.to_owned();
    }
    outside_code(text, line, |text, line| {
        let text = without_frames(text, (file, line), problems);
        let text = without_image_tags(&text);
        without_foreign_images(&text, (file, line), problems)
    })
}

/// The text with links and images that begin at the root of the folder instead of in the folder of their page, so that
/// they lead to the same wherever the page is written to.
pub(super) fn rooted(text: &str, file: &LabPath) -> String {
    if !text.contains("](") {
        return text.to_owned();
    }
    outside_code(text, 1, |text, _| {
        let (mut written, mut rest) = (String::new(), text);
        while let Some(open) = rest.find("](") {
            let (before, behind) = rest.split_at(open + 2);
            written.push_str(before);
            let near = window(behind);
            let angle = usize::from(near.starts_with('<'));
            let ends: &[char] = if angle == 1 { &['>', '\n'] } else { &[')', ' ', '\n'] };
            let end = near.find(ends).unwrap_or(0).max(angle);
            written.push_str(&behind[..angle]);
            written.push_str(&rooted_target(&behind[angle..end], file));
            rest = &behind[end..];
        }
        written + rest
    })
}

fn rooted_target(target: &str, file: &LabPath) -> String {
    let elsewhere = target.is_empty() || target.starts_with(['#', '/', '{', '[', '?']) || target.contains(':');
    let (path, behind) = target.find(['#', '?']).map_or((target, ""), |at| target.split_at(at));
    match file.parent().resolve(path) {
        Ok(path) if !elsewhere => format!("/{}{behind}", path.as_str()),
        _ => target.to_owned(),
    }
}

fn without_frames(text: &str, at: (&LabPath, u32), problems: &mut Problems) -> String {
    let (mut written, mut rest, mut line) = (String::new(), text, at.1);
    while let Some(begin) = rest.find("<iframe") {
        let tag = &rest[begin..];
        let near = window(tag);
        let open = near.find('>').map_or(near.len(), |end| end + 1);
        let end = near.find("</iframe>").map_or(open, |end| end + "</iframe>".len());
        written.push_str(&rest[..begin]);
        line += breaks(&rest[..begin]);
        match attribute(&tag[..open], "src") {
            Some(address) => {
                let address = if address.starts_with("//") { format!("https:{address}") } else { address.to_owned() };
                let message = format!("a frame with {address} is not shown; a link stands in its place");
                problems.warn(at.0, line, message);
                let _ = write!(written, "[{address}]({address})");
            }
            None => problems.error(at.0, line, "a frame without an address is left out"),
        }
        written.push_str(&"\n".repeat(breaks(&tag[..end]) as usize));
        line += breaks(&tag[..end]);
        rest = &tag[end..];
    }
    written + rest
}

/// `<img src="a.png" alt="A">` as `![A](a.png)`.
fn without_image_tags(text: &str) -> String {
    let (mut written, mut rest) = (String::new(), text);
    while let Some(begin) = rest.find("<img") {
        let tag = &rest[begin..];
        let near = window(tag);
        let end = near.find('>').map_or(near.len(), |end| end + 1);
        written.push_str(&rest[..begin]);
        let source = attribute(&tag[..end], "src").filter(|source| !source.contains(['(', ')', '<', '\n']));
        match source {
            Some(source) => {
                let alt: String = attribute(&tag[..end], "alt").unwrap_or_default().replace(['[', ']', '\n'], " ");
                let address = if source.contains(' ') { format!("<{source}>") } else { source.to_owned() };
                let _ = write!(written, "![{alt}]({address})");
                written.push_str(&"\n".repeat(breaks(&tag[..end]) as usize));
            }
            None => written.push_str(&tag[..end]),
        }
        rest = &tag[end..];
    }
    written + rest
}

fn without_foreign_images(text: &str, at: (&LabPath, u32), problems: &mut Problems) -> String {
    let (mut written, mut rest, mut line) = (String::new(), text, at.1);
    while let Some((begin, image)) = next_image(rest) {
        line += breaks(&rest[..begin]);
        problems.warn(at.0, line, "an image of another site is not shown; a link stands in its place");
        written.push_str(&rest[..begin]);
        let alt = image.alt.trim();
        // Within a link its text is enough: links don't stand in links.
        let behind = &rest[begin + image.bytes..];
        if written.ends_with('[') && behind.trim_start().starts_with("](") {
            written.push_str(if alt.is_empty() { "image" } else { alt });
        } else {
            let shown = if alt.is_empty() { image.address } else { alt };
            let _ = write!(written, "[{shown}]({})", image.address);
        }
        let inside = breaks(&rest[begin..begin + image.bytes]);
        written.push_str(&"\n".repeat(inside as usize));
        line += inside;
        rest = behind;
    }
    written + rest
}

/// An image in a text.
struct Image<'a> {
    alt: &'a str,
    address: &'a str,
    bytes: usize,
}

/// The next image of another site, and where it begins.
fn next_image(text: &str) -> Option<(usize, Image<'_>)> {
    text.match_indices("![").find_map(|(begin, _)| {
        let inner = window(&text[begin + 2..]);
        let alt = inner
            .split_once("](")
            .map(|(alt, _)| alt)
            .filter(|alt| !alt.contains(['[', ']']) && !alt.contains("\n\n"))?;
        let target = &inner[alt.len() + 2..];
        let target = &target[..target.find(')')?];
        let address = target.split_whitespace().next()?.trim_matches(['<', '>']);
        let foreign = ["http://", "https://", "//"].iter().any(|scheme| address.starts_with(scheme));
        foreign.then(|| (begin, Image { alt, address, bytes: 2 + alt.len() + 2 + target.len() + 1 }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str) -> (String, Vec<String>) {
        let (file, mut problems) = (LabPath::parse("a.md").unwrap(), Problems::default());
        let text = without_foreign(text, &file, 5, &mut problems);
        (text, problems.into_list().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn frames_become_links_and_lines_stay() {
        let text = "x\n<iframe width=\"1\"\n src=\"//video.example/a\"></iframe> and `<iframe src=\"b\">`\n<iframe></iframe>y\n";
        let link = "[https://video.example/a](https://video.example/a)\n and `<iframe src=\"b\">`";
        let first = "a.md:6: a frame with https://video.example/a is not shown; a link stands in its place";
        let second = "a.md:8: a frame without an address is left out";
        assert_eq!(changed(text), (format!("x\n{link}\ny\n"), vec![first.to_owned(), second.to_owned()]));
    }

    #[test]
    fn images_of_the_lab_are_markdown() {
        let cases = [
            ("<img src=\"../a b.png\" style=\"x\">", "![](<../a b.png>)"),
            ("a <img\nalt='A [b]' src='c.png'/> d", "a ![A  b ](c.png)\n d"),
            ("![A](b.png) `<img src=\"c\">`", "![A](b.png) `<img src=\"c\">`"),
            ("<img alt=\"no source\"> <imgx", "<img alt=\"no source\"> <imgx"),
        ];
        for (text, expected) in cases {
            assert_eq!(changed(text), (expected.to_owned(), Vec::new()), "{text}");
        }
    }

    #[test]
    fn images_of_other_sites_become_links() {
        let text = "![A](https://x.example/a.png \"t\")\n[![B](http://x.example/b.png)](https://x.example/)\n<img src=\"//x.example/c.png\"> [![](https://x.example/d.png)](e) ![E](e.png)\n";
        let expected = "[A](https://x.example/a.png)\n[B](https://x.example/)\n[//x.example/c.png](//x.example/c.png) [image](e) ![E](e.png)\n";
        let message = "an image of another site is not shown; a link stands in its place";
        let problems = [5, 6, 7].map(|line| format!("a.md:{line}: {message}"));
        assert_eq!(changed(text), (expected.to_owned(), problems.to_vec()));
    }

    #[test]
    fn links_begin_at_the_root() {
        let file = LabPath::parse("a/b/page.md").unwrap();
        let text = "![x](../i.png \"t\") [y](c.md#d) [z](<e f.md>) [u](https://x.example/) [v](preview:80/x) [w](#w)\n[o](../../../out) [r](/r) `[s](s)` [ ](";
        let expected = "![x](/a/i.png \"t\") [y](/a/b/c.md#d) [z](</a/b/e f.md>) [u](https://x.example/) [v](preview:80/x) [w](#w)\n[o](../../../out) [r](/r) `[s](s)` [ ](";
        assert_eq!(rooted(text, &file), expected);
    }
}
