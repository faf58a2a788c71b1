//! What can go wrong between a question and its answer.

use pierhead_wire::ErrorBody;
use rustls::{CertificateError, Error as TlsError};
use std::error::Error;
use std::io;
use url::Url;

/// Why there is no answer, or not the one that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// An address of a controller does not have the accepted form.
    #[error("address {text:?} of a controller {why}")]
    ParseAddress {
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A name or id that cannot be part of a path.
    #[error("{0:?} is not a name or id")]
    ParseName(String),
    /// A request or its connection could not be prepared.
    #[error("cannot set up the HTTP client: {why}")]
    SetUp {
        /// Why.
        why: String,
    },
    /// What was given as an authority is none.
    #[error("that is not a certificate in PEM (-----BEGIN CERTIFICATE-----)")]
    ParseAuthority,
    /// A controller showed a certificate that is not believed; nothing was said to it.
    #[error("the certificate of {url} is not trusted: {why}")]
    Untrusted {
        /// Which.
        url: String,
        /// What is wrong with it.
        why: String,
        /// Whether it would be good if its authority were trusted.
        is_unknown: bool,
    },
    /// The request could not be put together.
    #[error("cannot write the request")]
    WriteRequest(#[source] serde_json::Error),
    /// The controller answered that it will not or cannot.
    #[error("{}", body.message)]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Why, for programs and for people.
        body: Box<ErrorBody>,
    },
    /// No controller answered, however often they were tried.
    #[error("cannot reach {url}: {why}")]
    Unreachable {
        /// The last one that was tried.
        url: String,
        /// What happened there.
        why: String,
    },
    /// Something answered that is not a controller, or one that speaks another version.
    #[error("{url} did not answer as a controller does: {why}")]
    ReadAnswer {
        /// Where.
        url: String,
        /// What is odd.
        why: String,
    },
    /// A log that had begun ended too early.
    #[error("the log broke off: {why}")]
    ReadLog {
        /// What happened.
        why: String,
    },
}

impl ClientError {
    pub(crate) fn unreachable(url: &Url, why: String) -> Self {
        Self::Unreachable { url: shown(url), why }
    }

    pub(crate) fn untrusted(url: &Url, refused: &CertificateError) -> Self {
        let is_unknown = matches!(refused, CertificateError::UnknownIssuer | CertificateError::BadSignature);
        Self::Untrusted { url: shown(url), why: in_words(refused), is_unknown }
    }

    /// The HTTP status, if a controller answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The machine-readable code, if a controller answered.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { body, .. } => Some(&body.code),
            _ => None,
        }
    }
}

fn shown(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn in_words(refused: &CertificateError) -> String {
    match refused {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "it is of an authority that is not trusted here".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet (is the clock right?)".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is not for this name or address".to_owned()
        }
        // Its kind has no name of its own here.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "it is marked as that of an authority (CA:TRUE), and no server's own".to_owned()
        }
        other => other.to_string(),
    }
}

/// What is wrong with a controller's certificate, if that is the reason of an error.
pub(crate) fn refused_certificate<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CertificateError> {
    causes(error).find_map(|cause| match cause.downcast_ref::<TlsError>() {
        Some(TlsError::InvalidCertificate(refused)) => Some(refused),
        _ => None,
    })
}

/// The innermost cause of an error, which is the one that a person understands ("Connection refused").
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let plain = causes(error).find_map(in_plain_words);
    plain.map_or_else(|| causes(error).last().unwrap_or(error).to_string(), str::to_owned)
}

/// What only those understand who wrote the libraries, for those who did not.
fn in_plain_words(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(TlsError::InvalidMessage(_)) = cause.downcast_ref::<TlsError>() {
        return Some("it does not speak TLS; if it speaks plain HTTP, its address begins with http://");
    }
    if let Some(error) = cause.downcast_ref::<hyper::Error>() {
        if error.is_parse() {
            return Some("it does not speak plain HTTP; if it speaks TLS, its address begins with https://");
        }
        if error.is_incomplete_message() {
            return Some("it hung up before the answer was there");
        }
    }
    let error = cause.downcast_ref::<io::Error>()?;
    // One that wraps another is told by what it wraps.
    let is_innermost = error.get_ref().is_none_or(|inner| inner.source().is_none() && !inner.is::<TlsError>());
    let is_cut = error.kind() == io::ErrorKind::UnexpectedEof && is_innermost;
    is_cut.then_some("the connection to the controller was lost")
}

/// An error and its causes, also one inside an error of input or output, which does not name it as its cause.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |found| {
        let error: &'a (dyn Error + 'static) = *found;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}
