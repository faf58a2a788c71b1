//! Who may read what happens to accounts, without administering them: whoever did it, and whose account it is.

use pierhead_model::{Event, EventTag, Username};

/// Whether an account may read an event: any but what happened to other accounts.
pub(super) fn may_read(reader: &Username, event: &Event) -> bool {
    !event.tags.contains(&EventTag::Security)
        || event.actor.as_ref() == Some(reader)
        || account(event) == Some(reader.as_str())
}

/// The account that an event is about. A token's name, which is any text, stands before its account.
fn account(event: &Event) -> Option<&str> {
    match event.kind.as_str() {
        "add-account" | "change-account" | "change-password" | "delete-account" | "log-in" | "log-in-refused" => {
            event.message.strip_prefix("name=")?.split(' ').next()
        }
        "add-token" | "delete-token" => Some(event.message.rsplit_once(" account=")?.1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_model::Timestamp;

    fn event(kind: &str, message: &str, actor: Option<&str>, tag: EventTag) -> Event {
        Event {
            id: "1".to_owned(),
            kind: kind.to_owned(),
            time: Timestamp(5),
            message: message.to_owned(),
            tags: vec![EventTag::Cluster, tag],
            container: None,
            engine: None,
            app: None,
            actor: actor.map(|actor| Username::parse(actor).unwrap()),
        }
    }

    #[test]
    fn of_accounts_everybody_reads_what_concerns_them() {
        let ann = Username::parse("ann").unwrap();
        let admin = Some("admin");
        for (kind, message, actor, expected) in [
            ("change-account", "name=ann role=user", admin, true),
            ("change-account", "name=anna role=user", admin, false),
            ("change-account", "name=bob role=ann", admin, false),
            ("delete-account", "name=ann", admin, true),
            ("add-role", "name=ann", admin, false),
            ("add-role", "name=watcher", Some("ann"), true),
            ("delete-token", "name=CI account=ann", admin, true),
            ("delete-token", "name=ann account=bob", admin, false),
            ("delete-token", "name=x account=ann account=bob", admin, false),
            ("log-in-refused", "name=ann address=10.0.0.7", None, true),
            ("log-in-refused", "name=\"ann \" address=10.0.0.7", None, false),
            ("add-registry", "name=ann", None, false),
        ] {
            let event = event(kind, message, actor, EventTag::Security);
            assert_eq!(may_read(&ann, &event), expected, "{kind} {message}");
        }
        assert!(may_read(&ann, &event("change-account", "name=bob", admin, EventTag::Docker)));
    }
}
