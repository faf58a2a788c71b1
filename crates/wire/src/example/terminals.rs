//! Examples of terminals.

use super::{CONTAINER, Example, MOMENT};
use crate::{GuestRequest, TerminalGuest, TerminalRequest, TerminalView, TerminalViewer};

impl Example for TerminalRequest {
    fn example() -> Self {
        Self {
            command: vec!["/bin/sh".to_owned()],
            columns: Some(120),
            rows: Some(40),
            tty: Some(true),
            user: Some("1000:1000".to_owned()),
            working_dir: Some("/srv".to_owned()),
            name: Some("web, looking around".to_owned()),
        }
    }
}

impl Example for TerminalView {
    fn example() -> Self {
        Self {
            id: "19aa2b3c4d5e6f00112233".to_owned(),
            container: CONTAINER.to_owned(),
            engine: "host-1".to_owned(),
            app: Some("web".to_owned()),
            owner: "clare".to_owned(),
            name: "web, looking around".to_owned(),
            command: vec!["/bin/sh".to_owned()],
            tty: true,
            columns: 120,
            rows: 40,
            home: "agent".to_owned(),
            state: "running".to_owned(),
            exit_code: None,
            reason: None,
            created_at: MOMENT.to_owned(),
            ended_at: None,
            right: "owner".to_owned(),
            viewers: vec![TerminalViewer {
                id: "1".to_owned(),
                username: "clare".to_owned(),
                role: "driver".to_owned(),
                since: MOMENT.to_owned(),
            }],
            guests: vec![TerminalGuest { username: "bob".to_owned(), role: "viewer".to_owned() }],
        }
    }
}

impl Example for GuestRequest {
    fn example() -> Self {
        Self { role: "viewer".to_owned() }
    }
}
