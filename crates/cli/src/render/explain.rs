//! How an explanation looks.

use super::{number, table};
use crate::escape::escape;
use pierhead_wire::{ExplainView, HostExplanation, SlotExplanation};

/// What `explain` prints: the answer first, then host by host, then slot by slot.
pub(crate) fn explanation(view: &ExplainView, width: Option<u16>) -> String {
    let mut text = format!("{}: {}\n", escape(&view.subject), escape(&view.summary));
    if !view.hosts.is_empty() {
        let header = ["HOST", "VERDICT", "SCORE", "CPU", "MEMORY", "WHY"];
        text += &format!("\n{}\n", table(&header, view.hosts.iter().map(host), width));
    }
    if !view.slots.is_empty() {
        let header = ["SLOT", "STATE", "ENGINE", "WHY"];
        text += &format!("\n{}\n", table(&header, view.slots.iter().map(slot), width));
    }
    text
}

fn host(host: &HostExplanation) -> Vec<String> {
    let score = |score: Option<f64>| score.map(number).unwrap_or_default();
    let verdict = match (host.chosen, host.fits, &host.filter) {
        (true, ..) => "chosen".to_owned(),
        (false, true, _) => "fits".to_owned(),
        (false, false, Some(filter)) => format!("refused by {filter}"),
        (false, false, None) => "refused".to_owned(),
    };
    vec![
        host.engine.clone(),
        verdict,
        score(host.score),
        score(host.cpu_part),
        score(host.memory_part),
        host.reason.clone().unwrap_or_default(),
    ]
}

fn slot(slot: &SlotExplanation) -> Vec<String> {
    vec![slot.slot.to_string(), slot.state.clone(), slot.engine.clone().unwrap_or_default(), slot.message.clone()]
}
