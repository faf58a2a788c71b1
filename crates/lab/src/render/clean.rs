//! What may be in the HTML of a page. Nothing of it runs, loads, takes input or is styled by the author.

use std::borrow::Cow;

const TAGS: [&str; 41] = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "u",
    "ul",
];
const TABLE_TAGS: [&str; 6] = ["table", "tbody", "td", "th", "thead", "tr"];
/// Of these the content goes too: it is no text.
const WITH_CONTENT: [&str; 12] = [
    "canvas", "iframe", "math", "noembed", "noframes", "noscript", "object", "script", "style", "svg", "template",
    "title",
];
/// The boxes around notes and warnings that Markdown writes as quotes.
const BOXES: [&str; 3] = ["callout", "callout-title", "callout-content"];

/// Cleans HTML down to what is allowed.
pub(super) fn cleaner() -> ammonia::Builder<'static> {
    let mut cleaner = ammonia::Builder::empty();
    cleaner
        .add_tags(TAGS)
        .add_tags(TABLE_TAGS)
        .add_clean_content_tags(WITH_CONTENT)
        .add_tag_attributes("a", ["href", "title"])
        .add_tag_attributes("abbr", ["title"])
        .add_tag_attributes("code", ["class"])
        .add_tag_attributes("details", ["open"])
        .add_tag_attributes("div", ["class", "data-block", "data-callout"])
        .add_tag_attributes("span", ["data-block"])
        .add_tag_attributes("ol", ["start"])
        .add_tag_attributes("td", ["align", "colspan", "rowspan"])
        .add_tag_attributes("th", ["align", "colspan", "rowspan"])
        .add_url_schemes(["http", "https", "mailto"])
        .url_relative(ammonia::UrlRelative::Deny)
        .set_tag_attribute_value("a", "target", "_blank")
        .link_rel(Some("noopener noreferrer nofollow"))
        .strip_comments(true)
        .attribute_filter(allowed);
    cleaner
}

/// The value of an attribute, if it is one that we write ourselves or that is harmless.
fn allowed<'v>(tag: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let digits = |most: usize| value.len() <= most && !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let fits = match (tag, attribute) {
        ("code", "class") => value.strip_prefix("language-").is_some_and(|language| {
            language.len() <= 30 && language.chars().all(|c| c.is_ascii_alphanumeric() || "+-#._".contains(c))
        }),
        ("div", "class") => BOXES.contains(&value),
        ("div", "data-callout") => value.len() <= 20 && value.bytes().all(|b| b.is_ascii_lowercase()),
        (_, "data-block") => digits(6),
        (_, "start") => digits(9),
        // A cell over thousands of columns or rows would cost the browser its time.
        (_, "colspan" | "rowspan") => digits(2),
        (_, "align") => ["left", "center", "right"].contains(&value),
        _ => true,
    };
    fits.then_some(Cow::Borrowed(value))
}

/// Raw HTML of an author, with slots made into something else: only we place them. Attribute names know no entities, so
/// there is no other way to write one.
pub(super) fn without_slots(html: &str) -> String {
    const SLOT: &str = "data-block";
    let lower = html.to_ascii_lowercase();
    let mut clean = String::with_capacity(html.len());
    let mut from = 0;
    for (at, _) in lower.match_indices(SLOT) {
        clean.push_str(&html[from..at]);
        clean.push_str("data-other");
        from = at + SLOT.len();
    }
    clean.push_str(&html[from..]);
    clean
}

/// A text as HTML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
