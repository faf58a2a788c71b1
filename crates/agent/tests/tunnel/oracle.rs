//! The list told a second time, without the code that it tests, and targets that come near to it.

use proptest::prelude::*;

/// The lines once more, in words of their own: path with `*` for one piece, `**` for several and `~` for a tag, then the keys.
const ORACLE: &str = "GET /_ping | HEAD /_ping | GET /version | GET /info | GET /events since until filters \
    | GET /containers/json all limit size filters | GET /containers/*/json size \
    | GET /containers/*/logs follow stdout stderr since until timestamps tail \
    | GET /containers/*/stats stream one-shot | GET /containers/*/changes | GET /containers/*/archive path | HEAD /containers/*/archive path \
    | PUT /containers/*/archive path noOverwriteDirNonDir copyUIDGID | POST /containers/*/wait condition \
    | POST /containers/create name platform | POST /containers/*/start | POST /containers/*/stop t signal \
    | POST /containers/*/restart t signal | POST /containers/*/kill signal | POST /containers/*/pause \
    | POST /containers/*/unpause | POST /containers/*/resize h w | DELETE /containers/* v force link \
    | POST /containers/*/attach logs stream stdin stdout stderr detachKeys | POST /containers/*/exec \
    | GET /networks filters | POST /networks/create | DELETE /networks/* \
    | POST /exec/*/start | POST /exec/*/resize h w | GET /exec/*/json | GET /images/json all digests filters \
    | GET /images/get names | GET /images/**/json | GET /images/**/history | GET /images/**/get \
    | DELETE /images/pierhead/** | DELETE /images/**/pierhead/save~ | POST /images/**/tag repo tag | POST /images/**/pierhead/save/push tag | POST /commit container repo tag pause | POST /images/load quiet | POST /images/create fromImage tag platform";

/// Whether a written request is one of the oracle's, told without the code that wrote it.
pub fn is_listed(method: &str, target: &str) -> bool {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let keys: Vec<&str> =
        query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split('=').next().unwrap()).collect();
    let path = match path.strip_prefix("/v1.") {
        Some(rest) => match rest.split_once('/') {
            Some((minor, rest)) if minor.len() == 2 && minor.bytes().all(|b| b.is_ascii_digit()) => format!("/{rest}"),
            _ => return false,
        },
        None => path.to_owned(),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.:@/-".contains(c);
    if path.contains("//") || path.contains("/.") || path.ends_with('/') || !path.chars().all(plain) {
        return false;
    }
    ORACLE.split('|').any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (name, tag) = path.rsplit_once(':').filter(|(_, tag)| !tag.contains(['/', '@'])).unwrap_or((&path, ""));
        let (pattern, path) = match words[1].strip_suffix('~') {
            Some(_) if tag.is_empty() => return false,
            Some(pattern) => (pattern, name),
            None => (words[1], path.as_str()),
        };
        let (before, after) = pattern.split_once('*').unwrap_or((pattern, ""));
        let fits = match pattern.matches('*').count() {
            0 => path == pattern,
            stars => path
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after.trim_start_matches('*')))
                .is_some_and(|middle| !middle.is_empty() && (stars == 2 || !middle.contains('/'))),
        };
        words[0] == method && fits && keys.iter().all(|key| words[2..].contains(key))
    })
}

/// Pieces of paths, good and bad, and whatever else.
fn piece() -> impl Strategy<Value = String> {
    let known = "containers|images|exec|json|create|start|stop|get|load|archive|attach|info|events|_ping|wait|logs";
    prop_oneof![
        6 => known,
        2 => "v1\\.[0-9]{1,3}",
        2 => "[a-z0-9_.:@-]{0,12}",
        1 => "\\.{1,3}|%2[ef]|%00|[;%#&=+ \\\\~!$'()*,]{1,3}",
        1 => "[ -~]{0,8}",
    ]
}

/// Methods and targets: some as they are on the list, some with a piece or a key too many, and some of any kind.
pub fn asked() -> impl Strategy<Value = (String, String)> {
    let line = proptest::sample::select(ORACLE.split('|').map(str::trim).collect::<Vec<_>>());
    let near = (
        line,
        "[a-z0-9][a-z0-9_.-]{0,8}",
        proptest::option::weighted(0.3, (0usize..5, piece())),
        query(),
        any::<bool>(),
    );
    let near = near.prop_map(|(line, name, extra, query, with_own)| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let path = words[1].replace("**", &name).replace('*', &name).replace('~', ":1");
        let mut pieces: Vec<&str> = path.split('/').skip(1).collect();
        if let Some((at, piece)) = &extra {
            pieces.insert((*at).min(pieces.len()), piece);
        }
        let own = words[2..].first().filter(|_| with_own).map(|key| format!("{key}=1"));
        let query: Vec<String> = query.into_iter().filter(|_| extra.is_none() && !with_own).chain(own).collect();
        (words[0].to_owned(), joined(&format!("/{}", pieces.join("/")), &query))
    });
    let path = proptest::collection::vec(piece(), 1..6).prop_map(|pieces| format!("/{}", pieces.join("/")));
    let any = ("GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS", path, query());
    prop_oneof![2 => near, 1 => any.prop_map(|(method, path, query)| (method, joined(&path, &query)))]
}

fn query() -> impl Strategy<Value = Vec<String>> {
    let keys = "all|size|path|name|names|t|signal|fromImage|fromSrc|filters|tail|since|force|v|link|[a-zA-Z%;]{1,6}";
    let pair = (keys, "[a-z0-9.]{0,6}|true|[ -~]{0,10}").prop_map(|(key, value)| format!("{key}={value}"));
    proptest::collection::vec(pair, 0..3)
}

fn joined(path: &str, query: &[String]) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}
