//! Examples of the wall, of raised hands and of messages.

use super::{Example, MOMENT};
use crate::{
    HandRequest, HandView, HandsView, MessageRequest, MessageView, MessagesReadRequest, MessagesView, TerminalViewer,
    WallChangeRequest, WallChangeView, WallOutcomeView, WallPersonView, WallTerminalView, WallView, WallWorkView,
};

const WORKSPACE: &str = "k3f5a2bq7x";
const TERMINAL: &str = "19aa2b3c4d5e6f00112233";

impl Example for WallView {
    fn example() -> Self {
        let viewer = |id: &str, username: &str, role: &str| TerminalViewer {
            id: id.to_owned(),
            username: username.to_owned(),
            role: role.to_owned(),
            since: MOMENT.to_owned(),
        };
        let terminal = WallTerminalView {
            id: TERMINAL.to_owned(),
            name: "main".to_owned(),
            owner: "sue".to_owned(),
            live: true,
            viewers: vec![viewer("v1", "sue", "driver"), viewer("v2", "tina", "viewer")],
        };
        let work = WallWorkView {
            attempt: "w7c2m9x4ka".to_owned(),
            lab: "first-steps".to_owned(),
            title: "First steps".to_owned(),
            course: Some("python-1".to_owned()),
            step: 1,
            steps: 5,
            done: 1,
            score: 3,
            most: 12,
            done_at: Some(MOMENT.to_owned()),
        };
        let person = WallPersonView {
            workspace: WORKSPACE.to_owned(),
            name: "python".to_owned(),
            owner: "sue".to_owned(),
            environment: "python".to_owned(),
            phase: "ready".to_owned(),
            may: "lead".to_owned(),
            active_at: Some(MOMENT.to_owned()),
            ends_at: Some(MOMENT.to_owned()),
            hand_at: Some(MOMENT.to_owned()),
            question: Some("Why does it not compile?".to_owned()),
            stuck: 1003,
            reasons: vec!["hand".to_owned(), "idle".to_owned()],
            work: Some(work),
            terminals: vec![terminal],
        };
        Self { people: vec![person] }
    }
}

impl Example for WallChangeRequest {
    fn example() -> Self {
        Self {
            change: "extend".to_owned(),
            minutes: Some(30),
            environment: Some("python".to_owned()),
            course: Some("python-1".to_owned()),
            lab: Some("first-steps".to_owned()),
            workspaces: Some(vec![WORKSPACE.to_owned()]),
        }
    }
}

impl Example for WallChangeView {
    fn example() -> Self {
        let outcome = WallOutcomeView {
            workspace: WORKSPACE.to_owned(),
            owner: "sue".to_owned(),
            done: false,
            code: Some("workspace_state".to_owned()),
            message: Some(format!("workspace {WORKSPACE} does not run")),
        };
        Self { done: 0, people: vec![outcome] }
    }
}

impl Example for HandRequest {
    fn example() -> Self {
        Self { question: Some("Why does it not compile?".to_owned()) }
    }
}

impl Example for HandView {
    fn example() -> Self {
        Self {
            workspace: WORKSPACE.to_owned(),
            name: "python".to_owned(),
            owner: "sue".to_owned(),
            by: "sue".to_owned(),
            question: Some("Why does it not compile?".to_owned()),
            raised_at: MOMENT.to_owned(),
        }
    }
}

impl Example for HandsView {
    fn example() -> Self {
        Self { hands: vec![HandView::example()] }
    }
}

impl Example for MessageRequest {
    fn example() -> Self {
        Self {
            text: "A break until ten".to_owned(),
            terminal: Some(TERMINAL.to_owned()),
            environment: Some("python".to_owned()),
            course: Some("python-1".to_owned()),
            lab: Some("first-steps".to_owned()),
            workspaces: Some(vec![WORKSPACE.to_owned()]),
        }
    }
}

impl Example for MessagesReadRequest {
    fn example() -> Self {
        Self { messages: vec!["19aa2b3c4d5e6f00112244".to_owned()] }
    }
}

impl Example for MessageView {
    fn example() -> Self {
        Self {
            id: "19aa2b3c4d5e6f00112244".to_owned(),
            by: "tina".to_owned(),
            text: "A break until ten".to_owned(),
            terminal: Some(TERMINAL.to_owned()),
            sent_at: MOMENT.to_owned(),
            unread: false,
            people: Some(30),
            read: Some(12),
        }
    }
}

impl Example for MessagesView {
    fn example() -> Self {
        Self { messages: vec![MessageView::example()] }
    }
}
