//! Links of posts: to what a terminal's machine serves, to other posts, and to images of the site.

use super::{host_name, is_post, slug, terminal_number};
use crate::files::Folder;
use crate::import::page::{breaks, outside_code};
use crate::import::spans::window;
use crate::model::Problems;
use crate::path::LabPath;
use crate::spell;
use std::collections::BTreeMap;

/// The text with links to previews for links with `{:data-term=".term1"}{:data-port="80"}` behind them.
pub(super) fn previews(
    text: &str,
    at: (&LabPath, u32),
    problems: &mut Problems,
    mut serves: impl FnMut(u8, u16),
) -> String {
    let (mut written, mut rest, mut line) = (String::new(), text, at.1);
    while let Some(open) = rest.find("](") {
        line += breaks(&rest[..open]);
        let behind = &rest[open + 2..];
        let Some(close) = window(behind).find([')', '\n']).filter(|close| behind[*close..].starts_with(')')) else {
            written.push_str(&rest[..open + 2]);
            rest = behind;
            continue;
        };
        let target = &behind[..close];
        let (attributes, taken) = attributes(&behind[close + 1..]);
        let of = |name: &str| attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let link = match (of("data-term"), of("data-port")) {
            (None, None) => None,
            (terminal, port) => {
                let terminal = terminal.map_or(Some(1), terminal_number);
                let port = port.map_or(Some(80), |port| port.parse().ok().filter(|port: &u16| *port > 0));
                if terminal.is_none() || port.is_none() {
                    problems.error(at.0, line, "the link names no terminal from .term1 on, or no port");
                }
                terminal.zip(port)
            }
        };
        written.push_str(&rest[..open + 2]);
        match link {
            Some((terminal, port)) => {
                serves(terminal, port);
                let path = target.split(' ').next().unwrap_or_default();
                let path = if path == "/" { "" } else { path };
                let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
                let address = spell::preview(Some(&host_name(terminal)), port, &format!("{slash}{path}"));
                written.push_str(&format!("{address})"));
                rest = &behind[close + 1 + taken..];
            }
            None => {
                written.push_str(&behind[..=close]);
                rest = &behind[close + 1..];
            }
        }
    }
    written + rest
}

/// The attributes in `{:…}` behind a link, and how many bytes they take.
fn attributes(text: &str) -> (Vec<(&str, &str)>, usize) {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(end) = text[at..].strip_prefix("{:").and_then(|rest| window(rest).find('}')) {
        for word in text[at + 2..at + 2 + end].split_whitespace() {
            if let Some((key, value)) = word.split_once('=') {
                found.push((key, value.trim_matches(['"', '\''])));
            }
        }
        at += end + 3;
    }
    (found, at)
}

/// The site that a post is of.
pub(super) struct Site {
    /// The posts by what links call them: the names of their files.
    posts: BTreeMap<String, String>,
    /// The folder that they lie in.
    folder: LabPath,
}

impl Site {
    /// The site of a post.
    pub(super) fn of(folder: &Folder<'_>, post: &LabPath) -> Self {
        let of_site = |path: &&LabPath| is_post(path) && path.parent() == post.parent();
        let posts = folder.list().iter().map(|(path, _)| path).filter(of_site);
        let posts = posts.map(|path| (slug(path.name()), path.name().to_owned())).collect();
        Self { posts, folder: post.parent() }
    }

    /// The text with links from the root of the site that begin at the root of the folder that the site lies in.
    pub(super) fn links(&self, text: &str) -> String {
        outside_code(text, 1, |text, _| {
            let (mut written, mut rest) = (String::new(), text);
            while let Some(open) = rest.find("](/") {
                written.push_str(&rest[..open + 2]);
                let target = &rest[open + 2..];
                let near = window(target);
                let end = near.find([')', ' ', '\n']).unwrap_or(near.len());
                written.push_str(&self.target(&target[..end]));
                rest = &target[end..];
            }
            written + rest
        })
    }

    fn target(&self, target: &str) -> String {
        let (path, behind) = target.find(['#', '?']).map_or((target, ""), |at| target.split_at(at));
        let behind = if behind.starts_with('?') { "" } else { behind };
        match self.posts.get(path.trim_matches('/')) {
            Some(file) => format!("/{}/{file}{behind}", self.folder.as_str()),
            None if path.starts_with("//") => target.to_owned(),
            // Posts lie in a folder below the root of their site.
            None => match self.folder.parent().as_str() {
                "" => format!("{path}{behind}"),
                site => format!("/{site}{path}{behind}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::POSTS;
    use super::*;
    use crate::MemoryFiles;

    #[test]
    fn links_lead_to_what_a_terminal_serves() {
        let text = "[a](/){:data-term=\".term1\"}{:data-port=\"80\"}, [b](/x.html?y){:data-term=\".term2\" data-port='8080'} [c](d)\n[e](f\n[g](h){:target=\"_blank\"} [i](j){:data-term=\"x\"}";
        let (file, mut problems, mut served) = (LabPath::parse("a.md").unwrap(), Problems::default(), Vec::new());
        let written = previews(text, (&file, 5), &mut problems, |terminal, port| served.push((terminal, port)));
        let expected = "[a](preview:node1:80), [b](preview:node2:8080/x.html?y) [c](d)\n[e](f\n[g](h){:target=\"_blank\"} [i](j){:data-term=\"x\"}";
        assert_eq!(written, expected);
        assert_eq!(served, [(1, 80), (2, 8080)]);
        let problems: Vec<_> = problems.into_list().iter().map(ToString::to_string).collect();
        assert_eq!(problems, ["a.md:7: the link names no terminal from .term1 on, or no port"]);
    }

    #[test]
    fn links_of_the_site_lead_to_files() {
        let path = |name: &str| LabPath::parse(&format!("site/{POSTS}/{name}")).unwrap();
        let files = MemoryFiles::new(
            ["2017-01-01-first.markdown", "2017-01-02-the-second.md"].map(|name| (path(name), Vec::new())).into(),
        )
        .unwrap();
        let folder = Folder::new(&files);
        let site = Site::of(&folder, &path("2017-01-01-first.markdown"));
        let text =
            "[a](/the-second) [b](/first/#x) ![c](/images/c.png \"t\") [d](//x.example/) `[e](/first)` [f](../g)";
        let expected = "[a](/site/_posts/2017-01-02-the-second.md) [b](/site/_posts/2017-01-01-first.markdown#x) ![c](/site/images/c.png \"t\") [d](//x.example/) `[e](/first)` [f](../g)";
        assert_eq!(site.links(text), expected);
    }
}
