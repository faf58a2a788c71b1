//! Errors in words for people: with their causes, and with what to do where that is known. Decides nothing.

use crate::AgentError;
use rustls::{AlertDescription, CertificateError};
use std::error::Error;
use std::io::ErrorKind;

/// What to do about a certificate that does not count any more.
const JOIN_AGAIN: &str = "join again with a new token from 'pierhead engine join-command'";

/// An error with its causes, and with what to do about it.
#[must_use]
pub fn in_words(error: &(dyn Error + 'static)) -> String {
    let (mut words, mut advice) = (error.to_string(), advice(error));
    let mut next = cause(error);
    while let Some(cause_of_it) = next {
        let said = cause_of_it.to_string();
        if !words.contains(&said) {
            words = format!("{words}: {said}");
        }
        advice = advice.or_else(|| self::advice(cause_of_it));
        next = cause(cause_of_it);
    }
    advice.map(|advice| format!("{words}: {advice}")).unwrap_or(words)
}

/// What an error comes from; what an error of the system wraps, too.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    wrapped.map(|inner| inner as _).or_else(|| error.source())
}

fn advice(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return of_tls(error);
    }
    if let Some(AgentError::TimedOut { what, .. }) = error.downcast_ref::<AgentError>() {
        return of_silence(what).map(str::to_owned);
    }
    let kind = error.downcast_ref::<std::io::Error>()?.kind();
    let text = match kind {
        ErrorKind::ConnectionRefused => "nobody listens there: does the controller run, with --agent-listen?",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "there is no way to that network from here",
        _ if error.to_string().contains("failed to lookup address") => "its name is not known here: look into DNS",
        _ => return None,
    };
    Some(text.to_owned())
}

/// What it means that somebody did not do something in time.
fn of_silence(what: &str) -> Option<&'static str> {
    match what {
        "answer" => Some("something listens there and says nothing: the controller hangs, or it is something else"),
        "accept a connection" => Some("the machine is off, or a firewall swallows the call"),
        _ => None,
    }
}

fn of_tls(error: &rustls::Error) -> Option<String> {
    let clock = "or this host's clock is wrong: compare 'date' here and on the controller";
    match error {
        rustls::Error::AlertReceived(AlertDescription::CertificateExpired) => {
            Some(format!("this host's certificate has expired: {JOIN_AGAIN}"))
        }
        rustls::Error::AlertReceived(
            AlertDescription::UnknownCA | AlertDescription::BadCertificate | AlertDescription::DecryptError,
        ) => Some(format!(
            "the controller does not believe this host's certificate; is it of another pool? {JOIN_AGAIN}"
        )),
        rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            Some(format!("the controller's certificate has expired, {clock}"))
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => Some(format!("the controller's certificate is not good yet, {clock}")),
        rustls::Error::InvalidCertificate(_) => {
            Some("who answers there is no controller of this host's pool: is the address right?".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn handshake(error: rustls::Error) -> String {
        let source = io::Error::new(ErrorKind::InvalidData, error);
        in_words(&AgentError::Handshake { peer: "10.0.0.1:7443".to_owned(), source })
    }

    #[test]
    fn each_trouble_has_its_advice() {
        let invalid = rustls::Error::InvalidCertificate;
        for (error, words) in [
            (rustls::Error::AlertReceived(AlertDescription::CertificateExpired), "has expired: join again"),
            (rustls::Error::AlertReceived(AlertDescription::UnknownCA), "is it of another pool? join again"),
            (invalid(CertificateError::UnknownIssuer), "no controller of this host's pool"),
            (invalid(CertificateError::Expired), "clock is wrong"),
            (invalid(CertificateError::NotValidYet), "not good yet"),
        ] {
            let told = handshake(error);
            assert!(told.starts_with("no agreement with 10.0.0.1:7443: ") && told.contains(words), "{told}");
        }
        let plain = handshake(rustls::Error::DecryptError);
        assert!(!plain.contains("join again"), "{plain}");
    }

    #[test]
    fn silence_is_told_by_how_far_the_call_came() {
        let told = |what, milliseconds| {
            in_words(&AgentError::TimedOut { peer: "10.0.0.1:7443".to_owned(), what, milliseconds })
        };
        let hung = told("answer", 10_000);
        assert!(hung.starts_with("10.0.0.1:7443 did not answer within 10 s: something listens there"), "{hung}");
        assert!(told("accept a connection", 250).contains("within 250 ms: the machine is off"));
        assert_eq!(told("ask", 1000), "10.0.0.1:7443 did not ask within 1 s");
    }

    #[test]
    fn an_address_that_does_not_answer_is_told() {
        let told = |kind: ErrorKind| {
            in_words(&AgentError::Connect { address: "pool.lan:7443".to_owned(), source: kind.into() })
        };
        assert!(told(ErrorKind::ConnectionRefused).contains("nobody listens there"));
        assert!(told(ErrorKind::NetworkUnreachable).contains("no way to that network"));
        let unknown = io::Error::other("failed to lookup address information: Name or service not known");
        let words = in_words(&AgentError::Connect { address: "pool.lan:7443".to_owned(), source: unknown });
        assert!(words.contains("DNS") && words.matches("failed to lookup").count() == 1, "{words}");
    }
}
