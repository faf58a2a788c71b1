//! Whatever a controller asks, what reaches the engine is on the list: the same as the properties of the list itself,
//! but through the whole tunnel, with headers and bodies, and read by the engine's end.

use crate::bed::{Bed, in_time, until};
use crate::oracle::{self, is_listed};
use hyper::Request;
use hyper::body::Bytes;
use pierhead_agent::TERM;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::time::Duration;

/// How many requests are made up.
const REQUESTS: usize = 1500;

type Made = ((String, String), Vec<(String, String)>, Vec<u8>);

fn requests() -> impl Strategy<Value = Made> {
    let name =
        "host|connection|upgrade|transfer-encoding|content-length|x-registry-auth|x-pierhead-talk|expect|x-[a-z]{1,5}";
    let headers = proptest::collection::vec((name, "[ -~]{0,12}|chunked|0|5|tcp"), 0..3);
    let smuggled = "0\r\n\r\nGET /containers/json HTTP/1.1\r\nhost: engine\r\n\r\n";
    let body = prop_oneof![
        3 => Just(Vec::new()),
        1 => Just(smuggled.as_bytes().to_vec()),
        1 => Just(br#"{"Image":"a","Cmd":["sh"],"HostConfig":{"Memory":1}}"#.to_vec()),
        1 => Just(br#"{"Detach":true}"#.to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..50),
    ];
    (oracle::asked(), headers, body)
}

fn made(((method, target), headers, body): Made) -> Option<Request<pierhead_agent::TunnelBody>> {
    let mut request = Request::builder().method(method.as_str()).uri(target).header(TERM, 1);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(crate::bed::body(Bytes::from(body))).ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_asked_only_the_list_reaches_the_engine() {
    let bed = Bed::up().await;
    let mut tunnel = bed.tunnel().await;
    let mut runner = TestRunner::deterministic();
    let mut passed = 0;
    for _ in 0..REQUESTS {
        let asked = requests().new_tree(&mut runner).unwrap().current();
        let Some(request) = made(asked.clone()) else { continue };
        let before = bed.fake.seen().len();
        let path = asked.0.1.split('?').next().unwrap_or_default();
        // A container that is waited for never ends here: then it is enough that the engine was asked.
        let arrives = async {
            match path.ends_with("/wait") {
                true => until("it arrives", || bed.fake.seen().len() > before).await,
                false => std::future::pending().await,
            }
        };
        let answered = tokio::select! {
            answered = tokio::time::timeout(Duration::from_secs(5), tunnel.send(request)) => answered.ok(),
            () = arrives => None,
        };
        let mut seen = bed.fake.seen().split_off(before);
        // Before a container runs the agent looks whose it is.
        if asked.0.0 == "POST" && ["/start", "/restart", "/unpause"].iter().any(|verb| path.ends_with(verb)) {
            seen.retain(|seen| (seen.method.as_str(), seen.target.ends_with("/json")) != ("GET", true));
        }
        assert!(seen.len() <= 1, "{asked:?} became {seen:?}");
        if let Some(seen) = seen.first() {
            passed += 1;
            assert!(is_listed(&seen.method, &seen.target), "{asked:?} became {seen:?}");
            let known = [
                "host",
                "content-length",
                "content-type",
                "transfer-encoding",
                "x-registry-auth",
                "upgrade",
                "connection",
            ];
            assert!(seen.headers.keys().all(|name| known.contains(&name.as_str())), "{asked:?} became {seen:?}");
            assert_eq!(seen.headers["host"], "engine");
        }
        if matches!(answered, Some(Err(_))) && in_time("is it there", tunnel.facts()).await.is_err() {
            tunnel = bed.tunnel().await;
        }
    }
    assert!(passed > REQUESTS / 10, "only {passed} of {REQUESTS} passed: nothing was tested");
}
