//! The keys of a provider. Each is of one kind, and good for the one algorithm of its kind: nothing that a token says makes
//! another of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

/// The most keys that are looked at.
const MOST: usize = 100;

/// How a token may be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Es256,
    EdDsa,
}

impl Algorithm {
    /// Those that are taken; no others.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// The keys of a provider that signatures are checked with.
pub(super) struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    material: Material,
}

enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Point(Vec<u8>),
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Written {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// Reads a set of keys (JWKS). Those of other kinds and for other purposes are left out.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let set: KeySet = serde_json::from_slice(text).ok()?;
        let written = set.keys.into_iter().take(MOST).filter_map(|key| serde_json::from_value::<Written>(key).ok());
        Some(Self(written.filter_map(Key::read).collect()))
    }

    /// Whether a signature is that of a key; nothing if there is no such key.
    pub fn check(&self, algorithm: Algorithm, id: Option<&str>, signed: &[u8], signature: &[u8]) -> Option<bool> {
        let is_meant = |key: &&Key| key.algorithm == algorithm && (id.is_none() || key.id.as_deref() == id);
        let mut meant = self.0.iter().filter(is_meant).peekable();
        meant.peek()?;
        Some(meant.any(|key| key.has_signed(signed, signature)))
    }
}

impl Key {
    fn read(written: Written) -> Option<Self> {
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?.trim_end_matches('=')).ok();
        let exactly = |text: &Option<String>| bytes(text).filter(|bytes| bytes.len() == 32);
        let (algorithm, material) = match (written.kty.as_str(), written.crv.as_deref()) {
            ("RSA", _) => {
                let number = |text| bytes(text).map(|bytes| bytes.into_iter().skip_while(|byte| *byte == 0).collect());
                (Algorithm::Rs256, Material::Rsa { n: number(&written.n)?, e: number(&written.e)? })
            }
            ("EC", Some("P-256")) => {
                let point = [vec![4], exactly(&written.x)?, exactly(&written.y)?].concat();
                (Algorithm::Es256, Material::Point(point))
            }
            ("OKP", Some("Ed25519")) => (Algorithm::EdDsa, Material::Point(exactly(&written.x)?)),
            _ => return None,
        };
        let is_for_signatures = written.purpose.is_none_or(|purpose| purpose == "sig");
        let is_for_this = written.alg.is_none_or(|name| Algorithm::named(&name) == Some(algorithm));
        (is_for_signatures && is_for_this).then_some(Self { id: written.kid, algorithm, material })
    }

    fn has_signed(&self, signed: &[u8], signature: &[u8]) -> bool {
        match (&self.material, self.algorithm) {
            (Material::Rsa { n, e }, _) => RsaPublicKeyComponents { n, e }
                .verify(&signature::RSA_PKCS1_2048_8192_SHA256, signed, signature)
                .is_ok(),
            (Material::Point(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(signed, signature).is_ok()
            }
            (Material::Point(point), Algorithm::EdDsa) => {
                UnparsedPublicKey::new(&signature::ED25519, point).verify(signed, signature).is_ok()
            }
            (Material::Point(_), Algorithm::Rs256) => false,
        }
    }
}
