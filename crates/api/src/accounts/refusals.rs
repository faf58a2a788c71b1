//! Refused log-ins in the event log: a few of each name and address, and of all together so many that they push nothing
//! else out of it. Those that were left out are counted in the next one.

use super::{Accounts, limits};
use pierhead_controller::keys;
use pierhead_model::{Event, EventTag, Timestamp, Username};
use pierhead_store::StoreJson;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Of one name or address this many are told within the window.
const OF_ONE: u32 = 10;
/// Of all together.
const OF_ALL: u32 = 60;
/// The window, in milliseconds: ten minutes.
const WINDOW_MS: u64 = 600_000;
/// How many characters of what is no user name are told.
const MOST_TOLD: usize = 32;

/// What was told in the window.
#[derive(Default)]
pub(super) struct Refusals(Mutex<Told>);

#[derive(Default)]
struct Told {
    since: Timestamp,
    all: u32,
    names: HashMap<String, u32>,
    addresses: HashMap<Option<IpAddr>, u32>,
    left_out: u64,
}

impl Refusals {
    /// Whether one more is told, and how many were left out since the last one.
    fn take(&self, name: &str, address: Option<IpAddr>, now: Timestamp) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(told.since) >= WINDOW_MS {
            *told = Told { since: now, left_out: told.left_out, ..Told::default() };
        }
        let of_name = told.names.get(name).copied().unwrap_or_default();
        let of_address = told.addresses.get(&address).copied().unwrap_or_default();
        if told.all >= OF_ALL || of_name >= OF_ONE || of_address >= OF_ONE {
            told.left_out += 1;
            return None;
        }
        told.all += 1;
        told.names.insert(name.to_owned(), of_name + 1);
        told.addresses.insert(address, of_address + 1);
        Some(std::mem::take(&mut told.left_out))
    }
}

impl Accounts {
    /// Tells of a refused log-in: the same work whether there is such an account or not.
    pub(super) async fn tell_refused(&self, name: &str, from: Option<IpAddr>, why: &str) {
        let (shown, now) = (shown(name), self.clock.now());
        let Some(left_out) = self.refusals.take(&shown, from.map(limits::network), now) else { return };
        let left_out = if left_out > 0 { format!(" left-out={left_out}") } else { String::new() };
        let event = Event {
            id: self.ids.unique(),
            kind: "log-in-refused".to_owned(),
            time: now,
            message: format!("name={shown}{} reason={why}{left_out}", address(from)),
            tags: vec![EventTag::Cluster, EventTag::Security],
            container: None,
            engine: None,
            app: None,
            actor: Username::parse(name).ok(),
        };
        if let Err(error) = self.store.put_json(&keys::event(&event.id), &event).await {
            tracing::warn!(%error, "a refused log-in is missing in the event log");
        }
    }
}

impl Accounts {
    /// Tells of a link of the school's site that was good and led nowhere.
    pub(crate) async fn tell_refused_link(&self, name: &Username, from: Option<IpAddr>, why: &str) {
        self.tell_refused(name.as_str(), from, &format!("redirect-{why}")).await;
    }
}

/// Where a log-in came from, as a part of a message.
pub(super) fn address(from: Option<IpAddr>) -> String {
    from.map(|address| format!(" address={}", address.to_canonical())).unwrap_or_default()
}

/// A user name as it is; of anything else the beginning, quoted and escaped.
fn shown(name: &str) -> String {
    match Username::parse(name) {
        Ok(name) => name.to_string(),
        Err(_) => format!("{:?}", name.chars().take(MOST_TOLD).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_in_part_and_counted() {
        let (refusals, now) = (Refusals::default(), Timestamp(WINDOW_MS));
        let from = |last: u8| Some(IpAddr::from([10, 0, 0, last]));
        let told = |name: &str, at, now| refusals.take(name, from(at), now);
        assert_eq!((0..30).filter(|_| told("ann", 1, now).is_some()).count(), OF_ONE as usize);
        assert_eq!(told("bob", 1, now), None, "neither other names from there");
        assert_eq!(told("ann", 2, now), None, "nor that name from elsewhere");
        assert_eq!(told("bob", 2, now), Some(22));
        let of_all = (0..=255).filter(|at| told(&format!("u{at}"), *at, now).is_some()).count();
        assert_eq!(of_all, (OF_ALL - OF_ONE - 1) as usize);
        // One of them was counted in the second that was told.
        assert_eq!(told("ann", 1, now.plus(WINDOW_MS)), Some(255 - u64::from(OF_ALL - OF_ONE - 1)));
    }

    #[test]
    fn what_is_no_name_is_told_in_part_and_escaped() {
        assert_eq!(shown("ann"), "ann");
        assert_eq!(shown("ann \n\u{1b}[31m"), r#""ann \n\u{1b}[31m""#);
        assert_eq!(shown(&"x y".repeat(1_000)).chars().count(), MOST_TOLD + 2);
    }
}
