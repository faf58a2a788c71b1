//! How it stands with the terminals of a host, as its controllers are told.

use pierhead_model::Timestamp;
use pierhead_terminal::{End, Role, SessionView, ViewerView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All of them: those that run, and those that ended lately.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LiveTerminals {
    terminals: Vec<LiveTerminal>,
}

#[derive(Debug, Serialize, Deserialize)]
struct LiveTerminal {
    id: String,
    columns: u16,
    rows: u16,
    tty: bool,
    since: Timestamp,
    viewers: Vec<ViewerView>,
    #[serde(default)]
    guests: BTreeMap<String, Role>,
    end: Option<LiveEnd>,
    printed: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct LiveEnd {
    code: Option<i64>,
    reason: String,
    at: Timestamp,
}

impl From<Vec<SessionView>> for LiveTerminals {
    fn from(views: Vec<SessionView>) -> Self {
        let terminals = views.into_iter().map(|view| {
            let SessionView { id, columns, rows, tty, since, viewers, guests, end, printed } = view;
            let end = end.map(|End { code, reason, at }| LiveEnd { code, reason, at });
            LiveTerminal { id, columns, rows, tty, since, viewers, guests, end, printed }
        });
        Self { terminals: terminals.collect() }
    }
}

impl From<LiveTerminals> for Vec<SessionView> {
    fn from(live: LiveTerminals) -> Self {
        let views = live.terminals.into_iter().map(|live| {
            let LiveTerminal { id, columns, rows, tty, since, viewers, guests, end, printed } = live;
            let end = end.map(|LiveEnd { code, reason, at }| End { code, reason, at });
            SessionView { id, columns, rows, tty, since, viewers, guests, end, printed }
        });
        views.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_arrives_as_it_is() {
        let viewer =
            ViewerView { id: "v-1".to_owned(), username: "ada".to_owned(), role: Role::Driver, since: Timestamp(6) };
        let view = SessionView {
            id: "t-1".to_owned(),
            columns: 80,
            rows: 24,
            tty: true,
            since: Timestamp(5),
            viewers: vec![viewer],
            guests: BTreeMap::from([("eve".to_owned(), Role::Viewer)]),
            end: None,
            printed: 12,
        };
        let end = Some(End { code: Some(137), reason: "it was ended".to_owned(), at: Timestamp(7) });
        let views = vec![view.clone(), SessionView { id: "t-2".to_owned(), end, ..view }];
        let json = serde_json::to_vec(&LiveTerminals::from(views.clone())).unwrap();
        let live: LiveTerminals = serde_json::from_slice(&json).unwrap();
        assert_eq!(Vec::<SessionView>::from(live), views);
    }
}
