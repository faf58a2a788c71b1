//! People on a wall, raised hands and messages as they are shown.

use super::viewer;
use pierhead_controller::{HandNow, TerminalNow, WallEntry, WallWork, Watch};
use pierhead_lab::progress::{Outline, is_done, score};
use pierhead_model::{ClassMessage, Username};
use pierhead_wire::{HandView, MessageView, WallPersonView, WallTerminalView, WallWorkView, format_timestamp};

/// Somebody on a wall.
pub(crate) fn wall_person(entry: &WallEntry) -> WallPersonView {
    let hand = entry.hand.as_ref();
    let may = match entry.watch {
        Watch::Look => "look",
        Watch::Help => "help",
        Watch::Lead => "lead",
    };
    WallPersonView {
        workspace: entry.workspace.to_string(),
        name: entry.name.clone(),
        owner: entry.owner.to_string(),
        environment: entry.environment.to_string(),
        phase: entry.status.phase.as_str().to_owned(),
        may: may.to_owned(),
        active_at: entry.status.active_at.map(format_timestamp),
        ends_at: entry.status.ends_at.map(format_timestamp),
        hand_at: hand.map(|hand| format_timestamp(hand.at)),
        question: hand.and_then(|hand| hand.question.clone()),
        stuck: entry.stuck.points,
        reasons: entry.stuck.reasons.iter().map(|reason| reason.as_str().to_owned()).collect(),
        work: entry.work.as_ref().map(work),
        terminals: entry.terminals.iter().map(terminal).collect(),
    }
}

fn work(work: &WallWork) -> WallWorkView {
    let (attempt, nothing) = (&*work.attempt, Outline::default());
    let outline = work.outline.as_deref().unwrap_or(&nothing);
    let steps = u32::try_from(outline.steps.len()).unwrap_or(u32::MAX);
    let done = (0..steps).filter(|step| is_done(attempt, outline, *step)).count();
    WallWorkView {
        attempt: attempt.id.to_string(),
        lab: attempt.lab.to_string(),
        title: work.title.clone(),
        course: attempt.course.clone(),
        step: attempt.step,
        steps,
        done: u32::try_from(done).unwrap_or(u32::MAX),
        score: score(attempt, outline),
        most: outline.most(),
        done_at: attempt.done_at.map(format_timestamp),
    }
}

fn terminal(now: &TerminalNow) -> WallTerminalView {
    let viewers = now.view.as_ref().map(|view| view.viewers.as_slice()).unwrap_or_default();
    WallTerminalView {
        id: now.record.id.to_string(),
        name: now.record.name.clone(),
        owner: now.record.owner.to_string(),
        live: now.view.is_some(),
        viewers: viewers.iter().map(viewer).collect(),
    }
}

/// A raised hand.
pub(crate) fn hand(now: &HandNow) -> HandView {
    HandView {
        workspace: now.hand.workspace.to_string(),
        name: now.name.clone(),
        owner: now.owner.to_string(),
        by: now.hand.by.to_string(),
        question: now.hand.question.clone(),
        raised_at: format_timestamp(now.hand.at),
    }
}

/// A message, as somebody sees it.
pub(crate) fn message(username: &Username, message: &ClassMessage) -> MessageView {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let is_own = message.by == *username;
    MessageView {
        id: message.id.clone(),
        by: message.by.to_string(),
        text: message.text.clone(),
        terminal: message.terminal.as_ref().map(ToString::to_string),
        sent_at: format_timestamp(message.at),
        unread: message.is_unread_by(username),
        people: is_own.then(|| count(message.to.len())),
        read: is_own.then(|| count(message.read_by())),
    }
}
