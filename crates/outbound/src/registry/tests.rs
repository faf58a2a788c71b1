use super::*;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const PLACE: &str = "school/pool/pierhead/save";

/// A request as it came: its first line, and who it says that asks.
type Asked = (String, Option<String>);

/// A registry that gives one answer to each request, in this order.
struct Fake {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<(Asked, String)>>>,
    serving: JoinHandle<()>,
}

impl Fake {
    async fn with(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let answers: Vec<String> =
            answers.iter().map(|answer| answer.replace("HERE", &format!("http://{address}"))).collect();
        let serving = tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let field = |name: &str| {
                    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
                    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
                };
                let first = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
                seen.lock().unwrap().push(((first, field("authorization")), field("accept").unwrap_or_default()));
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { address, asked, serving }
    }

    fn registry(&self, account: bool) -> Registry {
        let account = account.then(|| ("pool".to_owned(), "secret".to_owned()));
        Registry::new(&self.address.to_string(), false, account).unwrap()
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().map(|(asked, _)| asked.clone()).collect()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn answer(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn line(method: &str, what: &str) -> String {
    format!("{method} /v2/{PLACE}/manifests/{what}")
}

#[tokio::test]
async fn a_name_has_a_digest_or_there_is_no_such_image() {
    let there = answer(&format!("200 OK\r\nDocker-Content-Digest: {DIGEST}"), "");
    let (missing, odd) = (answer("404 Not Found", ""), answer("200 OK\r\nDocker-Content-Digest: ../x", ""));
    let fake = Fake::with(&[&there, &missing, &odd]).await;
    let registry = fake.registry(false);
    assert_eq!(registry.digest(PLACE, "one").await, Ok(Some(DIGEST.to_owned())));
    assert_eq!(registry.digest(PLACE, "two").await, Ok(None));
    assert!(matches!(registry.digest(PLACE, "three").await, Err(RegistryError::Keeps(_))));
    assert_eq!(fake.asked()[0], (line("HEAD", "one"), None));
    let accepts = fake.asked.lock().unwrap()[0].1.clone();
    for kind in ["docker.distribution.manifest.v2+json", "oci.image.manifest.v1+json"] {
        assert!(accepts.contains(kind), "{accepts}");
    }
}

#[tokio::test]
async fn a_password_is_shown_only_to_a_registry_that_asks_for_it() {
    let asks = answer("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"test\"", "");
    let fake = Fake::with(&[&asks, &answer("202 Accepted", "")]).await;
    assert_eq!(fake.registry(true).delete(PLACE, DIGEST).await, Ok(()));
    let basic = format!("Basic {}", STANDARD.encode("pool:secret"));
    assert_eq!(fake.asked(), [(line("DELETE", DIGEST), None), (line("DELETE", DIGEST), Some(basic))]);
}

#[tokio::test]
async fn a_ticket_comes_from_the_server_that_the_registry_names() {
    let asks = answer(
        "401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"HERE/token\",service=\"r\",scope=\"repository:a:delete\"",
        "",
    );
    let gives = answer("200 OK", "{\"token\": \"of-the-day\"}");
    let fake = Fake::with(&[&asks, &gives, &answer("202 Accepted", "")]).await;
    assert_eq!(fake.registry(true).delete(PLACE, DIGEST).await, Ok(()));
    let asked = fake.asked();
    assert_eq!(asked[1].0, "GET /token?service=r&scope=repository%3Aa%3Adelete");
    assert!(asked[1].1.as_ref().is_some_and(|shown| shown.starts_with("Basic ")), "{asked:?}");
    assert_eq!(asked[2], (line("DELETE", DIGEST), Some("Bearer of-the-day".to_owned())));
}

#[tokio::test]
async fn a_log_in_that_gives_nothing_or_denies_is_no_ticket() {
    let asks = answer("401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"HERE/token\"", "");
    let empty = answer("200 OK", "{\"token\": \"a\\nb\"}");
    let fake = Fake::with(&[&asks, &empty, &asks, &answer("401 Unauthorized", "")]).await;
    assert!(matches!(fake.registry(true).delete(PLACE, DIGEST).await, Err(RegistryError::Away(_))));
    let denied = fake.registry(true).delete(PLACE, DIGEST).await.unwrap_err();
    assert!(matches!(&denied, RegistryError::Denied(why) if why.ends_with("denies it to pool")), "{denied:?}");
}

#[tokio::test]
async fn what_a_refusal_means_is_told_apart_and_never_with_the_password() {
    let basic = "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"test\"";
    let unsupported = answer("400 Bad Request", "{\"errors\": [{\"code\": \"UNSUPPORTED\"}]}");
    let host = |fake: &Fake| fake.address.to_string();
    for (answers, account, expected) in [
        (
            vec![answer("405 Method Not Allowed", "")],
            false,
            RegistryError::Keeps("the registry X deletes nothing".into()),
        ),
        (vec![unsupported], false, RegistryError::Keeps("the registry X deletes nothing".into())),
        (vec![answer(basic, "")], false, RegistryError::Denied("the registry X denies it without an account".into())),
        (
            vec![answer(basic, ""), answer(basic, "")],
            true,
            RegistryError::Denied("the registry X denies it to pool".into()),
        ),
        (vec![answer("403 Forbidden", "")], true, RegistryError::Denied("the registry X denies it to pool".into())),
        (
            vec![answer("503 Service Unavailable", "")],
            true,
            RegistryError::Away("the registry X answers with status 503".into()),
        ),
    ] {
        let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
        let fake = Fake::with(&answers).await;
        let refused = fake.registry(account).delete(PLACE, DIGEST).await.unwrap_err();
        assert_eq!(format!("{refused:?}").replace(&host(&fake), "X"), format!("{expected:?}"));
        assert!(!format!("{refused} {refused:?}").contains("secret"));
        assert_eq!(fake.asked().len(), answers.len());
    }
}

#[tokio::test]
async fn what_is_not_there_is_gone_and_a_registry_that_is_not_there_is_away() {
    let fake = Fake::with(&[&answer("404 Not Found", "{\"errors\": [{\"code\": \"MANIFEST_UNKNOWN\"}]}")]).await;
    let registry = fake.registry(false);
    assert_eq!(registry.delete(PLACE, DIGEST).await, Ok(()));
    drop(fake);
    assert!(matches!(registry.digest(PLACE, "one").await, Err(RegistryError::Away(_))));
}

#[tokio::test]
async fn nothing_but_a_digest_becomes_part_of_an_address() {
    let fake = Fake::with(&[]).await;
    for bad in ["latest", "sha256:", "sha256:../../x", "sha256:0123", ":0123456789abcdef0123456789abcdef"] {
        let refused = fake.registry(false).delete(PLACE, bad).await;
        assert!(matches!(refused, Err(RegistryError::Keeps(_))), "{bad}: {refused:?}");
    }
    assert!(fake.asked().is_empty());
}
