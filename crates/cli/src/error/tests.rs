use super::*;
use crate::subject::Subject;
use pierhead_wire::ErrorBody;

fn refused(status: u16, code: &str) -> ClientError {
    let body = ErrorBody {
        code: code.to_owned(),
        message: "no".to_owned(),
        field: None,
        replaced_by: None,
        operation: None,
        log: Vec::new(),
        problems: Vec::new(),
    };
    ClientError::Refused { status, body: Box::new(body) }
}

fn with(change: impl FnOnce(&mut ErrorBody)) -> CliError {
    let mut error = refused(404, "other");
    if let ClientError::Refused { body, .. } = &mut error {
        change(body);
    }
    error.into()
}

fn operation(state: &str, code: &str) -> CliError {
    let own = str::to_owned;
    CliError::Operation {
        operation: own("op1"),
        state: own(state),
        code: own(code),
        message: own("it broke"),
        log: Vec::new(),
    }
}

fn unreachable() -> ClientError {
    ClientError::Unreachable { url: "http://a".to_owned(), why: "no answer in time".to_owned() }
}

#[test]
fn every_kind_has_its_documented_code() {
    let io = || io::Error::other("disk");
    let (operation_id, path) = ("op1".to_owned(), PathBuf::from("/x"));
    for (error, code) in [
        (CliError::usage("a", "b"), 2),
        (refused(401, "x").into(), 5),
        (refused(403, "x").into(), 5),
        (refused(404, "x").into(), 3),
        (refused(408, "x").into(), 6),
        (refused(409, "x").into(), 4),
        (refused(500, "x").into(), 1),
        (refused(503, "no_room").into(), 4),
        (unreachable().into(), 6),
        (ClientError::ReadLog { why: String::new() }.into(), 6),
        (ClientError::ReadAnswer { url: String::new(), why: String::new() }.into(), 1),
        (ClientError::ParseName(String::new()).into(), 2),
        (operation("failed", "no_room"), 4),
        (operation("failed", "exited"), 1),
        (operation("timed_out", "timed_out"), 6),
        (CliError::Follow { operation: operation_id.clone(), source: unreachable() }, 6),
        (CliError::StopWaiting { operation: operation_id, why: String::new() }, 6),
        (CliError::NotFound(String::new()), 3),
        (CliError::Interrupted { operation: None }, 130),
        (CliError::Several { failed: 1, of: 2, exit_code: 4 }, 4),
        (CliError::WriteFile { path: path.clone(), source: io() }, 1),
        (ClientError::ParseAuthority.into(), 1),
        (ClientError::Untrusted { url: String::new(), why: String::new(), is_unknown: true }.into(), 5),
        (CliError::Unknown { fingerprint: String::new() }, 5),
        (CliError::Fingerprint { expected: String::new(), found: String::new() }, 5),
        (CliError::Declined, 1),
        (CliError::Credentials { path: path.clone(), source: io() }, 1),
        (CliError::ReadFile { path, source: io() }, 1),
        (CliError::Ask(io()), 1),
        (CliError::Write(io()), 1),
    ] {
        assert_eq!(error.exit_code(), code, "{error:?}");
    }
}

#[test]
fn the_hint_follows_what_the_server_knows() {
    let hint = |error: CliError| error.hint(Subject::Other).unwrap();
    assert!(hint(with(|body| body.replaced_by = Some("0123456789abcdef".to_owned()))).ends_with("show 0123456789ab"));
    assert!(hint(with(|body| body.operation = Some("op7".to_owned()))).ends_with("operation show op7"));
    assert!(hint(with(|body| body.code = "port_taken".to_owned())).contains("-p 80"));
    assert!(hint(with(|_| {})).contains("pierhead container ls --all"));
    assert!(hint(operation("failed", "exited")).ends_with("operation show op1"));
    assert!(hint(operation("failed", "no_room")).contains("engine add"));
    assert!(hint(CliError::Follow { operation: "op1".to_owned(), source: unreachable() }).ends_with("wait op1"));
}

#[test]
fn what_needs_no_advice_gives_none() {
    assert_eq!(CliError::Declined.hint(Subject::Other), None);
    assert_eq!(CliError::from(refused(500, "internal")).hint(Subject::Other), None);
}

#[test]
fn a_reader_that_went_away_is_nothing_to_complain_of() {
    assert!(CliError::Write(io::ErrorKind::BrokenPipe.into()).is_broken_pipe());
    assert!(!CliError::Write(io::ErrorKind::StorageFull.into()).is_broken_pipe());
    assert!(!CliError::Ask(io::ErrorKind::BrokenPipe.into()).is_broken_pipe());
}

#[test]
fn advice_fits_what_the_command_is_about() {
    for (subject, command) in [
        (Subject::App, "pierhead app set"),
        (Subject::Engine, "pierhead engine rm"),
        (Subject::Account, "pierhead account set-role"),
        (Subject::Role, "pierhead role set"),
        (Subject::Token, "pierhead token ls"),
        (Subject::Image, "pierhead image ls"),
        (Subject::Registry, "pierhead registry set"),
        (Subject::Environment, "pierhead environment set"),
        (Subject::Workspace, "pierhead workspace show"),
        (Subject::Save, "pierhead save ls"),
        (Subject::Course, "pierhead work ls COURSE"),
    ] {
        let hint = CliError::from(refused(409, "exists")).hint(subject).unwrap();
        assert!(hint.contains(command), "{subject:?}: {hint}");
        assert_eq!(hint.contains("app set"), subject == Subject::App, "{hint}");
    }
    for (subject, list) in [
        (Subject::Container, "pierhead container ls --all"),
        (Subject::Engine, "pierhead engine ls"),
        (Subject::Role, "pierhead role ls"),
        (Subject::Operation, "pierhead operation ls"),
        (Subject::Environment, "pierhead environment ls"),
        (Subject::Save, "pierhead save ls"),
    ] {
        let hint = CliError::from(refused(404, "not_found")).hint(subject).unwrap();
        assert_eq!(hint, format!("what there is: {list}"));
    }
    let of_login = CliError::from(refused(401, "unauthenticated")).hint(Subject::Login).unwrap();
    assert!(of_login.contains("password") && !of_login.contains("pierhead login"), "{of_login}");
}

#[test]
fn programs_get_one_object_of_the_same_form() {
    let value =
        |error: CliError| serde_json::from_str::<serde_json::Value>(&error.as_json(None, Some("do it"))).unwrap();
    let body = |body: &mut ErrorBody| {
        (body.code, body.field, body.operation) =
            ("invalid".to_owned(), Some("cpus".to_owned()), Some("op7".to_owned()));
    };
    let refusal = value(with(body));
    let expected = serde_json::json!({"code": "invalid", "message": "no", "field": "cpus", "hint": "do it",
        "operation": "op7", "exit_code": 3});
    assert_eq!(refusal, expected);
    for (error, code) in [
        (CliError::usage("a", "b"), "usage"),
        (unreachable().into(), "unreachable"),
        (operation("failed", "no_room"), "no_room"),
        (CliError::StopWaiting { operation: "op1".to_owned(), why: String::new() }, "still_running"),
        (CliError::Interrupted { operation: Some("op1".to_owned()) }, "interrupted"),
        (CliError::NotFound(String::new()), "not_found"),
        (CliError::Declined, "declined"),
    ] {
        let exit_code = error.exit_code();
        let value = value(error);
        assert_eq!((&value["code"], &value["exit_code"]), (&code.into(), &exit_code.into()), "{value}");
        assert!(value.get("field").is_none() && value["message"].is_string(), "{value}");
    }
}
