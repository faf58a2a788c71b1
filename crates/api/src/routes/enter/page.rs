//! Pages that are no part of the console: one question or one refusal, in two languages, without scripts.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const STYLE: &str = "body{font:16px/1.6 system-ui,sans-serif;max-width:36rem;margin:12vh auto;padding:0 1.5rem;\
                     color:#1c2733;background:#fbfcfd}h1{font-size:1.4rem}p[lang]{margin:.5rem 0}\
                     button{font:inherit;padding:.5rem 1.2rem;border:0;border-radius:.4rem;background:#0b62c4;color:#fff}\
                     small{color:#5a6773}@media(prefers-color-scheme:dark){body{color:#e6ebf0;background:#14181d}\
                     small{color:#98a5b3}}";

/// The same in English and in Chinese.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    pub title: [&'static str; 2],
    pub text: [String; 2],
}

/// Whether somebody wants to log in by a link.
pub(super) fn ask(key: &str) -> Response {
    let words = Words {
        title: ["Log in", "登录"],
        text: [
            "This link logs you in once. Go on only if it was made for you.".to_owned(),
            "此链接只能使用一次。只有当它是为您生成的时才继续。".to_owned(),
        ],
    };
    let form = format!(
        "<form method=\"post\" action=\"link\"><input type=\"hidden\" name=\"key\" value=\"{}\">\
         <button>Go on · 继续</button></form>",
        escaped(key)
    );
    answer(StatusCode::OK, &words, &form)
}

/// A refusal; `again` is where one may try once more.
pub(super) fn refuse(status: StatusCode, code: &str, words: &Words, again: Option<&str>) -> Response {
    let again = again.map(|place| {
        format!("<p><a href=\"{}\">Begin again · <span lang=\"zh\">重新开始</span></a></p>", escaped(place))
    });
    let rest = format!("<p><a href=\"/\">Pierhead</a> <small>{}</small></p>", escaped(code));
    answer(status, words, &format!("{}{rest}", again.unwrap_or_default()))
}

fn answer(status: StatusCode, words: &Words, rest: &str) -> Response {
    let [english, chinese] = &words.text;
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style><h1>{title} · <span \
         lang=\"zh\">{other}</span></h1><p lang=\"en\">{}</p><p lang=\"zh\">{}</p>{rest}</html>",
        escaped(english),
        escaped(chinese),
        title = words.title[0],
        other = words.title[1],
    );
    let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // With none at all a browser does not say where its form comes from.
        (REFERRER_POLICY, HeaderValue::from_static("strict-origin")),
        (CONTENT_SECURITY_POLICY, HeaderValue::try_from(policy).expect("visible ASCII")),
    ];
    (status, headers, html).into_response()
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whatever_a_link_holds_is_no_markup() {
        let page = ask("\"><script>alert(1)</script>'&");
        let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("script"), "{policy}");
        let bytes = axum::body::to_bytes(page.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(text.contains("value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;\""), "{text}");
        assert!(!text.contains("<script"), "{text}");
    }
}
