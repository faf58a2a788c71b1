use super::*;

#[test]
fn tables_are_plain_where_nobody_looks() {
    let rows = [vec!["a".to_owned(), "x".repeat(60)], vec!["b\n".to_owned(), String::new()]];
    let expected = format!("ID   WHAT\na    {}\nb\\n  -", "x".repeat(60));
    assert_eq!(table(&["ID", "WHAT"], rows, None), expected);
}

#[test]
fn tables_fit_a_terminal() {
    let rows = [vec!["a".to_owned(), "several words that are longer than the terminal is wide".to_owned()]];
    let text = table(&["ID", "WHAT"], rows, Some(24));
    assert!(text.lines().count() > 2 && text.lines().all(|line| line.chars().count() <= 24), "{text}");
}

#[test]
fn what_names_a_row_stays_in_one_piece() {
    let rows = [vec!["0123456789ab".to_owned(), "httpd:latest".to_owned(), "http://10.0.0.5:20000 -> 80".to_owned()]];
    let text = table(&["CONTAINER", "IMAGE", "PORTS"], rows, Some(40));
    assert!(text.contains("0123456789ab") && text.lines().all(|line| line.chars().count() <= 40), "{text}");
}

#[test]
fn fields_are_aligned_and_empty_ones_left_out() {
    let text = fields(&[("id", "1".to_owned()), ("address", "x\x1b".to_owned()), ("why", String::new())]);
    assert_eq!(text, "id       1\naddress  x\\x1b\n");
}

#[test]
fn small_things() {
    assert_eq!(
        (number(0.5), number(2.0), number(100.0), number(1.0 / 3.0)),
        ("0.5".into(), "2".into(), "100".into(), "0.33".into())
    );
    assert_eq!((short("0123456789abcdef"), short("é1")), ("0123456789ab".into(), "é1".into()));
    let now = Timestamp(200_000_000);
    for (time, expected) in [
        ("1970-01-03T07:33:19.000Z", "1s"),
        ("1970-01-03T07:30:00.000Z", "3m"),
        ("1970-01-03T02:30:00.000Z", "5h"),
        ("1970-01-01T00:00:00.000Z", "2d"),
        ("1999-01-01T00:00:00.000Z", "0s"),
        ("never", "never"),
    ] {
        assert_eq!(age(time, now), expected, "{time}");
    }
}
