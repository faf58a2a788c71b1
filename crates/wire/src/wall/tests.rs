use super::parse::{WallChangeKind, WallNamed, WallNames};
use super::*;
use serde_json::json;

fn change(body: serde_json::Value) -> Result<WallChangeKind, String> {
    let request: WallChangeRequest = serde_json::from_value(body).unwrap();
    request.kind().map_err(|error| error.field)
}

#[test]
fn a_change_for_many_says_what_it_is() {
    assert_eq!(change(json!({"change": "extend", "minutes": 30})), Ok(WallChangeKind::Extend(30)));
    for (word, kind) in [
        ("save", WallChangeKind::Save),
        ("pause", WallChangeKind::Pause),
        ("resume", WallChangeKind::Resume),
        ("stop", WallChangeKind::Stop),
        ("start", WallChangeKind::Start),
    ] {
        assert_eq!(change(json!({"change": word})), Ok(kind));
        assert_eq!(change(json!({"change": word, "minutes": 5})), Err("minutes".to_owned()));
    }
    for bad in [
        json!({"change": "extend"}),
        json!({"change": "extend", "minutes": 0}),
        json!({"change": "extend", "minutes": 10_081}),
    ] {
        assert_eq!(change(bad), Err("minutes".to_owned()));
    }
    assert_eq!(change(json!({"change": "destroy"})), Err("change".to_owned()));
    assert!(serde_json::from_value::<WallChangeRequest>(json!({"change": "save", "all": true})).is_err());
}

#[test]
fn whom_something_is_about_is_named_within_bounds() {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let none = WallNames::default();
    assert_eq!(none.named().unwrap(), WallNamed::default());
    let twice = ids(&["k3f5a2bq7x", "k3f5a2bq7x"]);
    let of_all = WallNames {
        environment: Some("python"),
        course: Some("cs-101"),
        lab: Some("first-steps"),
        workspaces: Some(&twice),
    };
    let named = of_all.named().unwrap();
    assert_eq!((named.environment.unwrap().as_str(), named.workspaces.unwrap().len()), ("python", 1));
    assert_eq!((named.course.unwrap().as_str(), named.lab.unwrap().as_str()), ("cs-101", "first-steps"));
    let field = |names: WallNames| names.named().unwrap_err().field;
    assert_eq!(field(WallNames { environment: Some("No Name"), ..none }), "environment");
    assert_eq!(field(WallNames { course: Some("a/b"), ..none }), "course");
    assert_eq!(field(WallNames { lab: Some("../x"), ..none }), "lab");
    for bad in [ids(&[]), ids(&["../x"]), vec!["k3f5a2bq7x".to_owned(); 501]] {
        assert_eq!(field(WallNames { workspaces: Some(&bad), ..none }), "workspaces");
    }
}

#[test]
fn requests_for_many_name_them_alike() {
    let body = json!({"environment": "python", "course": "cs", "lab": "shell", "workspaces": ["k3f5a2bq7x"]});
    let with = |name: &str, value: &str| {
        let mut body = body.clone();
        body[name] = json!(value);
        body
    };
    let change: WallChangeRequest = serde_json::from_value(with("change", "save")).unwrap();
    let message: MessageRequest = serde_json::from_value(with("text", "Hello")).unwrap();
    let named = change.names().named().unwrap();
    assert_eq!(named, message.names().named().unwrap());
    assert!(named.environment.is_some() && named.course.is_some() && named.lab.is_some() && named.workspaces.is_some());
}

#[test]
fn questions_and_messages_are_texts() {
    let question = |text: &str| HandRequest { question: Some(text.to_owned()) };
    assert_eq!(question(" how? ").question().unwrap(), Some("how?"));
    assert_eq!(question("  ").question().unwrap(), None);
    assert!(question(&"ß".repeat(200)).question().is_ok() && question(&"ß".repeat(201)).question().is_err());
    assert_eq!(question("a\u{1b}[31m").question().unwrap_err().field, "question");
    let text = |text: &str| MessageRequest { text: text.to_owned(), ..MessageRequest::default() };
    assert_eq!(text("break\nuntil ten\n").text().unwrap(), "break\nuntil ten");
    for bad in ["", " \n", "a\0b", &"x".repeat(2001)] {
        assert_eq!(text(bad).text().unwrap_err().field, "text");
    }
}

#[test]
fn some_messages_are_read_at_once() {
    let read = |count| MessagesReadRequest { messages: vec!["m".to_owned(); count] };
    assert!(read(1).ids().is_ok() && read(100).ids().is_ok());
    assert_eq!((read(0).ids().unwrap_err().field, read(101).ids().is_err()), ("messages".to_owned(), true));
}

#[test]
fn what_travels_on_the_socket_is_as_documented() {
    let show = WallAsked::Show { terminals: vec!["t-1".to_owned()] };
    assert_eq!(serde_json::to_value(&show).unwrap(), json!({"type": "show", "terminals": ["t-1"]}));
    let said = WallSaid::Pictures { pictures: vec![PictureChange::over("t-1")] };
    let value = serde_json::to_value(&said).unwrap();
    assert_eq!((&value["type"], &value["pictures"][0]["over"]), (&json!("pictures"), &json!(true)));
    assert_eq!(serde_json::from_value::<WallSaid>(value).unwrap(), said);
    let people = WallSaid::People { order: vec!["k3f5a2bq7x".to_owned()], people: vec![] };
    assert_eq!(
        serde_json::to_value(&people).unwrap(),
        json!({"type": "people", "order": ["k3f5a2bq7x"], "people": []})
    );
}
