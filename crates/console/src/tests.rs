use super::*;
use rust_embed::{EmbeddedFile, Metadata};

/// A small front end; the digest of each file begins with the length of its content.
fn find(name: &str) -> Option<EmbeddedFile> {
    let content: &'static str = match name {
        "index.html" => "<p>",
        "icon.svg" => "<svg/>",
        "assets/app-1a.js" => "let a = 1;",
        "assets/app-1a.js.gz" => "gz",
        "assets/app-1a.js.br" => "b",
        "assets/app-1a.css" => "a{}",
        "assets/app-1a.css.gz" => "gzip",
        ".stamp" => "1",
        _ => return None,
    };
    let mut digest = [0; 32];
    digest[0] = u8::try_from(content.len()).unwrap();
    Some(EmbeddedFile {
        data: Cow::Borrowed(content.as_bytes()),
        metadata: Metadata::__rust_embed_new(digest, None, None),
    })
}

fn at(path: &str, accepted: &str) -> Option<File> {
    Files { find }.at(path, accepted)
}

#[test]
fn the_page_has_one_address_and_is_asked_for_each_time() {
    let page = at("/", "").unwrap();
    assert_eq!((&*page.bytes, page.media_type, page.is_for_ever), (&b"<p>"[..], "text/html; charset=utf-8", false));
    assert_eq!(page.etag, "\"03000000000000000000000000000000\"");
    for other in ["", "/index.html", "//", "/assets", "/assets/", "/nothing", "index.html", "/.stamp", "/ICON.SVG"] {
        assert_eq!(at(other, ""), None, "{other:?}");
    }
    assert!(!at("/icon.svg", "").unwrap().is_for_ever, "its name says nothing about its content");
}

#[test]
fn each_form_of_a_file_has_a_name_of_its_own() {
    let forms = ["", "gzip", "gzip, br"].map(|accepted| at("/assets/app-1a.js", accepted).unwrap());
    assert_eq!(forms.each_ref().map(|form| form.coding), [None, Some(Coding::Gzip), Some(Coding::Brotli)]);
    assert_eq!(forms.each_ref().map(|form| form.bytes.len()), [10, 2, 1]);
    assert!(forms.iter().all(|form| form.media_type.starts_with("text/javascript") && form.is_for_ever));
    assert!(forms[0].etag != forms[1].etag && forms[1].etag != forms[2].etag, "{forms:?}");

    let short = at("/assets/app-1a.css", "br, gzip").unwrap();
    assert_eq!((short.coding, &*short.bytes), (Some(Coding::Gzip), &b"gzip"[..]), "what is there counts");
    assert_eq!(at("/assets/app-1a.css", "br").unwrap().coding, None);
    assert_eq!(at("/assets/app-1a.js.gz", "gzip"), None, "a coded form is no file of its own");
}

#[test]
fn nothing_outside_is_at_any_path() {
    for path in [
        "/../Cargo.toml",
        "/assets/../index.html",
        "/assets/../../../Cargo.toml",
        "/assets/..%2findex.html",
        "/assets/app-1a.js/",
        "/assets//app-1a.js",
        "/assets/app-1a.js\0",
        "/etc/passwd",
        "//etc/passwd",
    ] {
        assert_eq!(at(path, "gzip, br"), None, "{path:?}");
        assert_eq!(file(path, "gzip, br"), None, "{path:?}");
    }
}

/// Whatever this was built with: the front end, or the page that says how to build it.
#[test]
fn there_is_always_a_page() {
    let page = file("/", "").unwrap();
    let text = std::str::from_utf8(&page.bytes).unwrap();
    assert!(text.starts_with("<!doctype html>") && page.media_type.starts_with("text/html"), "{text}");
    assert_eq!(text.contains("make build"), !is_built());
    // The policy that it is served with lets neither run.
    assert!(!text.contains("<style") && !text.contains(" style=") && !text.contains(" onload="), "{text}");
    assert!(text.match_indices("<script").all(|(at, _)| text[at..].starts_with("<script type=\"module\"")), "{text}");
}

#[test]
fn a_program_without_the_front_end_says_how_to_build_it() {
    let page = Files { find: Unbuilt::get }.at("/", "gzip").unwrap();
    let text = std::str::from_utf8(&page.bytes).unwrap();
    assert!(text.contains("<code>make build</code>") && text.contains("lang=\"zh\""), "{text}");
    assert!(page.coding.is_none() && !page.is_for_ever && page.etag.len() == 34);
}
