//! Passwords as Argon2id: hashed and checked off the threads that serve, a few at a time.

use super::{AccountsError, Result};
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;

/// Hashes passwords. Each takes tens of milliseconds of CPU and 19 MiB of memory, so only some are done at a time.
pub(super) struct Passwords {
    turns: Semaphore,
    /// The hash of a password that nobody has, checked for users that do not exist so that both take as long.
    nobody: String,
    checked: AtomicU64,
}

impl Passwords {
    pub fn new() -> Result<Self> {
        let at_once = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Ok(Self { turns: Semaphore::new(at_once), nobody: hash(&random_secret())?, checked: AtomicU64::new(0) })
    }

    pub async fn hash(&self, password: &str) -> Result<String> {
        let password = password.to_owned();
        self.in_turn(move || hash(&password)).await
    }

    /// Whether a password is the one that was hashed. Where there is no hash it is not, which takes as long to say.
    pub async fn is_right(&self, password: &str, stored: Option<&str>) -> Result<bool> {
        let (password, exists) = (password.to_owned(), stored.is_some());
        let stored = stored.unwrap_or(&self.nobody).to_owned();
        let is_right = self.in_turn(move || verify(&password, &stored)).await?;
        self.checked.fetch_add(1, Ordering::Relaxed);
        Ok(is_right && exists)
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let _turn = self.turns.acquire().await.map_err(|_| AccountsError::Hash)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| AccountsError::Hash)?
    }
}

/// 256 random bits as 43 characters.
pub(crate) fn random_secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// A password that nobody guesses and that can still be typed: 96 random bits as 16 characters.
#[must_use]
pub fn random_password() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 12]>())
}

fn hash(password: &str) -> Result<String> {
    let hashed = Argon2::default().hash_password(password.as_bytes()).map_err(|_| AccountsError::Hash)?;
    Ok(hashed.to_string())
}

fn verify(password: &str, stored: &str) -> Result<bool> {
    let parsed = PasswordHash::new(stored).map_err(|_| AccountsError::Hash)?;
    Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn passwords_are_verified_by_their_hash() {
        let passwords = Passwords::new().unwrap();
        let stored = passwords.hash("correct horse").await.unwrap();
        assert!(stored.starts_with("$argon2id$"), "{stored}");
        assert!(passwords.is_right("correct horse", Some(&stored)).await.unwrap());
        assert!(!passwords.is_right("wrong horse", Some(&stored)).await.unwrap());
    }

    #[tokio::test]
    async fn an_unknown_user_is_the_same_work() {
        let passwords = Passwords::new().unwrap();
        let stored = passwords.hash("correct horse").await.unwrap();
        let costs = |hash: &str| {
            let parsed = PasswordHash::new(hash).unwrap();
            let output = parsed.hash.unwrap().as_bytes().len();
            (parsed.algorithm.to_string(), parsed.version, parsed.params.to_string(), output)
        };
        assert_eq!(costs(&passwords.nobody), costs(&stored), "the same algorithm at the same cost");
        for (stored, done) in [(Some(stored.as_str()), 1), (None, 2)] {
            assert!(!passwords.is_right("wrong horse", stored).await.unwrap());
            assert_eq!(passwords.checked.load(Ordering::Relaxed), done, "one check each");
        }
    }

    #[test]
    fn secrets_differ() {
        assert_ne!(random_secret(), random_secret());
        assert_eq!(random_secret().len(), 43);
    }
}
