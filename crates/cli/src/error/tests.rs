use super::*;

fn refused(status: u16, code: &str) -> ClientError {
    let body =
        ErrorBody { code: code.to_owned(), message: "no".to_owned(), field: None, replaced_by: None, operation: None };
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
    CliError::Operation { operation: own("op1"), state: own(state), code: own(code), message: own("it broke") }
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
    let hint = |error: CliError| error.hint().unwrap();
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
    assert_eq!(CliError::Declined.hint(), None);
    assert_eq!(CliError::from(refused(500, "internal")).hint(), None);
}

#[test]
fn a_reader_that_went_away_is_nothing_to_complain_of() {
    assert!(CliError::Write(io::ErrorKind::BrokenPipe.into()).is_broken_pipe());
    assert!(!CliError::Write(io::ErrorKind::StorageFull.into()).is_broken_pipe());
    assert!(!CliError::Ask(io::ErrorKind::BrokenPipe.into()).is_broken_pipe());
}
