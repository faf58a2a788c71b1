//! What travels of the wall, of hands and of messages, as programs of other versions and of other makers write and read it.

use pierhead_wire::{
    Example, HandRequest, HandView, HandsView, MessageRequest, MessageView, MessagesReadRequest, MessagesView,
    WallAsked, WallChangeKind, WallChangeRequest, WallChangeView, WallNames, WallOutcomeView, WallPersonView, WallSaid,
    WallTerminalView, WallView, WallWorkView,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What is written is read as the same.
fn goes_round<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(one: &T) -> Value {
    let written = serde_json::to_value(one).unwrap();
    assert_eq!(serde_json::from_value::<T>(written.clone()).unwrap(), *one);
    written
}

/// The names of the fields of an object.
fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn all_examples_go_round() {
    goes_round(&WallView::example());
    goes_round(&WallChangeRequest::example());
    goes_round(&WallChangeView::example());
    goes_round(&HandRequest::example());
    goes_round(&HandView::example());
    goes_round(&HandsView::example());
    goes_round(&MessageRequest::example());
    goes_round(&MessageView::example());
    goes_round(&MessagesView::example());
    goes_round(&MessagesReadRequest::example());
}

#[test]
fn the_examples_of_requests_are_such_as_are_taken() {
    let change = WallChangeRequest::example();
    assert_eq!(change.kind().unwrap(), WallChangeKind::Extend(30));
    let named = change.names().named().unwrap();
    assert!(named.environment.is_some() && named.course.is_some() && named.lab.is_some());
    let message = MessageRequest::example();
    assert_eq!(message.text().unwrap(), message.text);
    assert_eq!(message.names().named().unwrap(), named);
    assert!(HandRequest::example().question().unwrap().is_some());
    assert_eq!(MessagesReadRequest::example().ids().unwrap().len(), 1);
}

#[test]
fn what_is_not_there_is_not_written() {
    let person = WallPersonView {
        workspace: "k3f5a2bq7x".to_owned(),
        name: "shell".to_owned(),
        owner: "sue".to_owned(),
        environment: "shell".to_owned(),
        phase: "queued".to_owned(),
        may: "look".to_owned(),
        active_at: None,
        ends_at: None,
        hand_at: None,
        question: None,
        stuck: 0,
        reasons: Vec::new(),
        work: None,
        terminals: Vec::new(),
    };
    let written = goes_round(&person);
    let mut told = fields(&written);
    told.sort_unstable();
    assert_eq!(
        told,
        ["environment", "may", "name", "owner", "phase", "reasons", "stuck", "terminals", "workspace"],
        "a guest is told of no work, and of nobody's moments that there are none of"
    );
    let outcome = WallOutcomeView {
        workspace: "k3f5a2bq7x".to_owned(),
        owner: "sue".to_owned(),
        done: true,
        code: None,
        message: None,
    };
    assert_eq!(goes_round(&outcome), json!({"workspace": "k3f5a2bq7x", "owner": "sue", "done": true}));
    assert_eq!(goes_round(&HandRequest::default()), json!({}));
    assert_eq!(goes_round(&MessageRequest::default()), json!({"text": ""}));
    assert_eq!(goes_round(&WallChangeRequest::default()), json!({"change": ""}));
}

#[test]
fn answers_of_older_servers_can_be_read() {
    let terminal: WallTerminalView =
        serde_json::from_value(json!({"id": "t", "name": "main", "owner": "sue", "live": false})).unwrap();
    assert!(terminal.viewers.is_empty());
    let person: WallPersonView = serde_json::from_value(json!({
        "workspace": "k3f5a2bq7x",
        "name": "shell",
        "owner": "sue",
        "environment": "shell",
        "phase": "ready",
        "may": "lead",
        "stuck": 7,
        "terminals": [],
        "of later versions": [1],
    }))
    .unwrap();
    assert!(person.work.is_none() && person.reasons.is_empty() && person.hand_at.is_none());
    let work: WallWorkView = serde_json::from_value(json!({
        "attempt": "a",
        "lab": "shell",
        "title": "Shell",
        "step": 0,
        "steps": 2,
        "done": 0,
        "score": 0,
        "most": 9,
    }))
    .unwrap();
    assert!(work.course.is_none() && work.done_at.is_none());
}

#[test]
fn a_request_that_says_more_than_is_understood_is_refused() {
    let says_more = |mut body: Value| {
        body["everybody"] = json!(true);
        body
    };
    let refused = [
        serde_json::from_value::<WallChangeRequest>(says_more(json!({"change": "save"}))).is_err(),
        serde_json::from_value::<MessageRequest>(says_more(json!({"text": "Hello"}))).is_err(),
        serde_json::from_value::<MessagesReadRequest>(says_more(json!({"messages": ["m"]}))).is_err(),
        serde_json::from_value::<HandRequest>(says_more(json!({}))).is_err(),
    ];
    assert_eq!(refused, [true; 4]);
    for body in [
        json!({"change": 1}),
        json!({"change": "extend", "minutes": -1}),
        json!({"change": "extend", "minutes": 1.5}),
        json!({"change": "save", "workspaces": "k3f5a2bq7x"}),
        json!({"minutes": 30}),
    ] {
        assert!(serde_json::from_value::<WallChangeRequest>(body.clone()).is_err(), "{body}");
    }
}

#[test]
fn a_client_of_the_socket_shows_terminals_and_says_nothing_else() {
    for text in [
        r#"{"type":"hide","terminals":[]}"#,
        r#"{"type":"show"}"#,
        r#"{"type":"show","terminals":"t"}"#,
        r#"{"type":"show","terminals":[1]}"#,
        r#"{"terminals":["t"]}"#,
        r#"["show"]"#,
        "",
    ] {
        assert!(serde_json::from_str::<WallAsked>(text).is_err(), "{text}");
    }
    let none: WallAsked = serde_json::from_str(r#"{"type":"show","terminals":[]}"#).unwrap();
    assert_eq!(none, WallAsked::Show { terminals: Vec::new() });
    let people = WallSaid::People { order: vec!["k3f5a2bq7x".to_owned()], people: WallView::example().people };
    let written = goes_round(&people);
    assert_eq!((&written["type"], &written["people"][0]["work"]["steps"]), (&json!("people"), &json!(5)));
}

#[test]
fn bounds_are_where_they_are_said_to_be() {
    let minutes = |minutes| WallChangeRequest { change: "extend".to_owned(), minutes, ..WallChangeRequest::default() };
    assert_eq!(minutes(Some(1)).kind().unwrap(), WallChangeKind::Extend(1));
    assert_eq!(minutes(Some(10_080)).kind().unwrap(), WallChangeKind::Extend(10_080));
    for wrong in [None, Some(0), Some(10_081), Some(u32::MAX)] {
        assert_eq!(minutes(wrong).kind().unwrap_err().field, "minutes", "{wrong:?}");
    }
    let named = |count: usize| {
        let ids = vec!["k3f5a2bq7x".to_owned(); count];
        let names = WallNames { workspaces: Some(&ids), ..WallNames::default() };
        names.named().is_ok()
    };
    assert_eq!([0, 1, 500, 501].map(named), [false, true, true, false]);
    let text = |text: String| MessageRequest { text, ..MessageRequest::default() };
    assert!(text("ä".repeat(2_000)).text().is_ok() && text("ä".repeat(2_001)).text().is_err());
    for wrong in ["\t", "a\tb", "a\u{7f}b", "a\rb"] {
        assert_eq!(text(wrong.to_owned()).text().unwrap_err().field, "text", "{wrong:?}");
    }
    let question = HandRequest { question: Some("two\nlines".to_owned()) };
    assert_eq!(question.question().unwrap(), Some("two\nlines"));
}
