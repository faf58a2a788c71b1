//! What is refused, told as events: the same thing once in a while and not each time, however often it is tried.

use pierhead_controller::Controller;
use pierhead_model::EngineId;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How long the same is not told again.
const QUIET: Duration = Duration::from_secs(60);
/// How many different ones are told in that time.
const MOST: usize = 100;

/// Something that was refused, by an agent or to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::serve) struct Refused {
    /// Whose agent it was, if that is known.
    pub engine: Option<EngineId>,
    /// What kind of refusal.
    pub code: String,
    /// What was refused.
    pub what: String,
}

/// Tells of refusals, for ever.
pub(super) async fn tell(controller: Controller, mut refused: mpsc::Receiver<Refused>) {
    let mut told = Told::default();
    while let Some(refused) = refused.recv().await {
        if !told.is_new(&refused, Instant::now()) {
            continue;
        }
        let message = format!("{}: {}", refused.code, refused.what);
        if let Err(error) = controller.tell_of_agent(refused.engine.as_ref(), "agent-refused", message).await {
            tracing::warn!(%error, "a refusal could not be told");
        }
    }
}

/// What was told lately.
#[derive(Default)]
struct Told(BTreeMap<(Option<EngineId>, String), Instant>);

impl Told {
    fn is_new(&mut self, refused: &Refused, now: Instant) -> bool {
        self.0.retain(|_, at| now.duration_since(*at) < QUIET);
        let key = (refused.engine.clone(), refused.code.clone());
        if self.0.contains_key(&key) || self.0.len() >= MOST {
            return false;
        }
        self.0.insert(key, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_once_in_a_while() {
        let (mut told, begun) = (Told::default(), Instant::now());
        let refused = |engine: &str, code: &str| Refused {
            engine: EngineId::parse(engine).ok(),
            code: code.to_owned(),
            what: "x".to_owned(),
        };
        assert!(told.is_new(&refused("a", "term_past"), begun));
        assert!(!told.is_new(&refused("a", "term_past"), begun + QUIET / 2));
        assert!(told.is_new(&refused("b", "term_past"), begun + QUIET / 2));
        assert!(told.is_new(&refused("a", "not_allowed"), begun + QUIET / 2));
        assert!(told.is_new(&refused("a", "term_past"), begun + QUIET), "a minute later");
        let many = (0..1000).filter(|code| told.is_new(&refused("c", &code.to_string()), begun + QUIET)).count();
        assert!((90..=MOST).contains(&many), "{many}");
    }
}
