//! Passwords as Argon2id: hashed and checked off the threads that serve, a few at a time, in memory that is given back
//! to the system after each.

use super::{AccountsError, Result};
use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pierhead_identity::SchoolHash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;

/// How many are hashed at the same time: each takes a core for tens of milliseconds, and 19 MiB of memory.
const AT_ONCE: usize = 2;
/// How many blocks (of 1 KiB) are asked for, of which only those are touched that the hash needs. Allocators keep
/// what was freed for later if it is smaller; beyond 32 MiB every usual one gives it back at once. Without that the
/// program would hold some 40 MiB for ever after a few log-ins at the same time.
const RESERVED_BLOCKS: usize = 33 * 1024;

/// Hashes passwords.
pub(super) struct Passwords {
    turns: Semaphore,
    /// The hash of a password that nobody has, checked for users that do not exist so that both take as long.
    nobody: String,
    work: Arc<Work>,
}

/// What hashing has cost so far.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// How many hashes were computed.
    hashes: AtomicU64,
    /// Blocks that they passed over, each as often as it was passed.
    blocks: AtomicU64,
}

impl Passwords {
    pub fn new() -> Result<Self> {
        let work = Arc::new(Work::default());
        Ok(Self { turns: Semaphore::new(AT_ONCE), nobody: work.hash(&random_secret())?, work })
    }

    pub async fn hash(&self, password: &str) -> Result<String> {
        let password = password.to_owned();
        self.in_turn(move |work| work.hash(&password)).await
    }

    /// Whether a password is the one that was hashed. Where there is no hash it is not, which takes as long to say.
    pub async fn is_right(&self, password: &str, stored: Option<&str>) -> Result<bool> {
        let (password, exists) = (password.to_owned(), stored.is_some());
        let stored = stored.unwrap_or(&self.nobody).to_owned();
        let is_right = self.in_turn(move |work| work.verify(&password, &stored)).await?;
        Ok(is_right && exists)
    }

    /// Whether a hash is of the form and the costs of those that are made here.
    pub fn is_ours(&self, stored: &str) -> bool {
        let costs = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        costs(stored) == costs(&self.nobody)
    }

    async fn in_turn<T: Send + 'static>(&self, act: impl FnOnce(&Work) -> Result<T> + Send + 'static) -> Result<T> {
        let _turn = self.turns.acquire().await.map_err(|_| AccountsError::Hash)?;
        let work = Arc::clone(&self.work);
        tokio::task::spawn_blocking(move || act(&work)).await.map_err(|_| AccountsError::Hash)?
    }

    /// Hashes computed, and blocks passed over.
    #[cfg(test)]
    pub fn work_done(&self) -> (u64, u64) {
        (self.work.hashes.load(Ordering::Relaxed), self.work.blocks.load(Ordering::Relaxed))
    }
}

impl Work {
    fn hash(&self, password: &str) -> Result<String> {
        let argon2 = Argon2::default();
        let salt = Salt::generate();
        let hash = self.compute(&argon2, password, &salt, Params::DEFAULT_OUTPUT_LEN)?;
        let params = argon2.params().try_into().map_err(|_| AccountsError::Hash)?;
        let (algorithm, version) = (Algorithm::default().ident(), Some(Version::default().into()));
        Ok(PasswordHash { algorithm, version, params, salt: Some(salt), hash: Some(hash) }.to_string())
    }

    fn verify(&self, password: &str, stored: &str) -> Result<bool> {
        let failed = || AccountsError::Hash;
        if !stored.starts_with("$argon2") {
            let school = SchoolHash::parse(stored).map_err(|_| failed())?;
            return Ok(school.is_of(password));
        }
        let parsed = PasswordHash::new(stored).map_err(|_| failed())?;
        let algorithm = Algorithm::try_from(parsed.algorithm.as_str()).map_err(|_| failed())?;
        let version = parsed.version.map(Version::try_from).transpose().map_err(|_| failed())?.unwrap_or_default();
        let argon2 = Argon2::new(algorithm, version, Params::try_from(&parsed).map_err(|_| failed())?);
        let (Some(salt), Some(expected)) = (&parsed.salt, &parsed.hash) else { return Err(failed()) };
        // Compared in constant time.
        Ok(self.compute(&argon2, password, salt, expected.as_bytes().len())? == *expected)
    }

    fn compute(&self, argon2: &Argon2<'_>, password: &str, salt: &Salt, length: usize) -> Result<Output> {
        let needed = argon2.params().block_count();
        let mut blocks = Vec::with_capacity(needed.max(RESERVED_BLOCKS));
        blocks.resize(needed, Block::new());
        let mut output = [0; Output::MAX_LENGTH];
        let output = output.get_mut(..length).ok_or(AccountsError::Hash)?;
        let hashed = argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, &mut blocks[..]);
        self.hashes.fetch_add(1, Ordering::Relaxed);
        self.blocks.fetch_add(needed as u64 * u64::from(argon2.params().t_cost()), Ordering::Relaxed);
        hashed.map_err(|_| AccountsError::Hash)?;
        Output::new(output).map_err(|_| AccountsError::Hash)
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
        let mut costs = Vec::new();
        for stored in [Some(stored.as_str()), None] {
            let (hashes, blocks) = passwords.work_done();
            assert!(!passwords.is_right("wrong horse", stored).await.unwrap());
            let (more_hashes, more_blocks) = passwords.work_done();
            costs.push((more_hashes - hashes, more_blocks - blocks));
        }
        let params = Params::default();
        let one = (1, params.block_count() as u64 * u64::from(params.t_cost()));
        assert_eq!(costs, [one, one], "one hash each, over as many blocks");
    }

    #[tokio::test]
    async fn hashes_are_those_of_everybody_else() {
        use argon2::{PasswordHasher, PasswordVerifier};
        let passwords = Passwords::new().unwrap();
        let ours = passwords.hash("correct horse").await.unwrap();
        let parsed = PasswordHash::new(&ours).unwrap();
        assert!(Argon2::default().verify_password(b"correct horse", &parsed).is_ok(), "{ours}");
        let theirs = Argon2::default().hash_password(b"correct horse").unwrap().to_string();
        assert!(passwords.is_right("correct horse", Some(&theirs)).await.unwrap(), "{theirs}");
        assert!(passwords.is_right("correct horse", Some("$argon2id$v=19$m=1")).await.is_err());
    }

    #[tokio::test]
    async fn hashes_of_schools_are_checked_and_known_for_what_they_are() {
        let passwords = Passwords::new().unwrap();
        let ours = passwords.hash("correct horse").await.unwrap();
        assert!(passwords.is_ours(&ours));
        let bcrypt = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        let django = "pbkdf2_sha1$2$salt$6mwBTcctb4zNHtkqzh1B8NjeiVc=";
        let argon2 = ours.replacen("m=19456", "m=1024", 1);
        for (stored, password) in [(bcrypt, "U*U"), (django, "password")] {
            assert!(!passwords.is_ours(stored), "{stored}");
            assert!(passwords.is_right(password, Some(stored)).await.unwrap(), "{stored}");
            assert!(!passwords.is_right("wrong horse", Some(stored)).await.unwrap(), "{stored}");
        }
        assert!(!passwords.is_ours(&argon2) && !passwords.is_ours("") && !passwords.is_ours("$argon2id$"));
        assert!(passwords.is_right("x", Some("of no known form")).await.is_err());
    }

    /// What this process holds in memory, in KiB.
    fn resident() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn memory_is_given_back() {
        let passwords = Passwords::new().unwrap();
        let before = resident();
        let checks = (0..12).map(|_| passwords.is_right("wrong horse", None));
        assert!(futures_util::future::try_join_all(checks).await.unwrap().iter().all(|is_right| !is_right));
        let after = resident();
        assert!(after < before + 8 * 1024, "{before} KiB before, {after} KiB after");
    }

    #[test]
    fn secrets_differ() {
        assert_ne!(random_secret(), random_secret());
        assert_eq!(random_secret().len(), 43);
    }
}
