//! Patterns of paths, as in a shell: `*` and `?` within a part, `**` for any number of parts.

use crate::model::Asset;
use crate::path::{LabPath, PathError};

/// A pattern of paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    parts: Vec<String>,
}

impl Pattern {
    /// Reads a pattern; it may begin with a slash, which changes nothing: patterns begin at the root.
    ///
    /// # Errors
    /// If it would lead out of the folder.
    pub(crate) fn parse(text: &str) -> Result<Self, PathError> {
        let path = LabPath::root().resolve(text)?;
        Ok(Self { parts: path.as_str().split('/').map(str::to_owned).collect() })
    }

    /// Whether a path fits.
    pub(crate) fn fits(&self, path: &LabPath) -> bool {
        let path: Vec<&str> = path.as_str().split('/').collect();
        let is_any = |part: &String| part == "**";
        fits(&self.parts, &path, is_any, |pattern, part| {
            let (pattern, part): (Vec<char>, Vec<char>) = (pattern.chars().collect(), part.chars().collect());
            fits(&pattern, &part, |c| *c == '*', |c, of| *c == '?' || c == of)
        })
    }
}

/// Whether items fit a pattern in which some stand for any number of items. Goes back only to the last of those, so it
/// takes at most the product of both lengths.
fn fits<P, T>(pattern: &[P], items: &[T], is_any: impl Fn(&P) -> bool, one: impl Fn(&P, &T) -> bool) -> bool {
    let (mut p, mut i) = (0, 0);
    let mut last: Option<(usize, usize)> = None;
    while i < items.len() {
        if p < pattern.len() && is_any(&pattern[p]) {
            last = Some((p, i));
            p += 1;
        } else if p < pattern.len() && one(&pattern[p], &items[i]) {
            (p, i) = (p + 1, i + 1);
        } else if let Some((any, from)) = last {
            last = Some((any, from + 1));
            (p, i) = (any + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(is_any)
}

impl Asset {
    /// The files that it stands for and where each goes in the container: `list` is that of the lab's folder.
    #[must_use]
    pub fn files<'a>(&self, list: &'a [(LabPath, u64)]) -> Vec<(&'a LabPath, String)> {
        let Ok(pattern) = Pattern::parse(&self.from) else { return Vec::new() };
        let found: Vec<&LabPath> = list.iter().map(|(path, _)| path).filter(|path| pattern.fits(path)).collect();
        let is_folder = self.to.ends_with('/') || self.from.contains(['*', '?']);
        let fixed = pattern.parts.iter().take_while(|part| !part.contains(['*', '?'])).count();
        let fixed = LabPath::parse(&pattern.parts[..fixed].join("/")).unwrap_or_default();
        let target = |path: &LabPath| {
            // What `**` stands for is kept as folders; otherwise files lie side by side.
            let below = path.below(&fixed).filter(|_| self.from.contains("**"));
            let name = below.as_ref().map_or(path.name(), LabPath::as_str);
            if is_folder { format!("{}/{name}", self.to.trim_end_matches('/')) } else { self.to.clone() }
        };
        found.into_iter().map(|path| (path, target(path))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, path: &str) -> bool {
        Pattern::parse(pattern).unwrap().fits(&LabPath::parse(path).unwrap())
    }

    #[test]
    fn patterns_fit_as_in_a_shell() {
        assert!(fits("a/*.conf", "a/x.conf"));
        assert!(fits("/a/x.conf", "a/x.conf"));
        assert!(fits("*", "x") && !fits("*", "a/x"));
        assert!(fits("**", "a/b/c") && fits("a/**/c", "a/c") && fits("a/**/c", "a/x/y/c"));
        assert!(fits("a/**", "a/b") && !fits("a/**/c", "a/x/d"));
        assert!(fits("h?st*", "host01") && !fits("h?st", "host01"));
        assert!(fits("d*t", "dat") && fits("ü?", "üx"));
        assert!(Pattern::parse("../*").is_err());
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let pattern = Pattern::parse(&format!("{}b", "*a".repeat(200))).unwrap();
        assert!(!pattern.fits(&LabPath::parse(&"a".repeat(500)).unwrap()));
        let pattern = Pattern::parse(&format!("{}b", "**/a/".repeat(90))).unwrap();
        assert!(!pattern.fits(&LabPath::parse(&"a/".repeat(250)).unwrap()));
    }

    #[test]
    fn files_go_where_the_asset_says() {
        let list: Vec<(LabPath, u64)> =
            ["a/b/x.sh", "a/y.sh", "one.txt"].map(|path| (LabPath::parse(path).unwrap(), 1)).into();
        let asset = |from: &str, to: &str| Asset {
            from: from.to_owned(),
            container: None,
            to: to.to_owned(),
            mode: None,
            file: LabPath::root(),
            line: 1,
        };
        let targets = |from: &str, to: &str| -> Vec<String> {
            asset(from, to).files(&list).into_iter().map(|(_, target)| target).collect()
        };
        assert_eq!(targets("one.txt", "/etc/two.txt"), ["/etc/two.txt"]);
        assert_eq!(targets("one.txt", "/etc/"), ["/etc/one.txt"]);
        assert_eq!(targets("a/**", "/opt"), ["/opt/b/x.sh", "/opt/y.sh"]);
        assert_eq!(targets("a/*.sh", "/opt"), ["/opt/y.sh"]);
        assert_eq!(targets("nothing", "/opt"), Vec::<String>::new());
    }

    /// The same by trying everything: slow, and plain enough to be believed.
    fn slowly(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|skipped| slowly(rest, &text[skipped..])),
            Some((one, rest)) => {
                text.split_first().is_some_and(|(c, after)| (*one == '?' || one == c) && slowly(rest, after))
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn stars_fit_whatever_trying_everything_finds(pattern in "[ab?]{0,2}(\\*[ab?]{1,2}){0,3}[*]?", text in "[ab]{1,8}") {
            proptest::prop_assume!(!pattern.is_empty());
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            proptest::prop_assert_eq!(fits(&pattern, &text), slowly(&p, &t));
        }
    }
}
