//! Whom the host calls: the controllers that it was told of when it joined, and those that controllers tell of later. One
//! that is away is called on: it may come back when the others are gone.

use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// How many controllers a host calls at most; those that were told of last count first.
const MOST: usize = 16;
/// The most bytes of an address.
const LONGEST: usize = 255;

/// What a controller tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Introduced {
    /// `host:port` of each controller.
    pub(crate) controllers: Vec<String>,
}

/// The addresses, each `host:port`. All clones share them.
#[derive(Debug, Clone)]
pub struct Controllers(watch::Sender<Vec<String>>);

impl Controllers {
    /// Those that are known at the start.
    #[must_use]
    pub fn new(known: Vec<String>) -> Self {
        Self(watch::Sender::new(known))
    }

    /// What tells of every change.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Vec<String>> {
        self.0.subscribe()
    }

    /// Takes note of those that a controller tells of.
    pub(crate) fn introduce(&self, json: &[u8]) -> Result<(), Refusal> {
        let malformed = || Refusal::malformed("controllers must be JSON with 1 to 16 addresses, each HOST:PORT");
        let told: Introduced = serde_json::from_slice(json).map_err(|_| malformed())?;
        let is_few = (1..=MOST).contains(&told.controllers.len());
        if !is_few || !told.controllers.iter().all(|address| is_address(address)) {
            return Err(malformed());
        }
        self.0.send_if_modified(|known| {
            let next = merged(known, &told.controllers);
            // In another order they are the same.
            let is_new = next.len() != known.len() || !next.iter().all(|address| known.contains(address));
            if is_new {
                *known = next;
            }
            is_new
        });
        Ok(())
    }
}

fn merged(known: &[String], told: &[String]) -> Vec<String> {
    let mut next: Vec<String> = Vec::new();
    for address in told.iter().chain(known) {
        if next.len() < MOST && !next.contains(address) {
            next.push(address.clone());
        }
    }
    next
}

fn is_address(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    let parts = text.rsplit_once(':').filter(|_| text.len() <= LONGEST && text.bytes().all(plain));
    parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn introduce(controllers: &Controllers, told: &[&str]) -> bool {
        let told = Introduced { controllers: told.iter().map(|&address| address.to_owned()).collect() };
        controllers.introduce(&serde_json::to_vec(&told).unwrap()).is_ok()
    }

    #[test]
    fn those_that_are_away_are_not_forgotten() {
        let controllers = Controllers::new(vec!["a:1".to_owned()]);
        let mut changes = controllers.subscribe();
        assert!(introduce(&controllers, &["b:1", "c:1"]));
        assert_eq!(*changes.borrow_and_update(), ["b:1", "c:1", "a:1"]);
        assert!(introduce(&controllers, &["a:1", "b:1"]));
        assert!(!changes.has_changed().unwrap(), "nothing new was told");
    }

    #[test]
    fn there_is_a_bound_and_the_newest_count() {
        let controllers = Controllers::new((0..16).map(|at| format!("old-{at}:1")).collect());
        assert!(introduce(&controllers, &["new:1"]));
        let known = controllers.subscribe().borrow().clone();
        assert_eq!((known.len(), known[0].as_str(), known[15].as_str()), (16, "new:1", "old-14:1"));
    }

    #[test]
    fn what_is_no_address_changes_nothing() {
        let controllers = Controllers::new(vec!["a:1".to_owned()]);
        let changes = controllers.subscribe();
        let many = vec!["b:1"; 17];
        for told in [&["b"][..], &[":1"], &["b:0"], &["b:99999"], &["b c:1"], &["b:1", ""], &[], &many] {
            assert!(!introduce(&controllers, told), "{told:?}");
        }
        let long = format!("{}:1", "b".repeat(254));
        assert!(!introduce(&controllers, &[&long]));
        for json in ["", "[]", r#"{"controllers":["b:1"],"more":1}"#, r#"{"controllers":[1]}"#] {
            assert!(controllers.introduce(json.as_bytes()).is_err(), "{json}");
        }
        assert!(!changes.has_changed().unwrap());
    }
}
