//! Secrets at rest: sealed texts that only the holder of the key file can open, each bound to its place.
//!
//! ChaCha20-Poly1305 with a random nonce; the context and the key's own name are authenticated with it.
//! This module owns the key file, and never logs or returns the key.

mod documents;
mod key_file;

pub use documents::SealedDocuments;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::{Error, Result, Store, Transaction};

/// The name of a key file in a directory of its own.
pub const KEY_FILE: &str = "secret.key";

const VERSION: &str = "v1:";
const KEY_BYTES: usize = 32;
/// The first bytes of the key's digest, by which a wrong key is told from a damaged text.
const NAME_BYTES: usize = 8;
/// The document that tells whether a store belongs to a key.
pub(crate) const CHECK_KEY: &str = "seal/check";
const CHECK_TEXT: &[u8] = b"pierhead";

/// Seals and opens secrets with the key of one store.
pub struct Sealer {
    key: LessSafeKey,
    name: [u8; NAME_BYTES],
    /// Derived from the same key, so that neither tells anything of what the other made.
    fingerprints: hmac::Key,
}

impl Sealer {
    /// With the key file `secret.key` of a store's directory, which is created (mode 0600) if it isn't there.
    ///
    /// # Errors
    /// [`Error::KeyFile`], [`Error::Open`] or [`Error::Random`].
    pub fn open_or_create(directory: impl AsRef<Path>) -> Result<Self> {
        Self::open_or_create_file(directory.as_ref().join(KEY_FILE))
    }

    /// With a key file, which is created (mode 0600) if it isn't there. Its directory must be there.
    ///
    /// # Errors
    /// [`Error::KeyFile`], [`Error::Open`] or [`Error::Random`].
    pub fn open_or_create_file(file: impl AsRef<Path>) -> Result<Self> {
        key_file::read_or_create(file.as_ref()).map(|key| Self::new(&key))
    }

    /// Whether secrets of a store belong to a key already: then a new one would be of no use.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn is_bound(store: &dyn Store) -> Result<bool> {
        Ok(store.get(CHECK_KEY).await?.is_some())
    }

    fn new(key: &[u8; KEY_BYTES]) -> Self {
        let mut name = [0; NAME_BYTES];
        name.copy_from_slice(&digest(&SHA256, key).as_ref()[..NAME_BYTES]);
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"pierhead fingerprints");
        let fingerprints = hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref());
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("the algorithm's keys are 32 bytes");
        Self { key: LessSafeKey::new(key), name, fingerprints }
    }

    /// What tells `text` from every other, and tells nobody what it is who has not the key: 64 hexadecimal digits.
    /// The hash of something that people think up could be found by trying; this can't.
    #[must_use]
    pub fn fingerprint(&self, context: &str, text: &[u8]) -> String {
        let mut signed = hmac::Context::with_key(&self.fingerprints);
        signed.update(&(context.len() as u64).to_le_bytes());
        signed.update(context.as_bytes());
        signed.update(text);
        signed.sign().as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    /// Text that only [`Sealer::open`] with the same context turns back into `plain`.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<String> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| Error::Random)?;
        let mut secret = plain.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), self.associated(context), &mut secret)
            .expect("secrets are far below the cipher's limit of 256 GiB");
        let sealed = [&self.name[..], &nonce, &secret].concat();
        Ok(format!("{VERSION}{}", STANDARD_NO_PAD.encode(sealed)))
    }

    /// What was sealed.
    ///
    /// # Errors
    /// [`Error::WrongKey`] if another key sealed it; [`Error::Damaged`] if it was changed, or sealed with another context.
    pub fn open(&self, context: &str, sealed: &str) -> Result<Vec<u8>> {
        let damaged = || Error::Damaged { context: context.to_owned() };
        let text = sealed.strip_prefix(VERSION).ok_or_else(damaged)?;
        let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| damaged())?;
        let (name, rest) = bytes.split_first_chunk::<NAME_BYTES>().ok_or_else(damaged)?;
        if *name != self.name {
            return Err(Error::WrongKey { context: context.to_owned() });
        }
        let (nonce, secret) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
        let mut secret = secret.to_vec();
        let plain = self
            .key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), self.associated(context), &mut secret)
            .map_err(|_| damaged())?;
        Ok(plain.to_vec())
    }

    /// Makes sure that the secrets of `store` belong to this key: the first time by writing a check document,
    /// later by opening it. Call it once before serving.
    ///
    /// # Errors
    /// [`Error::WrongKey`], or those of the store.
    pub async fn verify(&self, store: &dyn Store) -> Result<()> {
        loop {
            if let Some(check) = store.get(CHECK_KEY).await? {
                let sealed = String::from_utf8_lossy(&check.value);
                return self.open(CHECK_KEY, &sealed).map(drop);
            }
            let sealed = self.seal(CHECK_KEY, CHECK_TEXT)?;
            let first = Transaction::new().absent(CHECK_KEY).put(CHECK_KEY, sealed.into_bytes());
            match store.commit(first).await {
                Ok(_) => return Ok(()),
                // Another process was first: compare with what it wrote.
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn associated(&self, context: &str) -> Aad<Vec<u8>> {
        Aad::from([VERSION.as_bytes(), &self.name, context.as_bytes()].concat())
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sealer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&[byte; KEY_BYTES])
    }

    #[test]
    fn opens_what_it_sealed() {
        for plain in [&b""[..], b"s", &[0xff; 5000]] {
            let sealed = sealer(1).seal("engine/a", plain).unwrap();
            assert!(sealed.starts_with("v1:"), "{sealed}");
            assert_eq!(sealer(1).open("engine/a", &sealed).unwrap(), plain);
        }
    }

    #[test]
    fn seals_the_same_secret_differently_each_time() {
        assert_ne!(sealer(1).seal("a", b"secret").unwrap(), sealer(1).seal("a", b"secret").unwrap());
    }

    #[test]
    fn tells_another_key_from_damage() {
        let sealed = sealer(1).seal("engine/a", b"secret").unwrap();
        let other = sealer(2).open("engine/a", &sealed);
        assert!(matches!(other, Err(Error::WrongKey { .. })), "{other:?}");
        let elsewhere = sealer(1).open("engine/b", &sealed);
        assert!(matches!(elsewhere, Err(Error::Damaged { .. })), "{elsewhere:?}");
    }

    #[test]
    fn fingerprints_hang_on_key_context_and_text() {
        let print = |key, context, text: &[u8]| sealer(key).fingerprint(context, text);
        let first = print(1, "a", b"secret");
        assert_eq!((first.len(), &first), (64, &print(1, "a", b"secret")));
        for other in
            [print(2, "a", b"secret"), print(1, "b", b"secret"), print(1, "a", b"secrets"), print(1, "as", b"ecret")]
        {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn no_changed_text_opens() {
        let sealed = sealer(1).seal("a", b"secret").unwrap();
        for position in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(sealer(1).open("a", &changed).is_err(), "{position}");
            assert!(sealer(1).open("a", &sealed[..position]).is_err(), "{position}");
        }
        assert!(sealer(1).open("a", "v1:not base64!").is_err());
        assert!(sealer(1).open("a", "v1:é").is_err());
    }
}
