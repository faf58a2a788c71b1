//! How many requests about files there are at once: each has a thread, and one workspace must not take all of them.

use crate::refusal::Refusal;
use hyper::StatusCode;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most of one host.
const MOST: usize = 64;
/// The most of one workspace.
const MOST_OF_WORKSPACE: usize = 8;

/// Those that go on, by workspace.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<String, usize>>);

/// One of them.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Arc<Turns>,
    workspace: String,
}

impl Turns {
    /// Takes a turn, or says that there are too many.
    pub(super) fn take(turns: &Arc<Self>, workspace: &str) -> Result<Turn, Refusal> {
        let mut going = turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = going.get(workspace).copied().unwrap_or_default();
        if own >= MOST_OF_WORKSPACE || going.values().sum::<usize>() >= MOST {
            let message = "too many files are on their way; try again when some have arrived";
            return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "busy", message));
        }
        going.insert(workspace.to_owned(), own + 1);
        Ok(Turn { turns: Arc::clone(turns), workspace: workspace.to_owned() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut going = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        match going.get_mut(&self.workspace) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(going.remove(&self.workspace)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_takes_some_and_leaves_some() {
        let turns = Arc::<Turns>::default();
        let own: Vec<Turn> = (0..MOST_OF_WORKSPACE).map(|_| Turns::take(&turns, "a").unwrap()).collect();
        assert_eq!(Turns::take(&turns, "a").unwrap_err().code, "busy");
        let others: Vec<Turn> = (MOST_OF_WORKSPACE..MOST)
            .map(|number| Turns::take(&turns, &format!("b{}", number / MOST_OF_WORKSPACE)).unwrap())
            .collect();
        assert_eq!(Turns::take(&turns, "c").unwrap_err().status, StatusCode::TOO_MANY_REQUESTS);
        drop(own);
        assert!(Turns::take(&turns, "a").is_ok());
        drop(others);
        assert!(turns.0.lock().unwrap().is_empty(), "each gives its turn back");
    }
}
