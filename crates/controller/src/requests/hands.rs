//! Raised hands: whoever works in a workspace asks for help, and whoever looks after them sees the queue.

use super::commit::Made;
use super::watching::{Watch, may_watch};
use super::{Actor, RequestError};
use crate::known::Known;
use crate::{Controller, keys};
use pierhead_model::{Hand, Username, Workspace, WorkspaceId};
use pierhead_store::Transaction;

/// A raised hand, and whose workspace it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandNow {
    /// The record.
    pub hand: Hand,
    /// What the workspace is called.
    pub name: String,
    /// Whose it is.
    pub owner: Username,
    /// What the asker may in it.
    pub watch: Watch,
}

impl Controller {
    /// The hands that somebody may see, the longest raised first.
    #[must_use]
    pub fn hands_of(&self, actor: &Actor) -> Vec<HandNow> {
        let known = self.known();
        let mut hands: Vec<HandNow> = known.hands.values().filter_map(|hand| now(&known, actor, hand)).collect();
        hands.sort_by(|one, other| (one.hand.at, &one.hand.workspace).cmp(&(other.hand.at, &other.hand.workspace)));
        hands
    }

    /// Raises a hand in a workspace that one may work in. One that is up keeps its place, with the newer question.
    ///
    /// # Errors
    /// If there is no such workspace as far as they may know, or they only look.
    pub async fn raise_hand(&self, actor: &Actor, id: &str, question: Option<&str>) -> Result<HandNow, RequestError> {
        let committed = self.commit(None, |known, moment| {
            let (workspace, watch) = find(known, actor, id)?;
            if watch < Watch::Help {
                return Err(RequestError::Forbidden("viewers of a workspace raise no hand in it".to_owned()));
            }
            let key = keys::hand(&workspace.id);
            let before = known.hands.get(&workspace.id);
            let hand = Hand {
                workspace: workspace.id.clone(),
                by: actor.username.clone(),
                question: question.map(str::to_owned).or_else(|| before.and_then(|hand| hand.question.clone())),
                at: before.map_or(moment, |hand| hand.at),
            };
            if before.is_some_and(|before| before.question == hand.question) {
                return Ok(Made::Already(()));
            }
            let transaction = match known.revision_of(&key) {
                Some(revision) => Transaction::new().unchanged(key.clone(), revision),
                None => Transaction::new().absent(key.clone()),
            };
            let transaction = transaction.put_json(key, &hand)?;
            let transaction = self.with_event_of_workspace(transaction, "raise-hand", "", actor, workspace)?;
            Ok(Made::change(transaction, ()))
        });
        committed.await?;
        let known = self.known();
        let hand = known.hands.iter().find(|(workspace, _)| workspace.as_str() == id);
        // Somebody may have answered already.
        hand.and_then(|(_, hand)| now(&known, actor, hand)).ok_or_else(|| missing(id))
    }

    /// Lowers a hand: whoever raised it does not need help any more, or somebody has answered. One that is down is a
    /// success.
    ///
    /// # Errors
    /// If there is no such workspace as far as they may know, or they only look.
    pub async fn lower_hand(&self, actor: &Actor, id: &str) -> Result<(), RequestError> {
        let committed = self.commit(None, |known, _| {
            let (workspace, watch) = find(known, actor, id)?;
            if watch < Watch::Help {
                return Err(RequestError::Forbidden("viewers of a workspace lower no hand in it".to_owned()));
            }
            let key = keys::hand(&workspace.id);
            let Some(revision) = known.revision_of(&key) else { return Ok(Made::Already(())) };
            let transaction = Transaction::new().unchanged(key.clone(), revision).delete(key);
            let more = match known.hands.get(&workspace.id).filter(|hand| hand.by != actor.username) {
                Some(hand) => format!(", answered={}", hand.by),
                None => String::new(),
            };
            let transaction = self.with_event_of_workspace(transaction, "lower-hand", &more, actor, workspace)?;
            Ok(Made::change(transaction, ()))
        });
        committed.await.map(drop)
    }
}

fn now(known: &Known, actor: &Actor, hand: &Hand) -> Option<HandNow> {
    let workspace = known.world.workspaces().get(&hand.workspace)?;
    let watch = may_watch(known, actor, workspace)?;
    Some(HandNow { hand: hand.clone(), name: workspace.name.clone(), owner: workspace.owner.clone(), watch })
}

fn find<'a>(known: &'a Known, actor: &Actor, id: &str) -> Result<(&'a Workspace, Watch), RequestError> {
    let parsed = WorkspaceId::parse(id).map_err(|_| missing(id))?;
    let workspace = known.world.workspaces().get(&parsed).ok_or_else(|| missing(id))?;
    let watch = may_watch(known, actor, workspace).ok_or_else(|| missing(id))?;
    Ok((workspace, watch))
}

fn missing(id: &str) -> RequestError {
    RequestError::NotFound { what: "workspace", id: id.chars().take(64).collect(), replaced_by: None }
}
