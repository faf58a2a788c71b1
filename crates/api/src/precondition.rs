//! What a request says must be there, so that nobody overwrites what they have not seen: `If-Match` and `If-None-Match`
//! (RFC 9110 section 13.1). What is there is compared by those who write.

use crate::ApiError;
use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName};

/// What must hold before something is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// Nothing was said.
    None,
    /// Nothing is there: `If-None-Match: *`.
    Absent,
    /// What is there has this tag: `If-Match: "TAG"`.
    Tag(String),
}

impl Precondition {
    /// What the headers of a request say; `form` says what a tag of `If-Match` is, such as `the etag of the file`.
    ///
    /// # Errors
    /// 400 with the header's name, if it is given twice, of another form, or if both are given.
    pub(crate) fn of(headers: &HeaderMap, form: &str) -> Result<Self, ApiError> {
        match (once(headers, &IF_MATCH)?, once(headers, &IF_NONE_MATCH)?) {
            (None, None) => Ok(Self::None),
            (None, Some("*")) => Ok(Self::Absent),
            (None, Some(_)) => {
                Err(ApiError::field("if-none-match", "if-none-match must be *: only if there is nothing"))
            }
            (Some(_), Some(_)) => Err(ApiError::field("if-match", "if-match and if-none-match exclude one another")),
            (Some(quoted), None) => {
                let tag = quoted.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
                let tag = tag.filter(|tag| !tag.is_empty() && !tag.contains('"'));
                tag.map(|tag| Self::Tag(tag.to_owned())).ok_or_else(|| Self::malformed(form))
            }
        }
    }

    /// The refusal of a tag that is not of the form it should have.
    pub(crate) fn malformed(form: &str) -> ApiError {
        ApiError::field("if-match", format!("if-match must be {form}, in quotes"))
    }
}

fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match value.to_str().ok().filter(|_| values.next().is_none()) {
        Some(value) => Ok(Some(value.trim())),
        None => Err(ApiError::field(name.as_str(), format!("{name} must be given once, as text"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn condition(headers: &[(&'static str, &'static str)]) -> Result<Precondition, String> {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Precondition::of(&headers.collect(), "the etag").map_err(|error| error.body.field.unwrap_or_default())
    }

    #[test]
    fn what_must_be_there_is_told_in_one_way() {
        assert_eq!(condition(&[]), Ok(Precondition::None));
        assert_eq!(condition(&[("if-none-match", "*")]), Ok(Precondition::Absent));
        assert_eq!(condition(&[("if-match", " \"a-1\" ")]), Ok(Precondition::Tag("a-1".to_owned())));
        for bad in ["*", "a-1", "\"\"", "W/\"a\"", "\"a\", \"b\"", ""] {
            assert_eq!(condition(&[("if-match", bad)]), Err("if-match".to_owned()), "{bad}");
        }
        assert_eq!(condition(&[("if-none-match", "\"a\"")]), Err("if-none-match".to_owned()));
    }

    #[test]
    fn two_conditions_are_refused() {
        assert_eq!(condition(&[("if-match", "\"a\""), ("if-none-match", "*")]), Err("if-match".to_owned()));
        let mut twice = HeaderMap::new();
        for tag in ["\"a\"", "\"b\""] {
            twice.append(IF_MATCH, HeaderValue::from_static(tag));
        }
        let refused = Precondition::of(&twice, "the etag").unwrap_err();
        assert_eq!(refused.body.message, "if-match must be given once, as text");
    }
}
