//! Hashes of passwords that others made: which forms are known, and whether a password is the one. Argon2 is computed by
//! who has the memory for it; here it is only read.
//!
//! What a list says is bounded: nobody makes the server compute for minutes.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::pbkdf2;
use sha2::{Digest, Sha256};
use std::num::NonZeroU32;

/// The longest hash that is taken, in bytes.
const LONGEST: usize = 512;
/// The most rounds of bcrypt, as the power of two.
const MOST_BCRYPT: u32 = 15;
/// The most rounds of PBKDF2.
const MOST_ROUNDS: u32 = 5_000_000;
/// The most memory of Argon2, in KiB, and the most work, in KiB passed over.
const MOST_MEMORY_KIB: u32 = 262_144;
const MOST_WORK_KIB: u64 = 2 * 1024 * 1024;

/// Padding may be there or not.
const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A hash of a known form.
#[derive(Clone, PartialEq, Eq)]
pub struct SchoolHash {
    text: String,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Bcrypt,
    Argon2,
    Pbkdf2,
}

impl std::fmt::Debug for SchoolHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SchoolHash").field("form", &self.form).finish_non_exhaustive()
    }
}

/// PBKDF2 as it is written down: `pbkdf2_sha256$ROUNDS$SALT$HASH` by Django, `$pbkdf2-sha256$ROUNDS$SALT$HASH` by passlib,
/// `$pbkdf2-sha256$i=ROUNDS,l=32$SALT$HASH` by the PHC.
struct Pbkdf2 {
    algorithm: pbkdf2::Algorithm,
    rounds: NonZeroU32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// The cost that a bcrypt hash says it has, if it is written as one: `$2b$`, two digits, `$`, and 53 characters.
fn bcrypt_cost(text: &str) -> Option<u32> {
    let (cost, rest) = text.get(4..)?.split_once('$')?;
    let is_written_so = cost.len() == 2
        && cost.bytes().all(|byte| byte.is_ascii_digit())
        && rest.len() == 53
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/'));
    cost.parse().ok().filter(|_| is_written_so)
}

impl SchoolHash {
    /// Recognises a hash.
    ///
    /// # Errors
    /// Says which forms are known; never what stood there.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let unknown = "is of no known form: bcrypt ($2b$…), Argon2 ($argon2id$…) or PBKDF2 (pbkdf2_sha256$…)";
        if text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unknown);
        }
        let form = if ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|begin| text.starts_with(begin)) {
            let cost = bcrypt_cost(text).ok_or(unknown)?;
            if text.starts_with("$2x$") || !(4..=MOST_BCRYPT).contains(&cost) {
                return Err("is bcrypt of another kind than 2a, 2b or 2y, or of a cost that is not from 4 to 15");
            }
            Form::Bcrypt
        } else if ["$argon2id$", "$argon2i$", "$argon2d$"].iter().any(|begin| text.starts_with(begin)) {
            check_argon2(text)
                .ok_or(unknown)?
                .then_some(())
                .ok_or("is Argon2 of more than 256 MiB, or too much work")?;
            Form::Argon2
        } else {
            let found = Pbkdf2::read(text).ok_or(unknown)?;
            if found.rounds.get() > MOST_ROUNDS {
                return Err("is PBKDF2 of more than 5,000,000 rounds");
            }
            Form::Pbkdf2
        };
        Ok(Self { text: text.to_owned(), form })
    }

    /// The hash as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is Argon2, which [`SchoolHash::is_of`] does not compute.
    #[must_use]
    pub fn is_argon2(&self) -> bool {
        self.form == Form::Argon2
    }

    /// Whether it is that of a password. Takes up to seconds of a core. Never so for Argon2.
    #[must_use]
    pub fn is_of(&self, password: &str) -> bool {
        match self.form {
            Form::Argon2 => false,
            // As everybody does it: what comes after 72 bytes does not count.
            Form::Bcrypt => bcrypt::verify(password, &self.text.replacen("$2y$", "$2b$", 1)).unwrap_or(false),
            Form::Pbkdf2 => Pbkdf2::read(&self.text).is_some_and(|found| {
                pbkdf2::verify(found.algorithm, found.rounds, &found.salt, password.as_bytes(), &found.hash).is_ok()
            }),
        }
    }
}

/// Tells one hash from another: 32 hexadecimal digits, from which nobody learns the hash.
#[must_use]
pub fn fingerprint(hash: &SchoolHash) -> String {
    let digest = Sha256::digest(hash.text.as_bytes());
    digest[..16].iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Whether the costs are such that we pay them; nothing if it is no such hash.
fn check_argon2(text: &str) -> Option<bool> {
    let mut parts = text.split('$').skip(2).peekable();
    if parts.peek()?.starts_with("v=") {
        parts.next();
    }
    let (mut memory, mut passes, mut lanes) = (None, None, None);
    for part in parts.next()?.split(',') {
        let (name, value) = part.split_once('=')?;
        let value: u32 = value.parse().ok()?;
        match name {
            "m" => memory = Some(value),
            "t" => passes = Some(value),
            "p" => lanes = Some(value),
            _ => return None,
        }
    }
    let (salt, hash) = (parts.next()?, parts.next()?);
    if salt.is_empty() || hash.is_empty() || parts.next().is_some() {
        return None;
    }
    let (memory, passes, lanes) = (memory?, passes?, lanes?);
    let work = u64::from(memory) * u64::from(passes);
    Some(memory <= MOST_MEMORY_KIB && work <= MOST_WORK_KIB && passes > 0 && (1..=16).contains(&lanes))
}

impl Pbkdf2 {
    fn read(text: &str) -> Option<Self> {
        let is_django = text.starts_with("pbkdf2_");
        let mut parts = text.strip_prefix('$').unwrap_or(text).split('$');
        let (algorithm, length) = match parts.next()?.strip_prefix("pbkdf2")? {
            "_sha256" | "-sha256" => (pbkdf2::PBKDF2_HMAC_SHA256, 32),
            "-sha512" | "_sha512" => (pbkdf2::PBKDF2_HMAC_SHA512, 64),
            "_sha1" | "-sha1" | "" => (pbkdf2::PBKDF2_HMAC_SHA1, 20),
            _ => return None,
        };
        let costs = parts.next()?;
        let rounds = costs.split(',').find_map(|part| part.strip_prefix("i=")).unwrap_or(costs).parse().ok()?;
        let (salt, hash) = (parts.next()?, parts.next()?);
        // Django's salt is the text itself; passlib writes '.' where others write '+'.
        let bytes = |text: &str| STANDARD.decode(text.replace('.', "+")).ok();
        let salt = if is_django { salt.as_bytes().to_vec() } else { bytes(salt)? };
        let hash = bytes(hash)?;
        let is_whole = parts.next().is_none() && !salt.is_empty() && (16..=length).contains(&hash.len());
        is_whole.then_some(Self { algorithm, rounds, salt, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What other programs wrote for "correct horse": PHP's password_hash, Django, passlib, and the PHC's own form.
    fn of(hash: &str) -> bool {
        let known = SchoolHash::parse(hash).unwrap_or_else(|refused| panic!("{hash}: {refused}"));
        assert!(!known.is_of("wrong horse") && !known.is_of(""), "{hash}");
        known.is_of("correct horse")
    }

    #[test]
    fn bcrypt_of_every_program_is_checked() {
        let ours = bcrypt::hash("correct horse", 4).unwrap();
        for begin in ["$2a$", "$2b$", "$2y$"] {
            assert!(of(&format!("{begin}{}", &ours[4..])), "{begin}");
        }
        // A vector that everybody has, of cost 5.
        let known = SchoolHash::parse("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW").unwrap();
        assert!(known.is_of("U*U") && !known.is_of("U*U*"));
        let long = bcrypt::hash("x".repeat(72), 4).unwrap();
        assert!(SchoolHash::parse(&long).unwrap().is_of(&"x".repeat(80)), "72 bytes count");
    }

    #[test]
    fn pbkdf2_of_every_program_is_checked() {
        let rounds = NonZeroU32::new(1_000).unwrap();
        let mut hash = [0; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, b"saltsalt", b"correct horse", &mut hash);
        let (salt, text) = (STANDARD.encode(b"saltsalt"), STANDARD.encode(hash));
        assert!(of(&format!("pbkdf2_sha256$1000$saltsalt${text}")));
        let bare = |text: &str| text.trim_end_matches('=').to_owned();
        assert!(of(&format!("$pbkdf2-sha256$1000${}${}", bare(&salt), bare(&text).replace('+', "."))));
        assert!(of(&format!("$pbkdf2-sha256$i=1000,l=32${}${}", bare(&salt), bare(&text))));
        // RFC 6070: two rounds of SHA-1.
        let known = "pbkdf2_sha1$2$salt$6mwBTcctb4zNHtkqzh1B8NjeiVc=";
        let known = SchoolHash::parse(known).unwrap();
        assert!(known.is_of("password") && !known.is_of("Password"));
    }

    #[test]
    fn argon2_is_recognised_and_left_to_others() {
        let hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA";
        let known = SchoolHash::parse(hash).unwrap();
        assert!(known.is_argon2() && !known.is_of("correct horse") && known.as_str() == hash);
        assert!(SchoolHash::parse("$argon2i$m=1024,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g").is_ok(), "of old");
    }

    #[test]
    fn what_is_unknown_or_costs_too_much_is_refused_in_words() {
        for bad in [
            "",
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "$1$salt$hash",
            "$6$salt$hash",
            "{SSHA}abc",
            "$2b$31$abc",
            "$2b$10$short",
            "$2b$+5$abcdefghijklmnopqrstuuU1Q8hQ7Pz9b5b1mG2m0mCkX3cO1dWlK",
            "$2b$10$abcdefghijklmnopqrstuuU1Q8hQ7Pz9b5b1mG2m0mCkX3cO1dW!K",
            "$2b$10Xabcdefghijklmnopqrstuu1Q8hQ7Pz9b5b1mG2m0mCkX3cO1dWlK$",
            "$2z$04$abcdefghijklmnopqrstuuU1Q8hQ7Pz9b5b1mG2m0mCkX3cO1dWlK",
            "$2x$04$abcdefghijklmnopqrstuuU1Q8hQ7Pz9b5b1mG2m0mCkX3cO1dWlK",
            "$2b$20$abcdefghijklmnopqrstuuU1Q8hQ7Pz9b5b1mG2m0mCkX3cO1dWlK",
            "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
            "$argon2id$v=19$m=65536,t=1000,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
            "$argon2id$v=19$m=65536$c2FsdHNhbHQ$aGFzaGhhc2g",
            "pbkdf2_sha256$0$salt$aGFzaGhhc2hoYXNoaGFzaGhhc2g",
            "pbkdf2_sha256$90000000$salt$aGFzaGhhc2hoYXNoaGFzaGhhc2g",
            "pbkdf2_sha256$1000$salt$aGFz",
            "pbkdf2_md5$1000$salt$aGFzaGhhc2hoYXNoaGFzaGhhc2g",
            &format!("pbkdf2_sha256$1000$salt${}", "a".repeat(600)),
        ] {
            let refused = SchoolHash::parse(bad).unwrap_err();
            assert!(refused.starts_with("is "), "{bad}: {refused}");
        }
    }

    #[test]
    fn nothing_shows_a_hash() {
        let text = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        let known = SchoolHash::parse(text).unwrap();
        assert_eq!(format!("{known:?}"), "SchoolHash { form: Bcrypt, .. }");
        let told = fingerprint(&known);
        assert!(told.len() == 32 && !text.contains(&told) && told == fingerprint(&known));
    }
}
