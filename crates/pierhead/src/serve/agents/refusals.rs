//! What is refused, told as events: the same thing once in a while and not each time, however often it is tried.

use pierhead_agent::AgentError;
use pierhead_controller::Controller;
use pierhead_model::EngineId;
use rustls::CertificateError;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How long the same is not told again.
const QUIET: Duration = Duration::from_secs(60);
/// How many different ones are told in that time.
const MOST: usize = 100;

/// Something that was refused, by an agent or to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::serve) struct Refused {
    /// Whose agent it was, if that is known.
    pub engine: Option<EngineId>,
    /// What kind of refusal.
    pub code: String,
    /// What was refused.
    pub what: String,
}

/// Tells of refusals, for ever.
pub(super) async fn tell(controller: Controller, mut refused: mpsc::Receiver<Refused>) {
    let mut told = Told::default();
    while let Some(refused) = refused.recv().await {
        if !told.is_new(&refused, Instant::now()) {
            continue;
        }
        let message = format!("{}: {}", refused.code, refused.what);
        if let Err(error) = controller.tell_of_agent(refused.engine.as_ref(), "agent-refused", message).await {
            tracing::warn!(%error, "a refusal could not be told");
        }
    }
}

/// What kind of refusal it is that a call came to nothing; none for one that just ended, as calls do when a host or its
/// network goes.
pub(super) fn code_of_call(error: &AgentError) -> Option<&'static str> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(error) = cause.downcast_ref::<rustls::Error>() {
            return Some(code_of_tls(error));
        }
        let io = cause.downcast_ref::<io::Error>();
        if io.is_some_and(|error| [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&error.kind())) {
            return None;
        }
        next = io.and_then(io::Error::get_ref).map(|inner| inner as _).or_else(|| cause.source());
    }
    match error {
        AgentError::Handshake { source, .. } if source.kind() == ErrorKind::UnexpectedEof => Some("half_call"),
        AgentError::Handshake { .. } => Some("no_certificate"),
        AgentError::TimedOut { .. } => Some("too_slow"),
        AgentError::Broken(_) => Some("garbage"),
        AgentError::Tunnel(error) if error.is_closed() || error.is_canceled() => None,
        AgentError::Tunnel(_) => Some("garbage"),
        _ => Some("refused"),
    }
}

fn code_of_tls(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "expired_certificate"
        }
        rustls::Error::InvalidCertificate(CertificateError::BadSignature) => "foreign_key",
        rustls::Error::InvalidCertificate(_) => "foreign_certificate",
        rustls::Error::NoApplicationProtocol => "other_protocol",
        // It is the host that does not believe this controller: it may have a token or a certificate of another pool.
        rustls::Error::AlertReceived(_) => "not_believed",
        _ => "garbage",
    }
}

/// What was told lately.
#[derive(Default)]
struct Told(BTreeMap<(Option<EngineId>, String), Instant>);

impl Told {
    fn is_new(&mut self, refused: &Refused, now: Instant) -> bool {
        self.0.retain(|_, at| now.duration_since(*at) < QUIET);
        let key = (refused.engine.clone(), refused.code.clone());
        if self.0.contains_key(&key) || self.0.len() >= MOST {
            return false;
        }
        self.0.insert(key, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_come_to_nothing_have_kinds() {
        let handshake = |source: io::Error| AgentError::Handshake { peer: "x".to_owned(), source };
        let tls = |error: rustls::Error| handshake(io::Error::new(ErrorKind::InvalidData, error));
        let invalid = |error| tls(rustls::Error::InvalidCertificate(error));
        for (error, code) in [
            (invalid(CertificateError::Expired), Some("expired_certificate")),
            (invalid(CertificateError::UnknownIssuer), Some("foreign_certificate")),
            (invalid(CertificateError::BadSignature), Some("foreign_key")),
            (tls(rustls::Error::AlertReceived(rustls::AlertDescription::UnknownCA)), Some("not_believed")),
            (tls(rustls::Error::NoApplicationProtocol), Some("other_protocol")),
            (tls(rustls::Error::DecryptError), Some("garbage")),
            (handshake(ErrorKind::UnexpectedEof.into()), Some("half_call")),
            (handshake(ErrorKind::ConnectionReset.into()), None),
            (handshake(io::Error::other("it has no certificate")), Some("no_certificate")),
            (AgentError::Broken("it asks for nothing".into()), Some("garbage")),
            (AgentError::TimedOut { peer: "x".to_owned(), what: "ask", milliseconds: 1 }, Some("too_slow")),
        ] {
            assert_eq!(code_of_call(&error), code, "{error:?}");
        }
    }

    #[test]
    fn the_same_is_told_once_in_a_while() {
        let (mut told, begun) = (Told::default(), Instant::now());
        let refused = |engine: &str, code: &str| Refused {
            engine: EngineId::parse(engine).ok(),
            code: code.to_owned(),
            what: "x".to_owned(),
        };
        assert!(told.is_new(&refused("a", "term_past"), begun));
        assert!(!told.is_new(&refused("a", "term_past"), begun + QUIET / 2));
        assert!(told.is_new(&refused("b", "term_past"), begun + QUIET / 2));
        assert!(told.is_new(&refused("a", "not_allowed"), begun + QUIET / 2));
        assert!(told.is_new(&refused("a", "term_past"), begun + QUIET), "a minute later");
        let many = (0..1000).filter(|code| told.is_new(&refused("c", &code.to_string()), begun + QUIET)).count();
        assert!((90..=MOST).contains(&many), "{many}");
    }
}
