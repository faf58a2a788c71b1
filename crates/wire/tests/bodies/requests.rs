//! What is asked of workspaces, saves and terminals.

use crate::{assert_names, comes_back, is_odd, read};
use pierhead_model::TerminalRole;
use pierhead_wire::{
    ExtendRequest, GuestRequest, SaveEnvironmentRequest, TerminalRequest, WorkspaceFrom, WorkspaceRequest,
    WorkspaceSaveRequest, WorkspaceStartRequest, check_name, save_id,
};
use serde_json::{Value, json};

#[test]
fn a_workspace_is_made_from_what_is_named() {
    let from = |body: Value| read::<WorkspaceRequest>(&body).from();
    let Ok(WorkspaceFrom::Environment(environment)) = from(json!({ "environment": "py-3", "name": "mine" })) else {
        panic!("not of the environment")
    };
    let Ok(WorkspaceFrom::Save(save)) = from(json!({ "save": "k3f5a2bq7x-12" })) else { panic!("not of the save") };
    assert_eq!((environment.as_str(), save.as_str()), ("py-3", "k3f5a2bq7x-12"));
    assert_eq!(save.workspace().as_str(), "k3f5a2bq7x");
    for both in [json!({}), json!({ "name": "a" }), json!({ "environment": "a", "save": "k3f5a2bq7x-1" })] {
        assert_names(&from(both).unwrap_err(), "environment", "given, or else save");
    }
}

#[test]
fn the_name_of_a_save_is_a_workspace_and_a_number_from_one_on() {
    for good in ["aaaaaaaaaa-1", "7777777777-999999999"] {
        assert_eq!(save_id(good).unwrap().as_str(), good);
    }
    for bad in [
        "",
        "-",
        "aaaaaaaaaa",
        "aaaaaaaaaa-",
        "aaaaaaaaaa-0",
        "aaaaaaaaaa-01",
        "aaaaaaaaaa--1",
        "aaaaaaaaaa-1-2",
        "AAAAAAAAAA-1",
        "aaaaaaaaa1-1",
        "aaaaaaaaa-1",
        "../aaaaaaa-1",
        "aaaaaaaaaa-1 ",
        "aaaaaaaaaa-１",
    ] {
        assert_names(&save_id(bad).unwrap_err(), "save", "a workspace id, '-' and a number");
        assert_eq!(read::<WorkspaceRequest>(&json!({ "save": bad })).from().unwrap_err().field, "save", "{bad}");
    }
}

#[test]
fn what_people_call_a_thing_stands_on_one_line() {
    let (longest, too_long) = ("ü".repeat(100), "ü".repeat(101));
    for good in ["a", " a ", "my work: 2nd try / ü", longest.as_str()] {
        assert_eq!(check_name(good), Ok(()), "{good}");
    }
    for bad in ["", "  ", "a\nb", "a\tb", "\u{1b}[31mred", "a\0", "\u{85}", too_long.as_str()] {
        assert_names(&check_name(bad).unwrap_err(), "name", "1 to 100 characters on one line");
        let request = read::<WorkspaceRequest>(&json!({ "environment": "a", "name": bad }));
        assert_eq!(request.from().unwrap_err().field, "name", "{bad:?}");
        let terminal = read::<TerminalRequest>(&json!({ "name": bad }));
        assert_eq!(terminal.check().unwrap_err().field, "name", "{bad:?}");
    }
}

#[test]
fn an_end_is_put_off_by_at_least_a_minute_and_at_most_a_week() {
    for minutes in [1, 10_080] {
        assert_eq!(read::<ExtendRequest>(&json!({ "minutes": minutes })).check(), Ok(minutes));
    }
    for minutes in [0, 10_081, u32::MAX] {
        let error = ExtendRequest { minutes }.check().unwrap_err();
        assert_names(&error, "minutes", "a whole number from 1 to 10080 (a week)");
    }
    for odd in [
        json!({}),
        json!({ "minutes": -5 }),
        json!({ "minutes": 1.5 }),
        json!({ "minutes": "60" }),
        json!({ "hours": 1 }),
    ] {
        assert!(is_odd::<ExtendRequest>(&odd), "{odd}");
    }
}

#[test]
fn what_is_left_out_is_not_written() {
    let nothing = json!({});
    comes_back::<WorkspaceRequest>(&nothing);
    comes_back::<WorkspaceSaveRequest>(&nothing);
    comes_back::<WorkspaceStartRequest>(&nothing);
    comes_back::<TerminalRequest>(&nothing);
    comes_back::<WorkspaceSaveRequest>(&json!({ "name": "before the tests" }));
    comes_back::<WorkspaceStartRequest>(&json!({ "save": "k3f5a2bq7x-2" }));
    comes_back::<TerminalRequest>(&json!({ "command": ["sh", "-c", "ü"], "tty": false, "rows": 5 }));
    assert_eq!(read::<WorkspaceSaveRequest>(&json!({ "name": null })), WorkspaceSaveRequest::default());
}

#[test]
fn nobody_asks_for_what_there_is_not() {
    assert!(
        is_odd::<WorkspaceRequest>(&json!({ "environment": "a", "owner": "bob" })),
        "nobody opens for somebody else"
    );
    assert!(is_odd::<WorkspaceRequest>(&json!({ "environment": "a", "engine": "host-1" })));
    assert!(is_odd::<WorkspaceRequest>(&json!({ "environment": ["a", "b"] })));
    assert!(is_odd::<WorkspaceSaveRequest>(&json!({ "automatic": true })));
    assert!(is_odd::<WorkspaceStartRequest>(&json!({ "name": "a" })));
    assert!(is_odd::<SaveEnvironmentRequest>(&json!({})), "an environment has a name");
    assert!(is_odd::<SaveEnvironmentRequest>(&json!({ "name": "a", "visibility": "shared" })));
    assert!(is_odd::<GuestRequest>(&json!({ "role": "viewer", "username": "bob" })));
    assert!(
        is_odd::<TerminalRequest>(&json!({ "columns": 70_000 })) && is_odd::<TerminalRequest>(&json!({ "rows": -1 }))
    );
}

#[test]
fn a_terminal_may_be_as_large_as_the_bounds_and_no_larger() {
    let check = |body: Value| read::<TerminalRequest>(&body).check();
    let (command, size) =
        ("a program and its arguments, at most 1024 words and 64 KiB", "a whole number from 1 to 1000");
    let directory = |bytes: usize| json!({ "working_dir": format!("/{}", "d".repeat(bytes - 1)) });
    for (good, bad, field, form) in [
        (json!({ "columns": 1000 }), json!({ "columns": 65_535 }), "columns", size),
        (json!({ "rows": 1 }), json!({ "columns": 5, "rows": 0 }), "rows", size),
        (json!({ "command": vec!["x"; 1024] }), json!({ "command": vec!["x"; 1025] }), "command", command),
        (
            json!({ "command": ["x".repeat(65_536)] }),
            json!({ "command": ["x".repeat(65_536), "y"] }),
            "command",
            command,
        ),
        (json!({ "command": ["sh", ""] }), json!({ "command": ["", "sh"] }), "command", command),
        (json!({ "command": ["a\nb"] }), json!({ "command": ["a", "b\0"] }), "command", "words without NUL characters"),
        (directory(4096), directory(4097), "working_dir", "a path from the root on, of at most 4096 bytes"),
    ] {
        assert_eq!(check(good), Ok(()));
        assert_names(&check(bad).unwrap_err(), field, form);
    }
    let size = |body: Value| read::<TerminalRequest>(&body).size();
    assert_eq!((size(json!({ "columns": 120 })), size(json!({ "rows": 50 }))), ((120, 24), (80, 50)));
}

#[test]
fn a_role_that_is_none_is_refused_with_those_that_are() {
    for role in ["", "owner", "admin", "Viewer", "driver "] {
        let request: GuestRequest = read(&json!({ "role": role }));
        assert_names(&request.role().unwrap_err(), "role", "driver or viewer");
    }
    for role in [TerminalRole::Viewer, TerminalRole::Driver] {
        assert_eq!(read::<GuestRequest>(&json!({ "role": role.as_str() })).role(), Ok(role));
    }
}
