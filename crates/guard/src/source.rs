//! Source files, and Rust text with its comments and literals blanked out, so that what is found in it is code.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One Rust file.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Path from the root of the repository, with `/`.
    pub path: String,
    /// The file as it is.
    pub text: String,
    /// The same, line by line, with comments and literals blanked out.
    pub code: String,
}

impl Source {
    /// A file from its path and text.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), code: blank(text) }
    }

    /// The crate that the file belongs to: the folder's name, `bench` for the measurements.
    pub(crate) fn crate_name(&self) -> &str {
        let mut parts = self.path.split('/');
        match parts.next() {
            Some("crates") => parts.next().unwrap_or_default(),
            other => other.unwrap_or_default(),
        }
    }

    /// Whether the whole file is there for tests.
    pub(crate) fn is_test(&self) -> bool {
        matches!(self.crate_name(), "testkit" | "bucketkit")
            || self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
            || self.code.contains("#![cfg(test)]")
    }
}

/// All Rust files of the workspace, in the order of their paths.
pub(crate) fn rust_files(root: &Path) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in walk(root, &["crates", "bench"])? {
        if path.ends_with(".rs") {
            sources.push(Source::new(&path, &fs::read_to_string(root.join(&path))?));
        }
    }
    Ok(sources)
}

/// Path and text of everything that people write here: code, documents, scripts, settings.
pub(crate) fn texts(root: &Path) -> io::Result<Vec<(String, String)>> {
    const FOLDERS: [&str; 10] =
        ["crates", "bench", "docs", "scripts", "web/public", "web/src", "web/tests", ".ci", ".cargo", ".config"];
    let mut texts = Vec::new();
    let mut paths = walk(root, &FOLDERS)?;
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            paths.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    for path in paths {
        // A file that is not text holds nothing that somebody wrote.
        if let Ok(text) = String::from_utf8(fs::read(root.join(&path))?) {
            texts.push((path, text));
        }
    }
    Ok(texts)
}

fn walk(root: &Path, folders: &[&str]) -> io::Result<Vec<String>> {
    let mut open: Vec<PathBuf> = folders.iter().map(PathBuf::from).filter(|path| root.join(path).is_dir()).collect();
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else {
                files.push(path.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Rust text with comments, strings and characters as spaces; lines stay where they are.
pub(crate) fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let length = uncode(rest, before);
        let (taken, left) = rest.split_at(length.max(first.len_utf8()));
        if length == 0 {
            code.push(first);
        } else {
            code.extend(taken.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        before = taken.chars().next_back().unwrap_or(' ');
        rest = left;
    }
    code
}

/// Bytes of the comment or literal that `text` begins with; 0 if it begins with code.
fn uncode(text: &str, before: char) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return block_comment(text);
    }
    if text.starts_with('"') {
        return quoted(text, '"');
    }
    if text.starts_with('\'') {
        return character(text);
    }
    if before.is_alphanumeric() || before == '_' { 0 } else { raw_string(text) }
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A character literal; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), _) => quoted(text, '\''),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

fn raw_string(text: &str) -> usize {
    let Some(rest) = ["br", "cr", "r"].iter().find_map(|prefix| text.strip_prefix(prefix)) else { return 0 };
    let body = rest.trim_start_matches('#');
    let hashes = &rest[..rest.len() - body.len()];
    let Some(body) = body.strip_prefix('"') else { return 0 };
    let end = format!("\"{hashes}");
    let start = text.len() - body.len();
    body.find(&end).map_or(text.len(), |at| start + at + end.len())
}

/// The byte after the item that begins at `from`: after its `;` or its closing brace.
pub(crate) fn item_end(code: &str, from: usize) -> usize {
    let (mut round, mut curly) = (0_i32, 0_i32);
    for (at, c) in code[from..].char_indices() {
        match c {
            '(' | '[' => round += 1,
            ')' | ']' => round -= 1,
            '{' => curly += 1,
            '}' if curly <= 1 => return from + at + 1,
            '}' => curly -= 1,
            ';' if round == 0 && curly == 0 => return from + at + 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_not_code() {
        let cases = [
            ("a // fn b() {", "a            "),
            ("a /* { /* } */ { */ b", "a                   b"),
            (r#"x("}\"{");"#, "x(      );"),
            (r##"x(r#"}"{"#);"##, "x(        );"),
            (r"m('{', '\'', '\u{7d}')", "m(   ,     ,         )"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            ("for r in rs { r#fn() }", "for r in rs { r#fn() }"),
            ("\"one\ntwo\" }", "    \n     }"),
        ];
        for (text, code) in cases {
            assert_eq!(blank(text), code, "{text}");
        }
    }

    #[test]
    fn an_item_ends_with_its_brace_or_semicolon() {
        for item in ["fn f(a: [u8; 3]) -> u8 { if a { b } else { c } }", "mod tests;", "use a::{b, c};"] {
            let code = format!("{item} fn next() {{}}");
            let end = item_end(&code, 0);
            assert!(item.starts_with(&code[..end]) && end >= item.len() - 1, "{item}: {}", &code[..end]);
        }
    }

    #[test]
    fn files_belong_to_crates_and_to_tests_by_their_path() {
        for (path, name, test) in [
            ("crates/store/src/lib.rs", "store", false),
            ("crates/store/src/seal/tests.rs", "store", true),
            ("crates/store/tests/contract/mod.rs", "store", true),
            ("crates/testkit/src/lib.rs", "testkit", true),
            ("bench/src/bin/store.rs", "bench", false),
        ] {
            let source = Source::new(path, "fn f() {}");
            assert_eq!((source.crate_name(), source.is_test()), (name, test), "{path}");
        }
        assert!(Source::new("crates/a/src/x.rs", "#![cfg(test)]\nfn f() {}").is_test());
    }
}
