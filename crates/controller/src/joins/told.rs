//! What a host tells of itself each time it has called: kept as it is now, so that its address and labels follow it.

use super::placing::{MOST_LABELS, address};
use super::{ATTEMPTS, JoinError};
use crate::{Controller, keys};
use pierhead_model::{AgentKeys, Engine, EngineId, HostFacts, is_label};
use pierhead_store::{Error, StoreJson, Transaction};
use std::collections::BTreeSet;

/// What the agent of a host wants its record to say: nothing of it is checked.
#[derive(Debug, Clone, Default)]
pub struct HostTold {
    /// Labels to place by, if it was started with any.
    pub labels: Option<Vec<String>>,
    /// Where its published ports answer, if it was told.
    pub address: Option<String>,
    /// Where it calls from.
    pub from: String,
}

impl Controller {
    /// Whether a host waits until an administrator approves it.
    #[must_use]
    pub fn waits_for_approval(&self, id: &EngineId) -> bool {
        self.known().world.engines().get(id).is_some_and(|engine| engine.record.waits_for_approval())
    }

    /// Takes note of what an agent tells of its host. A change of its address or labels is written, with an event.
    ///
    /// # Errors
    /// An address or a label is none, or the store can't do it; what the host is was noted nevertheless.
    pub async fn host_told(&self, id: &EngineId, facts: HostFacts, told: &HostTold) -> Result<(), JoinError> {
        self.shared.change_quietly(|known| known.world.set_host(id, facts));
        for _ in 0..ATTEMPTS {
            let key = keys::engine(id);
            let Some((engine, revision)) = self.store.get_json::<Engine>(&key).await? else { return Ok(()) };
            let Some(next) = as_told(&engine, told)? else { return Ok(()) };
            let transaction = Transaction::new().unchanged(key.clone(), revision).put_json(key, &next)?;
            match self.commit_of_agent(transaction, "change-engine", difference(&engine, &next), &next, None).await {
                Ok(()) => return Ok(()),
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// The record as the agent has it; nothing if it is so already.
fn as_told(engine: &Engine, told: &HostTold) -> Result<Option<Engine>, JoinError> {
    let Some(keys) = &engine.agent else { return Ok(None) };
    let (addr, is_address_given) = match &told.address {
        Some(given) => (address(given)?, true),
        None if keys.is_address_given => (engine.addr.clone(), true),
        None => (address(&told.from)?, false),
    };
    let own: BTreeSet<String> =
        told.labels.as_ref().map_or_else(|| keys.labels.clone(), |own| own.iter().cloned().collect());
    if own.len() > MOST_LABELS || !own.iter().all(|label| is_label(label)) {
        return Err(JoinError::Invalid("a label of its agent is none".to_owned()));
    }
    let others = engine.labels.difference(&keys.labels);
    let labels = others.chain(&own).cloned().collect();
    let agent = Some(AgentKeys { labels: own, is_address_given, ..keys.clone() });
    let next = Engine { addr, labels, agent, ..engine.clone() };
    Ok((next != *engine).then_some(next))
}

fn difference(before: &Engine, now: &Engine) -> String {
    let words = |labels: &BTreeSet<String>| labels.iter().cloned().collect::<Vec<_>>().join(" ");
    let mut parts = vec![format!("id={}", now.id)];
    if before.addr != now.addr {
        parts.push(format!("addr={}, before={}", now.addr, before.addr));
    }
    if before.labels != now.labels {
        parts.push(format!("labels={}, before={}", words(&now.labels), words(&before.labels)));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_model::{Capacity, Duty, OverCommit, Timestamp, Username};

    fn engine(addr: &str, labels: &[&str], own: &[&str]) -> Engine {
        let set = |labels: &[&str]| labels.iter().map(|&label| label.to_owned()).collect::<BTreeSet<String>>();
        Engine {
            id: EngineId::parse("web").unwrap(),
            addr: addr.to_owned(),
            labels: set(labels),
            capacity: Capacity::default(),
            over_commit: OverCommit::default(),
            duty: Duty::default(),
            given_up: false,
            registered: None,
            sealed_tls: None,
            sealed_registry_auth: None,
            agent: Some(AgentKeys { labels: set(own), ..AgentKeys::default() }),
            added_at: Timestamp(0),
            added_by: Username::parse("admin").unwrap(),
        }
    }

    fn told(labels: Option<&[&str]>, address: Option<&str>, from: &str) -> HostTold {
        let labels = labels.map(|labels| labels.iter().map(|&label| label.to_owned()).collect());
        HostTold { labels, address: address.map(str::to_owned), from: from.to_owned() }
    }

    #[test]
    fn the_address_follows_the_host_unless_it_was_given() {
        let here = engine("agent://10.0.0.5", &[], &[]);
        assert_eq!(as_told(&here, &told(None, None, "10.0.0.5")).unwrap(), None);
        let moved = as_told(&here, &told(None, None, "10.0.0.9")).unwrap().unwrap();
        assert_eq!(moved.addr, "agent://10.0.0.9");
        assert_eq!(difference(&here, &moved), "id=web, addr=agent://10.0.0.9, before=agent://10.0.0.5");
        let given = as_told(&here, &told(None, Some("web.lan"), "10.0.0.5")).unwrap().unwrap();
        assert_eq!(given.addr, "agent://web.lan");
        // Started again without the flag, from elsewhere: it stays.
        assert_eq!(as_told(&given, &told(None, None, "10.0.0.9")).unwrap(), None);
        assert!(as_told(&here, &told(None, Some("http://x"), "10.0.0.5")).is_err());
        let direct = Engine { agent: None, ..engine("http://10.0.0.5:2375", &[], &[]) };
        assert_eq!(as_told(&direct, &told(None, None, "10.0.0.9")).unwrap(), None);
    }

    #[test]
    fn labels_of_the_agent_replace_its_own_and_no_others() {
        let here = engine("agent://10.0.0.5", &["rack:2", "ssd"], &["ssd"]);
        assert_eq!(as_told(&here, &told(None, None, "10.0.0.5")).unwrap(), None, "nothing said, nothing changed");
        let changed = as_told(&here, &told(Some(&["gpu"]), None, "10.0.0.5")).unwrap().unwrap();
        assert_eq!(changed.labels.iter().map(String::as_str).collect::<Vec<_>>(), ["gpu", "rack:2"]);
        assert_eq!(difference(&here, &changed), "id=web, labels=gpu rack:2, before=rack:2 ssd");
        assert!(as_told(&here, &told(Some(&["a b"]), None, "10.0.0.5")).is_err());
    }
}
