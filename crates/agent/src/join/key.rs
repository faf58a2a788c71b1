//! A host's key, and the proof that one has it.

use crate::error::{AgentError, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, SigningKey};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

/// What is signed before the public key, so that the signature is good for nothing else.
const CONTEXT: &[u8] = b"pierhead host key 1\n";

/// A key that was made on this host.
pub struct HostKey(KeyPair);

impl std::fmt::Debug for HostKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostKey").finish_non_exhaustive()
    }
}

impl HostKey {
    /// A new one.
    ///
    /// # Errors
    /// [`AgentError::Key`] if the system gives no randomness.
    pub fn generate() -> Result<Self> {
        KeyPair::generate().map(Self).map_err(AgentError::Key)
    }

    /// The private key: PKCS#8, DER.
    #[must_use]
    pub fn der(&self) -> Vec<u8> {
        self.0.serialize_der()
    }

    /// The public key and its signature, each in base64.
    pub(super) fn shown(&self) -> Result<(String, String)> {
        let public = self.0.public_key_raw();
        let signature = self.0.sign(&signed(public)).map_err(AgentError::Key)?;
        Ok((STANDARD.encode(public), STANDARD.encode(signature)))
    }
}

/// The public key of a request, if whoever asks has shown to have the private one.
#[must_use]
pub fn is_signed(public_key: &str, signature: &str) -> Option<Vec<u8>> {
    let (public, signature) = (STANDARD.decode(public_key).ok()?, STANDARD.decode(signature).ok()?);
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &public);
    key.verify(&signed(&public), &signature).ok()?;
    Some(public)
}

fn signed(public: &[u8]) -> Vec<u8> {
    [CONTEXT, public].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_the_key_can_show_it() {
        let (mine, other) = (HostKey::generate().unwrap(), HostKey::generate().unwrap());
        let ((public, signature), (foreign, foreign_signature)) = (mine.shown().unwrap(), other.shown().unwrap());
        assert_eq!(is_signed(&public, &signature).unwrap().len(), 65);
        for (public, signature) in [
            (&public, &foreign_signature),
            (&foreign, &signature),
            (&public, &String::new()),
            (&String::new(), &signature),
            (&"!".to_owned(), &signature),
        ] {
            assert_eq!(is_signed(public, signature), None);
        }
        assert_eq!(format!("{mine:?}"), "HostKey { .. }");
    }
}
