//! Docker's events, line by line. Read with types of our own: an event of a kind that nobody knew must not end the
//! stream.

use crate::output::EngineEvent;
use crate::request::uncovered;
use pierhead_model::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The kinds of subjects that are asked for, as a filter in the form of a query.
const FILTERS: &str =
    "%7B%22type%22%3A%5B%22container%22%2C%22image%22%2C%22network%22%2C%22volume%22%2C%22daemon%22%5D%7D";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line {
    #[serde(rename = "Type")]
    kind: String,
    action: String,
    #[serde(default)]
    actor: Actor,
    #[serde(rename = "timeNano", default)]
    time_nano: u64,
}

#[derive(Deserialize, Default)]
struct Actor {
    #[serde(rename = "ID", default)]
    id: String,
    #[serde(rename = "Attributes", default)]
    attributes: Option<BTreeMap<String, String>>,
}

/// The query of a stream; with a moment in nanoseconds, one that begins with what the engine still has of the time since.
pub(super) fn query(since: Option<u64>) -> String {
    let since = since.map(|nanos| format!("&since={}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000));
    format!("filters={FILTERS}{}", since.unwrap_or_default())
}

/// An event; `None` for a line that is not one.
pub(super) fn parse(line: &[u8]) -> Option<EngineEvent> {
    let line: Line = serde_json::from_slice(line).ok()?;
    Some(EngineEvent {
        status: line.action,
        subject: line.kind,
        id: line.actor.id,
        attributes: uncovered(line.actor.attributes.unwrap_or_default()),
        time: Timestamp(line.time_nano / 1_000_000),
        nanos: line.time_nano,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_docker() {
        let line = br#"{"status":"start","id":"4f","from":"a:1","Type":"container","Action":"start","Actor":{"ID":"4f",
            "Attributes":{"image":"a:1","name":"web.0.1"}},"scope":"local","time":1795300263,"timeNano":1795300263123456789}"#;
        let event = parse(line).unwrap();
        assert_eq!((event.status.as_str(), event.subject.as_str(), event.id.as_str()), ("start", "container", "4f"));
        assert_eq!(event.attributes["name"], "web.0.1");
        assert_eq!((event.time, event.nanos), (Timestamp(1_795_300_263_123), 1_795_300_263_123_456_789));
    }

    #[test]
    fn kinds_that_nobody_knows_and_lines_that_are_none() {
        assert_eq!(parse(br#"{"Type":"teapot","Action":"boil"}"#).unwrap().subject, "teapot");
        assert_eq!(parse(br#"{"Type":"image","Action":"pull","Actor":{"ID":"a","Attributes":null}}"#).unwrap().id, "a");
        for bad in [&b"{}"[..], b"", b"null", b"{\"Type\":1,\"Action\":\"x\"}", b"\xff"] {
            assert_eq!(parse(bad), None);
        }
    }

    #[test]
    fn a_stream_begins_where_it_is_told_to() {
        assert!(query(Some(1_795_300_263_000_000_789)).ends_with("%7D&since=1795300263.000000789"));
        assert!(!query(None).contains("since"));
    }

    #[test]
    fn the_filter_is_json_in_a_query() {
        let text = FILTERS.replace("%7B", "{").replace("%7D", "}").replace("%22", "\"");
        let text = text.replace("%3A", ":").replace("%5B", "[").replace("%5D", "]").replace("%2C", ",");
        let filters: BTreeMap<String, Vec<String>> = serde_json::from_str(&text).unwrap();
        assert_eq!(filters["type"], ["container", "image", "network", "volume", "daemon"]);
    }
}
