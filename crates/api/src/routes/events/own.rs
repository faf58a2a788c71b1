//! What accounts are told of the log that may not read it: what they did, and what happens to what is theirs.

use crate::Api;
use pierhead_controller::{Actor, Logged};
use pierhead_model::{CourseRight, Event, WorkspaceRight};
use std::sync::Arc;

/// The event that tells of a new message.
const SEND_MESSAGE: &str = "send-message";

/// The event that tells a whole course that its results can be seen.
const PUBLISH_RESULTS: &str = "publish-results";
/// The event that tells those who give a course that a recording of work for it is kept no longer.
const DELETE_RECORDING: &str = "delete-recording";

/// Somebody who is told of their own only.
pub(super) struct Own {
    pub api: Api,
    pub actor: Actor,
}

impl Own {
    /// Those events that are about them.
    pub async fn of(&self, mut events: Vec<Arc<Logged>>) -> Vec<Arc<Logged>> {
        // Whom a message is for stands in its record only, and that may not be here yet.
        let message = events.iter().rfind(|logged| logged.event.kind == SEND_MESSAGE);
        if let Some(revision) = message.map(|logged| logged.revision()) {
            self.api.controller.reached(revision).await;
        }
        events.retain(|logged| self.takes(&logged.event));
        events
    }

    /// Whether an event is about them.
    fn takes(&self, event: &Event) -> bool {
        event.actor.as_ref() == Some(&self.actor.username)
            || named(&event.message).any(|(name, value)| match name {
                "account" => value == self.actor.username.as_str(),
                "workspace" => self.is_theirs(value),
                "course" => match &*event.kind {
                    PUBLISH_RESULTS => self.takes_course(value),
                    DELETE_RECORDING => self.gives(value),
                    _ => false,
                },
                "message" => self.api.controller.is_unread(&self.actor, value),
                _ => false,
            })
    }

    fn takes_course(&self, course: &str) -> bool {
        self.api.controller.course(&self.actor, course).is_ok_and(|course| course.right == CourseRight::Student)
    }

    fn gives(&self, course: &str) -> bool {
        self.api.controller.course_as(&self.actor, course, CourseRight::Assistant).is_ok()
    }

    fn is_theirs(&self, workspace: &str) -> bool {
        self.api.controller.workspace(&self.actor, workspace).is_ok_and(|now| now.right == WorkspaceRight::Owner)
    }
}

/// The parts `name=value` of a message, up to the first that somebody may have written.
fn named(message: &str) -> impl Iterator<Item = (&str, &str)> {
    message.split(", ").map_while(|part| part.split_once('=')).take_while(|(name, _)| *name != "name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_names_nobody() {
        let parts = |message| named(message).map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>();
        assert_eq!(parts("attempt=a, lab=l, account=ann"), ["attempt:a", "lab:l", "account:ann"]);
        assert_eq!(parts("workspace=w, name=x, account=ann"), ["workspace:w"]);
        assert_eq!(parts("somebody said, account=ann"), Vec::<String>::new());
    }
}
