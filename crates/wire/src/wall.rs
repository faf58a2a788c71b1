//! The wall, raised hands and messages: what somebody sees of those whose work they may watch, and says to them.

pub(crate) mod parse;
#[cfg(test)]
mod tests;

use crate::TerminalViewer;
use pierhead_terminal::PictureChange;
use serde::{Deserialize, Serialize};

/// Everybody whose work one may watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WallView {
    /// Who seems stuck first: raised hands, the longest raised first, then by points.
    pub people: Vec<WallPersonView>,
}

/// Somebody on a wall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WallPersonView {
    /// Their workspace, by its id.
    pub workspace: String,
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub owner: String,
    /// The environment that it was made from.
    pub environment: String,
    /// What it is: `queued`, `starting`, `ready`, `idle`, `paused`, `saving`, `saved` or `failed`.
    pub phase: String,
    /// What the asker may: `look` at its terminals, `help` by driving them, or `lead`: also extend, stop and start it.
    pub may: String,
    /// When something was last typed or printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_at: Option<String>,
    /// When its run is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    /// Since when their hand is up, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand_at: Option<String>,
    /// What they ask, if they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// How stuck they seem, in points: the more, the sooner somebody should look.
    pub stuck: u32,
    /// Why, the weightiest first: `hand`, `no-progress`, `failing`, `tries`, `idle`.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// How far they have come with a lab, if they work at one; told to them, to those who give it, and to administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<WallWorkView>,
    /// The terminals in the workspace that run, the oldest first.
    pub terminals: Vec<WallTerminalView>,
}

/// How far somebody on a wall has come with a lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WallWorkView {
    /// Their attempt, by its id.
    pub attempt: String,
    /// The lab, by its id.
    pub lab: String,
    /// What it is called.
    pub title: String,
    /// The course that they work for, by its id, if it is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<String>,
    /// The step that they are at, counted from 0.
    pub step: u32,
    /// How many steps there are; 0 if the lab is gone.
    pub steps: u32,
    /// In how many of these everything is done.
    pub done: u32,
    /// The points so far.
    pub score: u32,
    /// The most that there are.
    pub most: u32,
    /// When all of it was done, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<String>,
}

/// A terminal on a wall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WallTerminalView {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Who opened it.
    pub owner: String,
    /// Whether the place where it lives answers.
    pub live: bool,
    /// Who is there now.
    #[serde(default)]
    pub viewers: Vec<TerminalViewer>,
}

/// What the server says on the socket of a wall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum WallSaid {
    /// Who is on the wall, at first and after each change.
    People {
        /// All of them, by their workspaces, who seems stuck first.
        order: Vec<String>,
        /// Those of whom something is new.
        people: Vec<WallPersonView>,
    },
    /// What is new in the pictures of terminals that are shown.
    Pictures {
        /// Of each what changed.
        pictures: Vec<PictureChange>,
    },
}

/// What a client says on the socket of a wall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum WallAsked {
    /// It shows these terminals, and no others, from now on.
    Show {
        /// Their ids; at most 200 of them are painted.
        terminals: Vec<String>,
    },
}

/// Body of `POST /api/wall/change`: the same for the workspaces of many.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WallChangeRequest {
    /// `extend`, `save`, `pause` (each stands still as it is), `resume`, `stop` (each is saved first) or `start`.
    pub change: String,
    /// By how many minutes, to extend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub minutes: Option<u32>,
    /// Only workspaces of this environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub environment: Option<String>,
    /// Only those in which students of this course work at its labs, by its id; one that one gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub course: Option<String>,
    /// Only those that are for this lab, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub lab: Option<String>,
    /// Only these workspaces; all that one leads if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub workspaces: Option<Vec<String>>,
}

/// What came of a change for many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WallChangeView {
    /// For how many it was done.
    pub done: u32,
    /// What came of each, by their owners' names.
    pub people: Vec<WallOutcomeView>,
}

/// What came of a change for one of many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WallOutcomeView {
    /// The workspace.
    pub workspace: String,
    /// Whose it is.
    pub owner: String,
    /// Whether it was done.
    pub done: bool,
    /// Why not, for programs: the code of the error that one alone would have got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why not, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Body of `PUT /api/workspaces/{id}/hand`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HandRequest {
    /// What is asked, in at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub question: Option<String>,
}

/// A raised hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HandView {
    /// The workspace in which it was raised.
    pub workspace: String,
    /// What that is called.
    pub name: String,
    /// Whose that is.
    pub owner: String,
    /// Who raised it.
    pub by: String,
    /// What they ask, if they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Since when it is up.
    pub raised_at: String,
}

/// The queue of raised hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HandsView {
    /// The longest raised first.
    pub hands: Vec<HandView>,
}

/// Body of `POST /api/messages`: told to the owners of the workspaces that one leads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MessageRequest {
    /// What it says, in at most 2000 characters.
    pub text: String,
    /// A terminal of one's own, by its id, that all of them may look at from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub terminal: Option<String>,
    /// Only those with workspaces of this environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub environment: Option<String>,
    /// Only those in which students of this course work at its labs, by its id; one that one gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub course: Option<String>,
    /// Only those that are for this lab, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub lab: Option<String>,
    /// Only those with these workspaces; all that one leads if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub workspaces: Option<Vec<String>>,
}

/// Body of `POST /api/messages/read`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MessagesReadRequest {
    /// The ids of the messages.
    pub messages: Vec<String>,
}

/// A message to many people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessageView {
    /// Its id.
    pub id: String,
    /// Who sent it.
    pub by: String,
    /// What it says.
    pub text: String,
    /// A terminal to look at, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// When it was sent.
    pub sent_at: String,
    /// Whether the asker has still to read it.
    pub unread: bool,
    /// To how many it was sent; told to its sender only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<u32>,
    /// How many have read it; told to its sender only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<u32>,
}

/// Messages that one has not read, and those that one has sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessagesView {
    /// The oldest first.
    pub messages: Vec<MessageView>,
}
