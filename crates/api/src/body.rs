//! Bodies, queries and paths, read so that an error names the field.

use crate::ApiError;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

/// The largest body that is taken, in bytes.
pub(crate) const LARGEST_BODY: usize = 1024 * 1024;
/// How much of a larger one is read all the same before it is refused, in bytes.
const MOST_SKIPPED: usize = 8 * LARGEST_BODY;

/// A body of JSON.
pub(crate) struct Body<T> {
    pub value: T,
    /// As it came, for those who must recognise it again.
    pub bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let bytes = read(request.into_body(), LARGEST_BODY).await?;
        let value = parse(&bytes)?;
        Ok(Self { value, bytes })
    }
}

/// A body of JSON that may be large: a list of all people of a school. Of these few are read at the same time.
pub(crate) struct Large<T>(pub T);

/// The largest of these, in bytes.
const LARGEST_LIST: usize = 48 * 1024 * 1024;
/// How many of these are read or held at the same time.
static LARGE: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(1);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Large<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let _turn = LARGE.try_acquire().map_err(|_| {
            let busy = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "busy", "another list is being sent in; try again");
            ApiError { retry_after_s: Some(10), ..busy }
        })?;
        let bytes = read(request.into_body(), LARGEST_LIST).await?;
        Ok(Self(parse(&bytes)?))
    }
}

/// Reads a body to its end, also one that is too large (up to a limit): whoever is still sending hears no answer.
async fn read(body: axum::body::Body, largest: usize) -> Result<Bytes, ApiError> {
    let mut chunks = body.into_data_stream();
    let (mut bytes, mut size) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| {
            ApiError::new(StatusCode::BAD_REQUEST, "malformed", "the body ended before it was complete")
        })?;
        size += chunk.len();
        if size <= largest {
            bytes.extend_from_slice(&chunk);
        } else if size > largest.max(MOST_SKIPPED) {
            break;
        }
    }
    if size > largest {
        let what = format!("the body must be at most {} MiB", largest / (1024 * 1024));
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", what));
    }
    Ok(bytes.into())
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_none() {
        let what = "the body is empty; it must be a JSON object";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "malformed", what));
    }
    if first != Some(&b'{') {
        // A list would be taken for the fields in their order.
        return Err(match serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
            Ok(_) => ApiError::field("body", "the body must be a JSON object"),
            Err(error) => malformed(&error),
        });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_syntax() || inner.is_eof() {
            malformed(&inner)
        } else {
            let field = field_of(path, &inner);
            let message = accepted_form(&field, &inner);
            ApiError::field(field, message)
        }
    })?;
    let rest = deserializer.end();
    rest.map_err(|error| {
        ApiError::new(StatusCode::BAD_REQUEST, "malformed", format!("the body is not one JSON value: {error}"))
    })?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "malformed", format!("the body is not JSON: {error}"))
}

/// What is wrong with a field. What stood there is not told: it may be a secret.
fn accepted_form(field: &str, error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    if text.starts_with("missing field") {
        return format!("{field} must be given");
    }
    if text.starts_with("duplicate field") {
        return format!("{field} must be given once");
    }
    let told_of_value = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];
    if !told_of_value.iter().any(|begin| text.starts_with(begin)) {
        return text.to_owned();
    }
    // A value may hold the same words; the form stands last.
    let expected = text.rsplit_once(", expected ").map_or("", |(_, rest)| rest);
    let form = match expected {
        "a string" | "str" | "a borrowed string" => "a text",
        "a boolean" => "true or false",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        "a map" => "an object",
        other if other.starts_with("struct ") => "an object",
        "" => "of another form",
        other => return format!("{field} must be {other}"),
    };
    format!("{field} must be {form}")
}

/// The path of the field; where it is unknown or missing, its name stands in the error's text only.
fn field_of(path: String, error: &serde_json::Error) -> String {
    let text = error.to_string();
    let of_a_name = ["unknown field", "missing field", "duplicate field"];
    let quoted = text.split('`').nth(1).filter(|_| of_a_name.iter().any(|begin| text.starts_with(begin)));
    match (path.as_str(), quoted) {
        ("." | "?" | "", Some(name)) => name.to_owned(),
        ("." | "?" | "", None) => "body".to_owned(),
        (path, Some(name)) if !path.ends_with(name) => format!("{path}.{name}"),
        _ => path,
    }
}

/// The name or id in a path.
pub(crate) struct Path(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Path {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::<String>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(name)) => Ok(Self(name)),
            Err(_) => Err(ApiError::field("path", "the path must be UTF-8, escaped as in every URL")),
        }
    }
}

/// Query parameters; unknown ones are refused.
pub(crate) struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        let deserializer = serde_urlencoded::Deserializer::new(url_pairs(query));
        serde_path_to_error::deserialize(deserializer).map(Self).map_err(|error| {
            let path = error.path().to_string();
            let message = error.into_inner().to_string();
            let quoted = message.split('`').nth(1);
            if let Some(name) = quoted.filter(|_| message.starts_with("duplicate field")) {
                return ApiError::field(name, format!("{name} must be given once"));
            }
            let quoted = quoted.filter(|_| message.starts_with("unknown field"));
            match quoted {
                Some(name) => ApiError::field(name, message.clone()),
                None => ApiError::field(path.clone(), format!("{path}: {message}")),
            }
        })
    }
}

fn url_pairs(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.as_bytes())
}

/// A number in a query, of which the error says what it must be.
pub(crate) fn number(field: &'static str, text: Option<&str>, most: u64) -> Result<Option<u64>, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    match text.parse::<u64>() {
        Ok(number) if number <= most => Ok(Some(number)),
        _ => Err(ApiError::field(field, format!("{field} must be a whole number from 0 to {most}"))),
    }
}

/// A yes or no in a query.
pub(crate) fn flag(field: &'static str, text: Option<&str>) -> Result<bool, ApiError> {
    match text {
        None | Some("" | "false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(_) => Err(ApiError::field(field, format!("{field} must be true or false"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_wire::{AppChange, ImageDescription, LogIn};

    fn refused<T: DeserializeOwned>(body: &str) -> ApiError {
        parse::<T>(body.as_bytes()).err().expect(body)
    }

    #[test]
    fn what_is_wrong_is_named() {
        let named = |body: &str| refused::<ImageDescription>(body).body.field.expect(body);
        assert_eq!(named(r#"{"cpus":"many"}"#), "cpus");
        assert_eq!(named(r#"{"privileged":true}"#), "privileged");
        assert_eq!(named(r#"{"bind_ports":[{"port":true}]}"#), "bind_ports[0].port");
        assert_eq!(named(r#"[1]"#), "body");
        let nested = refused::<AppChange>(r#"{"image":{"name":"a","wat":1}}"#);
        assert_eq!(nested.body.field.as_deref(), Some("image.wat"));
        for (body, field, message) in [
            ("{}", "image", "image must be given"),
            (r#"{"image":{"name":"a","name":"b"}}"#, "image.name", "image.name must be given once"),
            (r#"{"image":{},"image":{}}"#, "image", "image must be given once"),
        ] {
            let refused = refused::<AppChange>(body).body;
            assert_eq!((refused.field.as_deref(), refused.message.as_str()), (Some(field), message), "{body}");
        }
        let unknown = refused::<LogIn>(r#"{"user":"ann"}"#).body.message;
        assert_eq!(unknown, "unknown field `user`, expected `username` or `password`");
    }

    #[test]
    fn what_stood_in_a_field_is_never_told() {
        let log_in = |password: &str| {
            let error = refused::<LogIn>(&format!(r#"{{"username":"ann","password":{password}}}"#)).body;
            (error.field.unwrap_or_default(), error.message)
        };
        let told = ("password".to_owned(), "password must be a text".to_owned());
        for secret in ["31415926", "-31415926", "3.1415926", "true", r#"["31415926"]"#, r#"{"31415926":1}"#, "null"] {
            assert_eq!(log_in(secret), told, "{secret}");
        }
        // Not even in the words of an error.
        let count = r#"{"image":{"name":"a"},"replicas":"x, expected 31415926 at line 7"}"#;
        let message = refused::<AppChange>(count).body.message;
        assert_eq!(message, "replicas must be a whole number that is not negative");
        for (body, message) in [
            (r#"{"cpus":"31415926"}"#, "cpus must be a number"),
            (r#"{"memory":[]}"#, "memory must be a number"),
            (r#"{"publish":"yes"}"#, "publish must be true or false"),
            (r#"{"args":"31415926"}"#, "args must be a list"),
            (r#"{"restart_policy":"31415926"}"#, "restart_policy must be an object"),
            (r#"{"environment":["A=31415926"]}"#, "environment must be an object"),
            (r#"{"environment":{"A":31415926}}"#, "environment.A must be a text"),
        ] {
            assert_eq!(refused::<ImageDescription>(body).body.message, message, "{body}");
        }
    }

    #[test]
    fn what_is_no_json_is_called_so() {
        for body in ["", "{", "nonsense", "{} {}", "{\"name\":\"a\"", "\u{0}"] {
            assert_eq!(refused::<ImageDescription>(body).body.code, "malformed", "{body:?}");
        }
        assert!(refused::<ImageDescription>(" \n").body.message.contains("empty"));
    }

    #[tokio::test]
    async fn what_is_given_twice_is_named() {
        let (mut parts, ()) =
            axum::http::Request::builder().uri("/x?username=a&username=b").body(()).unwrap().into_parts();
        let refused = Query::<LogIn>::from_request_parts(&mut parts, &()).await.err().unwrap().body;
        assert_eq!(refused.field.as_deref(), Some("username"));
        assert_eq!(refused.message, "username must be given once");
        let (mut parts, ()) = axum::http::Request::builder().uri("/x?user=a").body(()).unwrap().into_parts();
        let refused = Query::<LogIn>::from_request_parts(&mut parts, &()).await.err().unwrap().body;
        assert_eq!(refused.field.as_deref(), Some("user"));
        assert_eq!(refused.message, "unknown field `user`, expected `username` or `password`");
    }

    #[test]
    fn numbers_and_flags_of_queries_have_bounds() {
        assert_eq!(number("count", Some("7"), 10).ok(), Some(Some(7)));
        assert_eq!(number("count", None, 10).ok(), Some(None));
        for bad in ["-1", "11", "x", "1.5", "1e3", "99999999999999999999"] {
            assert_eq!(number("count", Some(bad), 10).unwrap_err().body.field.as_deref(), Some("count"), "{bad}");
        }
        assert!(flag("all", Some("true")).unwrap() && !flag("all", None).unwrap());
        assert!(flag("all", Some("maybe")).is_err());
    }
}
