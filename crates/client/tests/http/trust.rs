//! Whose certificate is believed, and that nothing is said to anybody else.

use crate::secured::{Secured, Signer};
use pierhead_client::{Addresses, Authority, Client, ClientError};

const TOKEN: &str = "canary-of-a-token";

async fn ask(controller: &Secured, authority: Option<&Authority>) -> Result<(), ClientError> {
    let addresses = Addresses::parse(&controller.url).unwrap();
    let verified = addresses.verify(authority).await;
    let client = Client::trusting(addresses, Some(TOKEN.to_owned()), authority).unwrap();
    let asked = client.apps().await.map(drop);
    assert_eq!(verified.is_ok(), asked.is_ok(), "{verified:?} {asked:?}");
    asked
}

fn reason(outcome: Result<(), ClientError>) -> (String, bool) {
    match outcome {
        Err(ClientError::Untrusted { why, is_unknown, .. }) => (why, is_unknown),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn only_a_good_certificate_of_the_right_authority_is_believed() {
    let (ours, foreign) = (Signer::new("ours"), Signer::new("ours"));
    let good = ours.controller("127.0.0.1").await;
    ask(&good, Some(&ours.authority)).await.unwrap();
    assert!(good.told().contains(TOKEN));
    for (controller, authority, why, is_unknown) in [
        (ours.controller("127.0.0.1").await, Some(&foreign.authority), "authority that is not trusted", true),
        (ours.controller("127.0.0.1").await, None, "authority that is not trusted", true),
        (foreign.controller("127.0.0.1").await, Some(&ours.authority), "authority that is not trusted", true),
        (ours.controller("127.0.0.2").await, Some(&ours.authority), "not for this name", false),
        (ours.controller("localhost").await, Some(&ours.authority), "not for this name", false),
        (ours.controller_of(2019).await, Some(&ours.authority), "expired", false),
        (ours.controller_of(2190).await, Some(&ours.authority), "not valid yet", false),
    ] {
        let (found, found_unknown) = reason(ask(&controller, authority).await);
        assert!(found.contains(why) && found_unknown == is_unknown, "{found}: {why}");
        assert_eq!(controller.told(), "", "{why}: nothing is said to a stranger");
    }
}

#[tokio::test]
async fn what_a_stranger_shows_is_seen_without_a_word_to_it() {
    let signer = Signer::new("ours");
    let controller = signer.controller_of(2019).await;
    let shown = Addresses::parse(&controller.url).unwrap().shown().await.unwrap();
    assert_eq!((shown.len(), shown.last()), (2, Some(&signer.authority)));
    assert_eq!(shown[1].fingerprint(), signer.authority.fingerprint());
    assert_ne!(shown[0].fingerprint(), shown[1].fingerprint());
    assert_eq!(controller.told(), "");
    assert_eq!(Authority::from_pem(&shown[1].pem()).unwrap(), signer.authority, "it survives its own PEM");
    let plain = Addresses::parse("http://127.0.0.1:1").unwrap();
    assert_eq!(plain.shown().await.unwrap(), [], "there is nothing to see, and nobody is asked");
    plain.verify(None).await.unwrap();
}

#[tokio::test]
async fn a_list_goes_on_after_one_that_is_away() {
    let signer = Signer::new("ours");
    let controller = signer.controller("127.0.0.1").await;
    // No other test begins to listen there.
    let nobody = "https://127.0.0.1:1";
    let both = Addresses::parse(&format!("{nobody},{}", controller.url)).unwrap();
    both.verify(Some(&signer.authority)).await.unwrap();
    Client::trusting(both, None, Some(&signer.authority)).unwrap().apps().await.unwrap();
    let alone = Addresses::parse(nobody).unwrap().verify(None).await.unwrap_err().to_string();
    assert!(alone.contains(nobody) && alone.contains("refused"), "{alone}");
    let plain = Addresses::parse(&controller.url.replace("https", "http")).unwrap();
    let told = Client::new(plain, None).unwrap().apps().await.unwrap_err().to_string();
    assert!(told.contains("begins with https://"), "one that speaks TLS does not speak without: {told}");
}

#[tokio::test]
async fn who_asks_for_tls_where_there_is_none_is_told_of_the_address() {
    let server = crate::scripted::Scripted::start().await;
    let secure = Addresses::parse(&server.url.replace("http", "https")).unwrap();
    for told in [
        secure.verify(None).await.unwrap_err(),
        secure.shown().await.map(drop).unwrap_err(),
        Client::new(secure.clone(), None).unwrap().apps().await.map(drop).unwrap_err(),
    ] {
        assert!(told.to_string().contains("begins with http://"), "{told}");
    }
}

#[tokio::test]
async fn any_of_several_authorities_counts() {
    let (one, two, third) = (Signer::new("one"), Signer::new("two"), Signer::new("three"));
    let both = Authority::from_pem(&format!("{}{}", one.authority.pem(), two.authority.pem())).unwrap();
    for signer in [&one, &two] {
        ask(&signer.controller("127.0.0.1").await, Some(&both)).await.unwrap();
    }
    assert!(reason(ask(&third.controller("127.0.0.1").await, Some(&both)).await).1);
}

#[tokio::test]
async fn the_pools_authority_and_tickets_are_asked_for() {
    let (server, signer) = (crate::scripted::Scripted::start().await, Signer::new("ours"));
    let client = Client::new(Addresses::parse(&server.url).unwrap(), Some(TOKEN.to_owned())).unwrap();
    let session = r#"{"username":"ann","role":"user","permissions":["read-engines"]}"#;
    server.json("GET /api/ca", signer.authority.pem()).json("GET /auth/session", session);
    server.json("POST /api/tickets", r#"{"ticket":"t","expires":"2027-01-01T00:00:00.000Z"}"#);
    assert_eq!(client.authority().await.unwrap(), signer.authority);
    assert_eq!(client.who_am_i().await.unwrap().permissions, ["read-engines"]);
    assert_eq!(client.ticket("/api/events/stream").await.unwrap().ticket, "t");
    let asked = server.asked().pop().unwrap();
    assert_eq!(asked.body, r#"{"resource":"/api/events/stream"}"#);
    let other = crate::scripted::Scripted::start().await;
    other.json("GET /api/ca", "hello");
    let stranger = Client::new(Addresses::parse(&other.url).unwrap(), None).unwrap();
    assert!(matches!(stranger.authority().await, Err(ClientError::ParseAuthority)));
}
