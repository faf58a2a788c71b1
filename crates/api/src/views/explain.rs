//! The planner's explanations, as they are shown.

use super::slot_view;
use pierhead_model::{App, Generation, Slot, SlotKey, Timestamp};
use pierhead_planner::{Explanation, Hold, HoldKey, HostVerdict, Verdict, World, request_for, unguarded};
use pierhead_wire::{ExplainView, HostExplanation, SlotExplanation};
use std::collections::BTreeMap;

/// Where the slots of an app are, and where one more would go.
pub(crate) fn explain_app(world: &World, app: &App, now: Timestamp) -> ExplainView {
    let explanation = world.ledger().explain(&request_for(app));
    let slots: Vec<SlotExplanation> = app.slots.keys().map(|slot| slot_explanation(world, app, *slot, now)).collect();
    let one_more = match &explanation.chosen {
        _ if app.has_one_writer() && !slots.is_empty() => "it must not run twice, so there is no second".to_owned(),
        Some(engine) => format!("one more would go to host {engine}"),
        None => explanation.refusal.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    ExplainView {
        subject: format!("app {}", app.name),
        summary: format!("{} of {} slots run; {one_more}", running(&slots), app.slots.len()),
        hosts: hosts(&explanation),
        slots,
    }
}

/// Where one slot is; the hosts are judged as if it had to be placed now, without what it holds itself.
pub(crate) fn explain_slot(world: &World, app: &App, slot: Slot, moment: Timestamp) -> ExplainView {
    let mut ledger = world.ledger().clone();
    ledger.release(&HoldKey::Slot(SlotKey { app: app.id.clone(), slot }));
    let explanation = ledger.explain(&request_for(app));
    let here = slot_explanation(world, app, slot, moment);
    let place = here.engine.as_ref().map_or_else(|| "has no host".to_owned(), |engine| format!("is on host {engine}"));
    let now = match &explanation.chosen {
        Some(engine) => format!("placed anew, it would go to host {engine}"),
        None => explanation.refusal.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    let trouble = if here.message.is_empty() { String::new() } else { format!(" ({})", here.message) };
    ExplainView {
        subject: format!("slot {slot} of app {}", app.name),
        summary: format!("slot {slot} {place}: {}{trouble}; {now}", here.state),
        hosts: hosts(&explanation),
        slots: vec![here],
    }
}

/// Where the slots of a request would go, one after another. The hosts are judged for the first.
pub(crate) fn explain_request(world: &World, app: &App, count: u32) -> ExplainView {
    let explanation = world.ledger().explain(&request_for(app));
    let mut ledger = world.ledger().clone();
    let mut slots = Vec::new();
    let mut refused = None;
    for number in 0..count {
        let slot = Slot(number);
        let request = pierhead_planner::Request { seed: u64::from(number), ..request_for(app) };
        match ledger.place(&request) {
            Ok(placed) => {
                let engine = placed.engine.to_string();
                let has_agent = world.engines().get(&placed.engine).is_some_and(|state| state.record.agent.is_some());
                let message = (app.has_one_writer() && !has_agent).then(|| unguarded(&placed.engine));
                let hold = Hold {
                    engine: placed.engine,
                    resources: app.slot_resources(),
                    ports: placed.ports.into_values().flatten().collect(),
                    images: app.members.iter().map(|member| member.spec.image.to_string()).collect(),
                    names: vec![format!("{}.{slot}.{}", app.name, Generation::FIRST)],
                    owner: Some(app.owner.clone()),
                };
                ledger.hold(HoldKey::Slot(SlotKey { app: app.id.clone(), slot }), hold);
                slots.push(SlotExplanation {
                    slot: number,
                    engine: Some(engine),
                    state: "placed".to_owned(),
                    message: message.unwrap_or_default(),
                });
            }
            Err(refusal) => {
                refused = Some(refusal.to_string());
                break;
            }
        }
    }
    let placed = slots.len();
    let image = app.members.first().map(|member| member.spec.image.to_string()).unwrap_or_default();
    let summary = match refused {
        None => format!("there is room for all {count}: {}", spread(&slots)),
        Some(refusal) if placed == 0 => refusal,
        Some(refusal) => format!("there is room for {placed} of {count} only: {refusal}"),
    };
    ExplainView { subject: format!("a run of {count} {image}"), summary, hosts: hosts(&explanation), slots }
}

/// `2 on host-1, 1 on host-2`.
fn spread(slots: &[SlotExplanation]) -> String {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for engine in slots.iter().filter_map(|slot| slot.engine.as_deref()) {
        *counts.entry(engine).or_default() += 1;
    }
    counts.iter().map(|(engine, count)| format!("{count} on {engine}")).collect::<Vec<_>>().join(", ")
}

fn running(slots: &[SlotExplanation]) -> usize {
    slots.iter().filter(|slot| slot.state == "running").count()
}

fn slot_explanation(world: &World, app: &App, slot: Slot, now: Timestamp) -> SlotExplanation {
    let view = slot_view(world, app, slot, now);
    SlotExplanation { slot: view.slot, engine: view.engine, state: view.state, message: view.message }
}

fn hosts(explanation: &Explanation) -> Vec<HostExplanation> {
    let host = |host: &HostVerdict| {
        let mut shown = HostExplanation {
            engine: host.engine.to_string(),
            fits: false,
            chosen: explanation.chosen.as_ref() == Some(&host.engine),
            filter: None,
            reason: None,
            score: None,
            cpu_part: None,
            memory_part: None,
        };
        match &host.verdict {
            Verdict::Refused { filter, reason } => {
                shown.filter = serde_json::to_value(filter).ok().and_then(|word| word.as_str().map(str::to_owned));
                shown.reason = Some(reason.clone());
            }
            Verdict::Fits { score, cpu_part, memory_part, .. } => {
                shown.fits = true;
                (shown.score, shown.cpu_part, shown.memory_part) = (Some(*score), Some(*cpu_part), Some(*memory_part));
            }
        }
        shown
    };
    explanation.hosts.iter().map(host).collect()
}
