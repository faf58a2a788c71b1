//! What kinds of files there are.

/// The media type of a file by what its name ends in. Browsers are told not to guess, so what is not known here is no
/// script and no style.
pub(crate) fn of(name: &str) -> &'static str {
    let (_, ending) = name.rsplit_once('.').unwrap_or_default();
    match ending {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_are_strict_about_is_known() {
        for (name, media_type) in [
            ("index.html", "text/html; charset=utf-8"),
            ("assets/index-B4k.js", "text/javascript; charset=utf-8"),
            ("assets/index-B4k.css", "text/css; charset=utf-8"),
            ("icon.svg", "image/svg+xml"),
            ("assets/sans.woff2", "font/woff2"),
            ("js", "application/octet-stream"),
            ("licence", "application/octet-stream"),
            ("page.html.exe", "application/octet-stream"),
        ] {
            assert_eq!(of(name), media_type, "{name}");
        }
    }
}
