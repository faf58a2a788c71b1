//! Input that nobody should send: a clear refusal each time, and nothing changed.

use crate::raw::{Sender, sample, snapshot};
use pierhead_testkit::{Cluster, ClusterOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A request, and the status, code and field of its refusal; an empty field is not looked at.
type Case = (&'static str, String, Vec<u8>, u16, &'static str, &'static str);

fn body(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn run(text: &str, status: u16, code: &'static str, field: &'static str) -> Case {
    ("POST", "/api/containers".to_owned(), body(text), status, code, field)
}

fn run_with(query: &str, field: &'static str) -> Case {
    ("POST", format!("/api/containers?{query}"), body(&sample()), 400, "invalid", field)
}

fn image_with(field: &'static str, value: &str) -> Case {
    let outer = field.split(['[', '.']).next().unwrap();
    let text = format!(r#"{{"name":"pierhead/sample:1","{outer}":{value}}}"#);
    ("POST", "/api/containers".to_owned(), text.into_bytes(), 400, "invalid", field)
}

fn malformed() -> Vec<Case> {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let texts = [
        "",
        "{",
        "nonsense",
        "{}{}",
        "\u{0}",
        "{\"name\":\"a\"",
        "{'name':'a'}",
        "{\"cpus\":1e999}",
        &deep[..20_000 - 1],
    ];
    let mut cases: Vec<Case> = texts.into_iter().map(|text| run(text, 400, "malformed", "")).collect();
    for bytes in [b"{\"name\":\"\xff\xfe\"}".to_vec(), vec![0xff; 10]] {
        cases.push(("POST", "/api/containers".to_owned(), bytes, 400, "malformed", ""));
    }
    cases.push(run(&deep, 400, "invalid", "body"));
    cases.push(run(r#"["pierhead/sample:1"]"#, 400, "invalid", "body"));
    for (method, path) in [
        ("PUT", "/api/apps/web"),
        ("POST", "/api/engines"),
        ("POST", "/api/explain"),
        ("POST", "/api/account"),
        ("DELETE", "/api/account"),
        ("POST", "/auth/login"),
        ("POST", "/account/passwdchange"),
    ] {
        cases.push((method, path.to_owned(), body("{"), 400, "malformed", ""));
        cases.push((method, path.to_owned(), body(r#"{"wat":1}"#), 400, "invalid", "wat"));
        cases.push((method, path.to_owned(), body("[1,2]"), 400, "invalid", "body"));
    }
    cases
}

fn descriptions() -> Vec<Case> {
    let long = "x".repeat(10_000);
    let many = format!("[{}]", vec!["\"a\""; 300].join(","));
    let huge_text = format!("[\"{}\"]", "y".repeat(40_000));
    vec![
        run(r#"{"cpus":1}"#, 400, "invalid", "name"),
        run(&format!(r#"{{"name":"{long}"}}"#), 400, "invalid", "name"),
        run(r#"{"name":"UPPER CASE"}"#, 400, "invalid", "name"),
        run(r#"{"name":"a\u0007b"}"#, 400, "invalid", "name"),
        run(r#"{"name":"$(reboot)"}"#, 400, "invalid", "name"),
        run(r#"{"name":7}"#, 400, "invalid", "name"),
        image_with("privileged", "true"),
        image_with("cap_add", r#"["SYS_ADMIN"]"#),
        image_with("cpus", "-1"),
        image_with("cpus", "1e300"),
        image_with("cpus", "0.0001"),
        image_with("cpus", "\"many\""),
        image_with("memory", "-64"),
        image_with("memory", "5"),
        image_with("memory", "1e18"),
        image_with("memory", "[64]"),
        image_with("cpuset", "\"3-1\""),
        image_with("cpuset", "\"0;id\""),
        image_with("entrypoint", "\"sh\""),
        image_with("args", &many),
        image_with("args[0]", &huge_text),
        image_with("args[0]", r#"["a\u0000b"]"#),
        image_with("environment", r#"{"1A":"x"}"#),
        image_with("environment", r#"{"A B":"x"}"#),
        image_with("environment.A", r#"{"A":"x\u0000"}"#),
        image_with("hostname", "\"-bad-\""),
        image_with("hostname", &format!("\"{long}\"")),
        image_with("domainname", "\"a b\""),
        image_with("type", "\"sometimes\""),
        image_with("network_mode", "\"container:abc\""),
        image_with("restart_policy.name", r#"{"name":"perhaps"}"#),
        image_with("restart_policy.maximum_retry_count", r#"{"name":"on-failure","maximum_retry_count":-1}"#),
        image_with("bind_ports[0].container_port", r#"[{"port":80}]"#),
        image_with("bind_ports[0].container_port", r#"[{"container_port":0}]"#),
        image_with("bind_ports[0].port", r#"[{"port":70000,"container_port":80}]"#),
        image_with("bind_ports[0].port", r#"[{"port":-1,"container_port":80}]"#),
        image_with("bind_ports[0].port", r#"[{"port":true,"container_port":80}]"#),
        image_with("bind_ports[0].proto", r#"[{"proto":"icmp","container_port":80}]"#),
        image_with("bind_ports[0].host_ip", r#"[{"host_ip":"300.1.1.1","container_port":80}]"#),
        image_with("volumes[0]", r#"["rel/ative:/x"]"#),
        image_with("volumes[0]", r#"["/a/../etc:/x"]"#),
        image_with("labels[0]", r#"["a b c"]"#),
    ]
}

fn queries() -> Vec<Case> {
    let long = "n".repeat(10_000);
    vec![
        run_with("count=0", "count"),
        run_with("count=", "count"),
        run_with("count=-1", "count"),
        run_with("count=2001", "count"),
        run_with("count=99999999999999999999", "count"),
        run_with("count=1.5", "count"),
        run_with("count=one", "count"),
        run_with("count=1&count=2", ""),
        run_with("pull=perhaps", "pull"),
        run_with("wait=-1", "wait"),
        run_with("wait=86401", "wait"),
        run_with("timeout=0", "timeout"),
        run_with("timeout=x", "timeout"),
        run_with("app=Has%20Space", "app"),
        run_with("app=-x", "app"),
        run_with("app=", "app"),
        run_with("app=a%00b", "app"),
        run_with("app=%1b%5b31m", "app"),
        run_with("app=..%2f..%2fetc", "app"),
        run_with(&format!("app={long}"), "app"),
        run_with("wat=1", "wat"),
        run_with("%ff=1", ""),
        ("GET", "/api/containers?all=perhaps".to_owned(), vec![], 400, "invalid", "all"),
        ("GET", "/api/containers?limit=0".to_owned(), vec![], 400, "invalid", "limit"),
        ("GET", "/api/events?count=many".to_owned(), vec![], 400, "invalid", "count"),
        ("GET", "/api/events?count=-5".to_owned(), vec![], 400, "invalid", "count"),
        ("POST", "/api/apps/web/scale".to_owned(), vec![], 400, "invalid", "count"),
        ("POST", "/api/apps/web/scale?count=2001".to_owned(), vec![], 400, "invalid", "count"),
        ("POST", "/api/apps/web/scale?count=1&wait=soon".to_owned(), vec![], 400, "invalid", "wait"),
        ("DELETE", "/api/apps/web?count=1".to_owned(), vec![], 400, "invalid", "count"),
    ]
}

fn unknown_things() -> Vec<Case> {
    let long = "a".repeat(10_000);
    let mut cases: Vec<Case> = vec![
        (
            "PUT",
            "/api/apps/Bad%20Name".to_owned(),
            format!(r#"{{"image":{}}}"#, sample()).into_bytes(),
            400,
            "invalid",
            "name",
        ),
        ("PUT", "/api/apps/web".to_owned(), body(r#"{"image":{"name":"a","cpus":-1}}"#), 400, "invalid", "image.cpus"),
        ("PUT", "/api/apps/web".to_owned(), body(r#"{"image":{"name":"a","wat":1}}"#), 400, "invalid", "image.wat"),
        (
            "PUT",
            "/api/apps/web".to_owned(),
            body(r#"{"image":{"name":"a"},"replicas":2001}"#),
            400,
            "invalid",
            "replicas",
        ),
        (
            "PUT",
            "/api/apps/web".to_owned(),
            body(r#"{"image":{"name":"a"},"replicas":-1}"#),
            400,
            "invalid",
            "replicas",
        ),
        ("POST", "/api/explain".to_owned(), body(r#"{"image":{"name":"a"},"count":0}"#), 400, "invalid", "count"),
        ("POST", "/api/explain".to_owned(), body(r#"{"image":{"name":"a","cpus":-1}}"#), 400, "invalid", "image.cpus"),
    ];
    for id in ["00000000beef", "not-an-id", "%ff", "%00", "%1b[31m", "..%2f..", "%F0%9F%92%A9", &long] {
        let status = if id == "%ff" { 400 } else { 404 };
        let code = if id == "%ff" { "invalid" } else { "not_found" };
        for (method, path) in [
            ("GET", format!("/api/containers/{id}")),
            ("DELETE", format!("/api/containers/{id}")),
            ("POST", format!("/api/containers/{id}/stop")),
            ("GET", format!("/api/containers/{id}/start")),
            ("POST", format!("/api/containers/{id}/scale?count=2")),
            ("GET", format!("/api/containers/{id}/logs")),
            ("GET", format!("/api/containers/{id}/explain")),
            ("GET", format!("/api/apps/{id}")),
            ("DELETE", format!("/api/apps/{id}")),
            ("POST", format!("/api/apps/{id}/scale?count=2")),
            ("GET", format!("/api/apps/{id}/explain")),
            ("GET", format!("/api/engines/{id}")),
            ("DELETE", format!("/api/engines/{id}")),
            ("GET", format!("/api/operations/{id}")),
            ("POST", format!("/api/operations/{id}/cancel")),
            ("DELETE", format!("/api/account/{id}")),
        ] {
            cases.push((method, path, vec![], status, code, ""));
        }
    }
    cases
}

fn engines_and_accounts() -> Vec<Case> {
    let engine = |text: &str, field| ("POST", "/api/engines".to_owned(), body(text), 400, "invalid", field);
    let account = |text: &str, field| ("POST", "/api/account".to_owned(), body(text), 400, "invalid", field);
    let long = "x".repeat(300);
    vec![
        engine("{}", "addr"),
        engine(r#"{"addr":"ftp://x"}"#, "addr"),
        engine(r#"{"addr":"https://10.0.0.9:2376"}"#, "addr"),
        engine(r#"{"addr":"http://169.254.169.254:99999"}"#, "addr"),
        engine(r#"{"addr":"http://10.0.0.9:2375","id":"bad id"}"#, "id"),
        engine(r#"{"addr":"http://10.0.0.9:2375","labels":["a b"]}"#, ""),
        engine(r#"{"addr":"http://10.0.0.9:2375","capacity_cpus":-1}"#, "capacity_cpus"),
        engine(r#"{"addr":"http://10.0.0.9:2375","over_commit_memory":0}"#, "over_commit_memory"),
        engine(r#"{"addr":"http://10.0.0.9:2375","auth":{"username":"","password":"x"}}"#, "auth"),
        account("{}", "username"),
        account(r#"{"username":"eve"}"#, "password"),
        account(r#"{"username":"eve","password":"short"}"#, "password"),
        account(r#"{"username":"Eve Adams","password":"long enough"}"#, "username"),
        account(r#"{"username":"eve\u001b[31m","password":"long enough"}"#, "username"),
        account(&format!(r#"{{"username":"{long}","password":"long enough"}}"#), "username"),
        account(&format!(r#"{{"username":"eve","password":"{long}"}}"#), "password"),
        account(r#"{"username":"eve","password":"long enough","role":{"name":"emperor"}}"#, "role.name"),
        account(r#"{"username":"eve","password":"long enough","id":"a/b"}"#, "id"),
        (
            "POST",
            "/account/passwdchange".to_owned(),
            body(r#"{"username":"admin","password":"x"}"#),
            400,
            "invalid",
            "password",
        ),
    ]
}

#[tokio::test]
async fn bad_input_is_refused_clearly_and_changes_nothing() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    cluster.run("web", 2, &pierhead_testkit::sample()).await;
    cluster.assert_invariants().await;
    let before = snapshot(&cluster).await;
    let admin = Sender::admin(&cluster);
    let mut wrong = Vec::new();
    for cases in [malformed(), descriptions(), queries(), unknown_things(), engines_and_accounts()] {
        for (method, path, body, status, code, field) in cases {
            let answer = admin.send(method, &path, body.clone()).await;
            let told: String = answer.text.chars().take(300).collect();
            let path: String = path.chars().take(100).collect();
            let sent: String = String::from_utf8_lossy(&body).chars().take(100).collect();
            let what = format!("{method} {path} {sent}: {} {told}", answer.status);
            match serde_json::from_str::<pierhead_wire::ErrorBody>(&answer.text) {
                Ok(error) if answer.status == status && error.code == code => {
                    if !field.is_empty() && error.field.as_deref() != Some(field) {
                        wrong.push(format!("field {field} expected: {what}"));
                    }
                    if error.message.len() > 2_000 {
                        wrong.push(format!("a message of {} bytes: {what}", error.message.len()));
                    }
                }
                _ => wrong.push(format!("{status} {code} expected: {what}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(snapshot(&cluster).await, before);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn an_ambiguous_prefix_is_told_apart() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    // Of 17 ids at least two begin with the same digit.
    let made = cluster.run("web", 15, &pierhead_testkit::described(pierhead_testkit::SAMPLE)).await;
    cluster.run("more", 1, &pierhead_testkit::sample()).await;
    let first = |id: &str| id[..1].to_owned();
    let shared = made
        .iter()
        .map(|one| first(&one.id))
        .find(|digit| made.iter().filter(|other| first(&other.id) == *digit).count() > 1);
    let admin = Sender::admin(&cluster);
    if let Some(digit) = shared {
        let answer = admin.post(&format!("/api/containers/{digit}/stop"), "").await;
        assert_eq!((answer.status, answer.refusal().code.as_str()), (400, "ambiguous"));
    }
    let whole = &made[0].id;
    let prefix = (1..=whole.len()).map(|length| &whole[..length]);
    let unique = prefix.into_iter().find(|prefix| made.iter().filter(|one| one.id.starts_with(*prefix)).count() == 1);
    assert_eq!(admin.get(&format!("/api/containers/{}", &whole[..12])).await.json()["id"], **whole);
    assert!(unique.is_some_and(|unique| unique.len() <= 12));
}

#[tokio::test]
async fn a_huge_body_is_refused() {
    let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let admin = Sender::admin(&cluster);
    let huge = format!("{{\"name\":\"{}\"}}", "x".repeat(2 << 20));
    for path in ["/api/containers", "/auth/login", "/api/engines"] {
        let answer = admin.post(path, &huge).await;
        assert_eq!((answer.status, answer.refusal().code.as_str()), (413, "too_large"), "{path}");
    }
    // Together no more than a body may be, but more than a record may be.
    let values: Vec<String> = (0..40).map(|number| format!("\"K{number}\":\"{}\"", "v".repeat(25_000))).collect();
    let fat = format!("{{\"name\":\"a\",\"environment\":{{{}}}}}", values.join(","));
    let answer = admin.post("/api/containers", &fat).await;
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    answer.refusal();
}

/// What comes back for bytes that are hardly HTTP.
async fn wire(cluster: &Cluster, bytes: &[u8]) -> String {
    let address = cluster.url().strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    // A connection that is cut is an answer, too.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn what_is_hardly_http_harms_nothing() {
    let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let token = cluster.admin_token().to_owned();
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(200_000));
    let header = format!("GET /api/engines HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \u{fffd}{token}\r\n\r\n");
    let cases: Vec<Vec<u8>> = vec![
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc".to_vec(),
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
        b"POST /api/containers HTTP/1.1\r\nhost: x\r\ncontent-length: 99999\r\n\r\n{".to_vec(),
        b"POST /auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"
            .to_vec(),
        long.into_bytes(),
        header.into_bytes(),
    ];
    for bytes in cases {
        let answer = wire(&cluster, &bytes).await;
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        assert!(refused, "{}: {}", String::from_utf8_lossy(&bytes[..40.min(bytes.len())]), &answer);
    }
    assert_eq!(Sender::nobody(&cluster).get("/healthz").await.status, 200);
}
