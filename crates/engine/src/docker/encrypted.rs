//! An encrypted connection whose errors tell an administrator what is wrong with whose certificate.

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, Error as TlsError};
use std::error::Error as StdError;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Why the two sides do not trust each other, in words that begin with the engine as "it".
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Distrust(String);

/// The words of an error that is about TLS, wherever in its causes they are.
pub(super) fn distrust(error: &(dyn StdError + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(distrust) = inner.and_then(|inner| inner.downcast_ref::<Distrust>()) {
            return Some(distrust.0.clone());
        }
        next = error.source();
    }
    None
}

/// A connection on which both sides know each other. With TLS 1.3 an engine that refuses our certificate says so
/// only after we believe to be connected, so every read and write may be the one that brings the news.
pub(super) struct Encrypted(pub(super) TlsStream<TcpStream>);

impl Encrypted {
    /// What is behind a write that failed: the engine may have said why it hung up.
    fn last_words(&mut self, cx: &mut Context<'_>, error: io::Error) -> io::Error {
        match Pin::new(&mut self.0).poll_read(cx, &mut ReadBuf::new(&mut [])) {
            Poll::Ready(Err(said)) if said.get_ref().is_some_and(|inner| inner.is::<TlsError>()) => explain(said),
            _ => explain(error),
        }
    }

    fn told<T>(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        done.map(|done| done.map_err(|error| self.last_words(cx, error)))
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer).map_err(explain)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.0).poll_write(cx, bytes);
        self.told(cx, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.0).poll_write_vectored(cx, pieces);
        self.told(cx, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.0).poll_flush(cx);
        self.told(cx, done)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// The same error with better words, if it is about TLS.
pub(super) fn explain(error: io::Error) -> io::Error {
    let words = match error.get_ref().map(|inner| inner.downcast_ref::<TlsError>()) {
        Some(Some(about)) => words(about),
        // The library's own words for this are an address in its manual.
        _ if error.kind() == ErrorKind::UnexpectedEof => "it broke off the connection".to_owned(),
        _ => return error,
    };
    io::Error::new(error.kind(), Distrust(words))
}

fn words(error: &TlsError) -> String {
    match error {
        TlsError::InvalidCertificate(error) => certificate(error),
        TlsError::InvalidMessage(_) => {
            "it answers without TLS: its address should be http://, or it must be started with --tlsverify".to_owned()
        }
        TlsError::AlertReceived(alert) => told(*alert),
        TlsError::PeerIncompatible(error) => format!("it speaks no TLS that is safe today ({error:?})"),
        error => format!("TLS failed: {error}"),
    }
}

/// What is wrong with the engine's certificate.
fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired => "its certificate has expired".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => format!("its certificate expired on {}", day(*not_after)),
        CertificateError::NotValidYet => "its certificate is not valid yet".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("its certificate is not valid before {}: compare the clocks", day(*not_before))
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate was not signed by the given CA".to_owned()
        }
        CertificateError::NotValidForName => "its certificate is for another name than its address".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => wrong_name(expected, presented),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its certificate is not one for servers (extended key usage serverAuth)".to_owned()
        }
        error => format!("its certificate cannot be used: {error}"),
    }
}

fn wrong_name(expected: &ServerName<'_>, presented: &[String]) -> String {
    let expected = expected.to_str();
    if presented.is_empty() {
        return format!("its certificate names no host: '{expected}' must be among its alternative names");
    }
    let presented: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
    format!("its certificate is not for '{expected}' but for {}", presented.join(", "))
}

/// The library wraps each name: `DnsName("a.lan")`, `IpAddress(10.0.0.5)`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

/// What the engine finds wrong with us.
fn told(alert: AlertDescription) -> String {
    use AlertDescription as Alert;
    let reason = match alert {
        Alert::UnknownCA => "it does not know the CA that signed it",
        Alert::CertificateExpired => "it has expired",
        Alert::CertificateRevoked => "it was revoked",
        Alert::CertificateRequired => "it got none",
        // The last one: another CA of the same name.
        Alert::BadCertificate
        | Alert::CertificateUnknown
        | Alert::UnsupportedCertificate
        | Alert::AccessDenied
        | Alert::DecryptError => "it must be valid now, for clients, and signed by the CA of the engine's --tlscacert",
        Alert::ProtocolVersion | Alert::HandshakeFailure => return "it shares no version of TLS with us".to_owned(),
        alert => return format!("it refuses to speak TLS with us: {alert:?}"),
    };
    format!("it refuses our certificate: {reason}")
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => "a day that no calendar has".to_owned(),
    }
}

#[cfg(test)]
mod tests;
