//! What a browser shows with every request to a preview: sealed, so that it means something to the pool's controllers
//! only, and each of them can read it. Of the token that it stands for it holds the hash.

use crate::accounts::Owner;
use pierhead_model::{Timestamp, TokenKind};
use pierhead_store::seal::Sealer;
use serde::{Deserialize, Serialize};

/// How long it is good at most, in seconds: as long as a session.
pub(super) const SECONDS: u64 = crate::accounts::SESSION_LIFE_MS / 1000;
/// How far the clocks of two controllers may be apart, in milliseconds.
const APART_MS: u64 = 60_000;
/// What it is sealed as.
const CONTEXT: &str = "seat at a preview";
/// The longest that is looked at, in bytes.
const LONGEST: usize = 1024;

/// Somebody's session at one preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seat {
    pub owner: Owner,
    pub name: String,
    pub made_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    token_hash: String,
    kind: TokenKind,
    name: String,
    made_at: Timestamp,
}

impl Seat {
    pub fn seal(&self, sealer: &Sealer) -> pierhead_store::Result<String> {
        let Owner { token_hash, kind } = self.owner.clone();
        let sealed = Sealed { token_hash, kind, name: self.name.clone(), made_at: self.made_at };
        let text = serde_json::to_vec(&sealed).expect("plain data has a JSON form");
        sealer.seal(CONTEXT, &text)
    }

    /// What was sealed, if it is good still.
    pub fn open(sealer: &Sealer, text: &str, now: Timestamp) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let sealed: Sealed = serde_json::from_slice(&sealer.open(CONTEXT, text).ok()?).ok()?;
        let Sealed { token_hash, kind, name, made_at } = sealed;
        let is_good = now < made_at.plus(SECONDS * 1000) && made_at < now.plus(APART_MS);
        is_good.then_some(Self { owner: Owner { token_hash, kind }, name, made_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_nothing_and_is_good_in_its_pool_for_its_time() {
        let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sealer = Sealer::open_or_create(dir.path()).unwrap();
        let other = Sealer::open_or_create(elsewhere.path()).unwrap();
        let owner = Owner { token_hash: "the-hash".to_owned(), kind: TokenKind::Session };
        let seat = Seat { owner, name: "80-abcdefgh23".to_owned(), made_at: Timestamp(1_000_000) };
        let text = seat.seal(&sealer).unwrap();
        // As a cookie may have it.
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
        assert!(text.bytes().all(plain) && !text.contains("hash") && !text.contains("80-"), "{text}");
        let at = |ms| Seat::open(&sealer, &text, Timestamp(ms));
        assert_eq!(at(1_000_000), Some(seat.clone()));
        assert_eq!(at(1_000_000 + SECONDS * 1000 - 1), Some(seat));
        assert_eq!(at(1_000_000 + SECONDS * 1000), None);
        assert_eq!(at(1_000_000 - APART_MS), None, "not made yet");
        assert_eq!(Seat::open(&other, &text, Timestamp(1_000_000)), None);
        let pass = sealer.seal("pass of a controller", b"{}").unwrap();
        for bad in ["", "x", &text[1..], &pass, &text.repeat(20)] {
            assert_eq!(Seat::open(&sealer, bad, Timestamp(1_000_000)), None, "{bad}");
        }
    }
}
