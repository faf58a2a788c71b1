//! The protocol as others speak it: what of their messages is taken, and what is not.
#![cfg(test)]

use bytes::{BufMut, Bytes};
use pierhead_model::Timestamp;
use pierhead_terminal::{
    Asked, ClientMessage, Frame, FrameDecoder, LONGEST_FRAME, ProtocolError, Role, SUBPROTOCOL, ServerMessage, SizeOf,
    ViewerView,
};

#[test]
fn an_attaching_client_may_say_more_or_less() {
    let attach = |text: &str| match ClientMessage::parse(text) {
        Ok(ClientMessage::Attach(asked)) => asked,
        other => panic!("{text}: {other:?}"),
    };
    let least = Asked { from: None, stderr_from: None, columns: 80, rows: 24, was: None, looks: false };
    assert_eq!(attach(r#"{"type":"attach","columns":80,"rows":24}"#), least, "nothing is as good as null");
    assert_eq!(attach(r#"{"rows":24,"columns":80,"type":"attach","later":[1]}"#), least, "of later versions");
    let again = Asked { from: Some(u64::MAX), stderr_from: Some(0), was: Some("v1".into()), ..least };
    let text = format!(r#"{{"type":"attach","from":{},"stderr_from":0,"columns":80,"rows":24,"was":"v1"}}"#, u64::MAX);
    assert_eq!(attach(&text), again);
    assert_eq!(ClientMessage::Attach(again).to_frame(), Frame::Text(text));
}

#[test]
fn what_is_no_message_is_refused_in_words() {
    for (text, told) in [
        ("", "EOF"),
        ("[]", "missing field `type`"),
        ("\"drive\"", "invalid"),
        ("{}", "missing field `type`"),
        (r#"{"type":"Drive"}"#, "unknown variant `Drive`"),
        (r#"{"type":"ack"}"#, "missing field `offset`"),
        (r#"{"type":"ack","offset":-1}"#, "integer `-1`"),
        (r#"{"type":"ack","offset":1.5}"#, "floating point"),
        (r#"{"type":"resize","columns":65536,"rows":1}"#, "integer `65536`"),
        (r#"{"type":"visible","is":"yes"}"#, "string \"yes\""),
        (r#"{"type":"hand_over","to":null}"#, "null"),
        (r#"{"type":"signal","name":9}"#, "integer `9`"),
        (r#"{"type":"drive"} {"type":"drive"}"#, "trailing characters"),
        (r#"{"type":"ping","id":1,"id":2}"#, "duplicate field `id`"),
    ] {
        let refused = ClientMessage::parse(text).unwrap_err();
        assert!(matches!(&refused, ProtocolError::Message(what) if what.contains(told)), "{text}: {refused}");
        assert!(refused.to_string().starts_with("not a message of the protocol: "), "{text}: {refused}");
        assert!(ServerMessage::parse(text).is_err(), "{text}");
    }
}

#[test]
fn every_message_of_the_server_comes_back_as_it_was() {
    let viewer = |role| ViewerView { id: "v1".into(), username: "olga".into(), role, since: Timestamp(u64::MAX) };
    let viewers = vec![viewer(Role::Driver), viewer(Role::Viewer)];
    for message in [
        ServerMessage::Presence { driver: Some("v1".into()), viewers },
        ServerMessage::Presence { driver: None, viewers: Vec::new() },
        ServerMessage::Snapshot { offset: u64::MAX, columns: 1, rows: 1, data: "\u{0}\u{1b}[0m\"\\猫\u{2028}".into() },
        ServerMessage::Size(SizeOf { columns: u16::MAX, rows: 0 }),
        ServerMessage::Exit { code: Some(-1), reason: String::new() },
        ServerMessage::Error { code: "bad_size".into(), message: "a line\nand another".into() },
        ServerMessage::Pong { id: u64::MAX },
    ] {
        let Frame::Text(text) = message.to_frame() else { panic!("{message:?} is no text") };
        assert!(!text.contains(['\n', '\u{1b}', '\u{0}']), "{text}");
        assert_eq!(ServerMessage::parse(&text).unwrap(), message, "{text}");
    }
    assert!(Role::Driver < Role::Viewer, "who drives is told first");
    assert_eq!(SUBPROTOCOL, "pierhead.terminal.v1", "the name is the promise");
}

#[test]
fn the_longest_frame_goes_through_and_one_byte_more_does_not() {
    let mut decoder = FrameDecoder::new();
    let longest = Frame::Text("x".repeat(LONGEST_FRAME));
    longest.encode(decoder.buffer()).unwrap();
    Frame::Binary(Bytes::new()).encode(decoder.buffer()).unwrap();
    let before = decoder.buffer().len();
    let refused = Frame::Text("x".repeat(LONGEST_FRAME + 1)).encode(decoder.buffer()).unwrap_err();
    assert_eq!(refused.to_string(), "a frame has 4194305 bytes; it may have 4194304");
    assert_eq!(decoder.buffer().len(), before, "nothing of it is sent");
    assert_eq!(decoder.next_frame().unwrap(), Some(longest));
    let empty = decoder.next_frame().unwrap().unwrap();
    assert!(empty.is_empty() && empty == Frame::Binary(Bytes::new()));
    assert_eq!(decoder.next_frame().unwrap(), None);
}

#[test]
fn a_bad_header_is_refused_before_anything_of_the_frame_has_come() {
    for (header, told) in [
        (b"\x09\0\0\0\x01", "a frame is of the kind 9; it must be 0 (binary) or 1 (text)"),
        (b"\0\0\x40\0\x01", "a frame has 4194305 bytes; it may have 4194304"),
    ] {
        let mut decoder = FrameDecoder::new();
        decoder.buffer().put_slice(&header[..4]);
        assert_eq!(decoder.next_frame().unwrap(), None, "a header has five bytes");
        decoder.buffer().put_slice(&header[4..]);
        assert_eq!(decoder.next_frame().unwrap_err().to_string(), told);
    }
    let mut decoder = FrameDecoder::new();
    decoder.buffer().put_slice(b"\0\0\0\0\x01\xff\x01\0\0\0\x02\xc3");
    assert_eq!(
        decoder.next_frame().unwrap(),
        Some(Frame::Binary(Bytes::from_static(b"\xff"))),
        "input may be anything"
    );
    assert_eq!(decoder.next_frame().unwrap(), None, "half a character is waited for");
    decoder.buffer().put_slice(b"\xa9");
    assert_eq!(decoder.next_frame().unwrap(), Some(Frame::Text("é".into())));
}

#[test]
fn output_may_be_empty_but_never_without_its_offset() {
    for (offset, bytes) in [(0, b"".as_slice()), (u64::MAX, b"end"), (1 << 32, b"\0\xff")] {
        let Frame::Binary(frame) = Frame::output(offset, bytes) else { panic!("not binary") };
        assert_eq!(frame.len(), 8 + bytes.len());
        assert_eq!(Frame::split_output(frame).unwrap(), (offset, Bytes::copy_from_slice(bytes)));
    }
    for length in 0..8 {
        let refused = Frame::split_output(Bytes::from(vec![0; length])).unwrap_err().to_string();
        assert_eq!(refused, format!("a binary frame has {length} bytes; it begins with an offset of 8"));
    }
}
