//! What accounts are told of the log that may not read it: what they did, and what happens to what is theirs.

use crate::Api;
use pierhead_controller::Actor;
use pierhead_model::{Event, WorkspaceRight};

/// Somebody who is told of their own only.
pub(super) struct Own {
    pub api: Api,
    pub actor: Actor,
}

impl Own {
    /// Whether an event is about them.
    pub fn takes(&self, event: &Event) -> bool {
        event.actor.as_ref() == Some(&self.actor.username)
            || named(&event.message).any(|(name, value)| match name {
                "account" => value == self.actor.username.as_str(),
                "workspace" => self.is_theirs(value),
                _ => false,
            })
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
