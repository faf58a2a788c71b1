//! What an administrator hands to a new host: where the controller is, how it is recognised, and a one-use secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::str::FromStr;

/// What tokens begin with.
const PREFIX: &str = "pj1-";
/// The longest text that is taken for one, in bytes.
const LONGEST: usize = 1024;

/// A join token.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    /// `host:port` of the controller's listener for agents.
    pub address: String,
    /// SHA-256 of the certificate of the pool's authority.
    pub fingerprint: [u8; 32],
    /// Good for one host.
    pub secret: String,
}

/// A text that is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no join token, or not all of one; make one with 'pierhead engine join-command'")]
pub struct InvalidToken;

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinToken").field("address", &self.address).finish_non_exhaustive()
    }
}

impl fmt::Display for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fingerprint = URL_SAFE_NO_PAD.encode(self.fingerprint);
        let parts = [self.address.as_str(), &fingerprint, &self.secret].join(" ");
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(parts))
    }
}

impl FromStr for JoinToken {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let parts = text.trim().strip_prefix(PREFIX).filter(|rest| rest.len() <= LONGEST).ok_or(InvalidToken)?;
        let parts = URL_SAFE_NO_PAD.decode(parts).ok().and_then(|parts| String::from_utf8(parts).ok());
        let parts = parts.ok_or(InvalidToken)?;
        let [address, fingerprint, secret] = parts.split(' ').collect::<Vec<_>>()[..] else { return Err(InvalidToken) };
        let fingerprint = URL_SAFE_NO_PAD.decode(fingerprint).ok().and_then(|bytes| bytes.try_into().ok());
        let has_port =
            address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        match fingerprint {
            Some(fingerprint) if has_port && !secret.is_empty() => {
                Ok(Self { address: address.to_owned(), fingerprint, secret: secret.to_owned() })
            }
            _ => Err(InvalidToken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_nothing_else_is() {
        let token =
            JoinToken { address: "[fd00::1]:7443".to_owned(), fingerprint: [7; 32], secret: "s3cret".to_owned() };
        let text = token.to_string();
        assert_eq!(text.parse(), Ok(token.clone()));
        assert_eq!(format!(" {text}\n").parse(), Ok(token.clone()), "as it is pasted");
        assert!(!format!("{token:?}").contains("s3cret"));
        for cut in 0..text.len() {
            // What is cut off somewhere in the secret is well formed still: it is the controller who refuses it.
            assert!(text[..cut].parse() != Ok(token.clone()), "{cut}");
        }
        let long = "a".repeat(2000);
        for bad in ["", "pj1-", "pj1-!!", "abc", &text.replace("pj1", "pj2"), &format!("pj1-{long}")] {
            assert_eq!(bad.parse::<JoinToken>(), Err(InvalidToken), "{bad}");
        }
        for address in ["host", ":1", "host:99999"] {
            let other = JoinToken { address: address.to_owned(), ..token.clone() };
            assert_eq!(other.to_string().parse::<JoinToken>(), Err(InvalidToken), "{address}");
        }
    }
}
