//! Examples of courses and of the school's list.

use super::{Example, MOMENT};
use crate::{
    CourseAheadView, CourseLabEntry, CourseRequest, CourseSessionEntry, CourseUpdate, CourseView, EnrolEntry,
    EnrolRequest, LinkRequest, LinkView, RosterChangeView, RosterCsv, RosterProblemView, RosterRequest,
    RosterStatusView, RosterTotals, RosterView, StudentUpdate, StudentView,
};

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn sessions() -> Vec<CourseSessionEntry> {
    vec![CourseSessionEntry { starts: MOMENT.to_owned(), ends: "2026-11-21T23:40:00.000Z".to_owned(), lab: None }]
}

impl Example for CourseRequest {
    fn example() -> Self {
        Self {
            id: "cs-101".to_owned(),
            title: text("Databases"),
            term: text("2026 autumn"),
            zone: text("Asia/Shanghai"),
            teachers: None,
            assistants: Some(Vec::new()),
            labs: Some(Vec::new()),
            sessions: Some(sessions()),
            recording_days: Some(0),
        }
    }
}

impl Example for CourseUpdate {
    fn example() -> Self {
        Self {
            title: text("Databases I"),
            zone: text("Asia/Shanghai"),
            sessions: Some(sessions()),
            recording_days: Some(30),
            archived: Some(false),
            ..Self::default()
        }
    }
}

impl Example for CourseView {
    fn example() -> Self {
        Self {
            id: "cs-101".to_owned(),
            title: "Databases".to_owned(),
            term: "2026 autumn".to_owned(),
            zone: "Asia/Shanghai".to_owned(),
            right: "teacher".to_owned(),
            teachers: vec!["wang".to_owned()],
            assistants: vec!["zhao".to_owned()],
            labs: vec![CourseLabEntry {
                lab: "mysql".to_owned(),
                version: Some(2),
                opens_at: text(MOMENT),
                due_at: text("2026-12-01T10:00:00.000Z"),
                warm_from: text(MOMENT),
            }],
            sessions: sessions(),
            recording_days: Some(30),
            ahead: vec![CourseAheadView::example()],
            students: Some(60),
            group: text("A"),
            source: "roster".to_owned(),
            archived: false,
            revision: 1204,
            created_at: MOMENT.to_owned(),
        }
    }
}

impl Example for CourseAheadView {
    fn example() -> Self {
        Self {
            lab: "mysql".to_owned(),
            from: MOMENT.to_owned(),
            until: "2026-11-21T23:40:00.000Z".to_owned(),
            wanted: 30,
            ready: 12,
        }
    }
}

impl Example for EnrolRequest {
    fn example() -> Self {
        Self { students: vec![EnrolEntry { username: "clare".to_owned(), group: text("A") }] }
    }
}

impl Example for StudentUpdate {
    fn example() -> Self {
        Self { group: text("B"), suspended: Some(false) }
    }
}

impl Example for StudentView {
    fn example() -> Self {
        Self {
            username: "li".to_owned(),
            name: "Li Lei".to_owned(),
            group: text("A"),
            suspended: false,
            source: "roster".to_owned(),
            since: MOMENT.to_owned(),
        }
    }
}

impl Example for LinkRequest {
    fn example() -> Self {
        Self { minutes: Some(60) }
    }
}

impl Example for LinkView {
    fn example() -> Self {
        Self {
            url: "https://pool.example/auth/link?key=k3JxWb7mQz1Rv0TtYc5N8uEa2HsLd4Gf".to_owned(),
            expires_at: MOMENT.to_owned(),
        }
    }
}

impl Example for RosterRequest {
    fn example() -> Self {
        let csv = RosterCsv {
            people: "username,name,role\nwang,Wang,teacher\nli,Li Lei,student\n".to_owned(),
            courses: "course,title\ncs-101,Databases\n".to_owned(),
            enrolments: "course,username,role\ncs-101,wang,teacher\ncs-101,li,student\n".to_owned(),
        };
        Self { csv: Some(csv), force: Some(false), expect: None }
    }
}

impl Example for RosterView {
    fn example() -> Self {
        Self {
            source: "mysql://pierhead@db.example:3306/step1".to_owned(),
            digest: "0f".repeat(32),
            listed: RosterTotals { people: 2, courses: 1, enrolments: 2 },
            added: 2,
            courses_added: 1,
            enrolled: 1,
            kept: vec!["admin".to_owned()],
            changes: vec![RosterChangeView {
                what: "add-person".to_owned(),
                to: "li, role=student, name=Li Lei".to_owned(),
            }],
            more_changes: 3,
            problems: vec![RosterProblemView {
                table: "people".to_owned(),
                row: 3,
                what: "username is empty".to_owned(),
            }],
            took_ms: 40,
            ..Self::default()
        }
    }
}

impl Example for RosterStatusView {
    fn example() -> Self {
        Self {
            source: text("mysql://pierhead@db.example:3306/step1"),
            every_seconds: Some(3600),
            looked_at: text(MOMENT),
            outcome: text("done"),
            message: text("added=2, changed=0, suspended=0"),
            done_at: text(MOMENT),
        }
    }
}
