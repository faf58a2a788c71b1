//! What is shown instead of an answer of the other side: a page without anything that runs, or a line of text.

use crate::body::{AnswerBody, full};
use crate::resolve::{Refusal, Words};
use hyper::header::{
    ACCEPT, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, Response};

/// By this header an answer of the ingress is told from one of the other side: the code of the refusal.
const REFUSAL: HeaderName = HeaderName::from_static("x-pierhead-refusal");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:18vh auto;padding:0 1em;color:#1c2733;\
                     background:#f7f9fb}h1{font-size:1.4em}small{color:#5b6b7b}\
                     @media(prefers-color-scheme:dark){body{color:#dbe4ec;background:#10161c}small{color:#8a99a8}}";

/// In which form somebody wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    is_chinese: bool,
    is_html: bool,
}

impl Wanted {
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self { is_chinese: prefers_chinese(text(ACCEPT_LANGUAGE)), is_html: text(ACCEPT).contains("text/html") }
    }

    fn word(self, words: &Words) -> &str {
        if self.is_chinese { &words.zh } else { &words.en }
    }
}

/// The answer to a request that goes no further.
pub(crate) fn page(refusal: &Refusal, wanted: Wanted) -> Response<AnswerBody> {
    let (title, text) = (wanted.word(&refusal.title), wanted.word(&refusal.text));
    let (body, kind) = if wanted.is_html {
        let (title, text, status) = (escaped(title), escaped(text), refusal.status.as_u16());
        let language = if wanted.is_chinese { "zh" } else { "en" };
        let page = format!(
            "<!doctype html><html lang=\"{language}\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style><h1>{title}</h1><p>{text}</p>\
             <small>Pierhead · {status}</small></html>\n"
        );
        (page, "text/html; charset=utf-8")
    } else {
        (format!("{title}: {text}\n"), "text/plain; charset=utf-8")
    };
    let mut response = Response::new(full(body));
    *response.status_mut() = refusal.status;
    for (name, value) in [
        (CONTENT_TYPE, kind),
        (REFUSAL, refusal.code),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether somebody likes Chinese better than English.
fn prefers_chinese(accepted: &str) -> bool {
    let weight = |language: &str| {
        let of = |item: &str| {
            let (tag, rest) = item.split_once(';').unwrap_or((item, ""));
            let is_it = tag.trim().split('-').next().unwrap_or_default().eq_ignore_ascii_case(language);
            let quality = rest.trim().strip_prefix("q=").map_or(Some(1.0), |quality| quality.trim().parse().ok());
            quality.filter(|_| is_it).filter(|quality: &f32| quality.is_finite())
        };
        accepted.split(',').filter_map(of).fold(0.0, f32::max)
    };
    weight("zh") > weight("en")
}

/// A text as it stands in a page.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use hyper::StatusCode;

    async fn shown(headers: &[(HeaderName, &'static str)]) -> (Response<()>, String) {
        let refusal = Refusal::new(
            StatusCode::BAD_GATEWAY,
            "nothing_listens",
            ("Nothing <answers>", "没有 <响应>"),
            ("Start \"it\" & try 'again'", "启动后再试 & <script>"),
        );
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        let (head, body) = page(&refusal, Wanted::of(&headers)).into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        (Response::from_parts(head, ()), text)
    }

    #[tokio::test]
    async fn a_page_holds_nothing_that_runs() {
        let (head, text) = shown(&[(ACCEPT, "text/html,*/*;q=0.8"), (ACCEPT_LANGUAGE, "en-GB,en")]).await;
        assert_eq!(
            (head.status(), &head.headers()[REFUSAL]),
            (StatusCode::BAD_GATEWAY, &"nothing_listens".parse().unwrap())
        );
        assert_eq!(head.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
        assert!(head.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'"));
        assert!(text.contains("<h1>Nothing &lt;answers&gt;</h1>"), "{text}");
        assert!(
            text.contains("Start &quot;it&quot; &amp; try &#39;again&#39;") && text.contains("lang=\"en\""),
            "{text}"
        );
        let (_, text) = shown(&[(ACCEPT, "text/html"), (ACCEPT_LANGUAGE, "zh-CN,zh;q=0.9,en;q=0.8")]).await;
        assert!(
            text.contains("没有 &lt;响应&gt;") && text.contains("lang=\"zh\"") && !text.contains("<script"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_program_gets_a_line() {
        let (head, text) = shown(&[(ACCEPT, "*/*")]).await;
        assert_eq!(head.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
        assert_eq!(text, "Nothing <answers>: Start \"it\" & try 'again'\n");
    }

    #[test]
    fn the_language_is_what_is_liked_better() {
        for (accepted, is_chinese) in [
            ("", false),
            ("en", false),
            ("zh", true),
            ("zh-TW", true),
            ("de, zh;q=0.5", true),
            ("de, zh;q=0.5, en;q=0.6", false),
            ("en;q=0.1, ZH ; q=0.2", true),
            ("zh;q=0", false),
            ("zh;q=x", false),
            ("zh;q=nan", false),
            ("zhx", false),
        ] {
            assert_eq!(prefers_chinese(accepted), is_chinese, "{accepted}");
        }
    }
}
