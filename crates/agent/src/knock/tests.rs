use super::*;
use tokio::net::{TcpListener, TcpSocket};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// A port at which nobody answers, as long as the first is kept: no more connections fit into its queue.
async fn silent() -> (Vec<TcpStream>, TcpListener, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((HERE, 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let at = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(waits) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(at)).await {
        queue.push(waits.unwrap());
    }
    (queue, listener, at.port())
}

#[tokio::test]
async fn a_connection_that_is_taken_or_refused_proves_a_kernel() {
    let listener = TcpListener::bind((HERE, 0)).await.unwrap();
    let open = listener.local_addr().unwrap().port();
    assert_eq!(knock_at(&[HERE], &[open], Duration::from_secs(5)).await, Some(true));
    let (mut taken, _) = listener.accept().await.unwrap();
    let mut sent = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut taken, &mut sent).await.unwrap();
    assert_eq!(sent, b"", "nothing is sent");
    drop(listener);
    assert_eq!(knock_at(&[HERE], &[open], Duration::from_secs(5)).await, Some(true), "refused is an answer");
    let (_queue, _listener, silent) = silent().await;
    assert_eq!(knock_at(&[HERE], &[silent, open], Duration::from_secs(5)).await, Some(true), "any of them");
}

#[tokio::test]
async fn silence_proves_nothing_and_ends_in_time() {
    let (_queue, _listener, silent) = silent().await;
    let began = Instant::now();
    let answer = knock_at(&[HERE], &[silent], PATIENCE).await;
    assert!(began.elapsed() >= PATIENCE && began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    // On a machine that is very busy it is not even known that nobody answered.
    assert!(answer == Some(false) || (answer.is_none() && began.elapsed() >= PATIENCE + LATE), "{answer:?}");
    assert_eq!(knock(&[]).await, None);
}

#[tokio::test]
async fn whoever_slept_through_it_does_not_call_it_silence() {
    let (_queue, _listener, silent) = silent().await;
    let asked = tokio::spawn(async move { knock_at(&[HERE], &[silent], Duration::from_millis(30)).await });
    tokio::task::yield_now().await;
    // The only thread of this runtime: nothing of the agent goes on.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(asked.await.unwrap(), None);
}

#[tokio::test]
async fn only_addresses_of_other_hosts_are_knocked_at() {
    let knocker = Knocker::default();
    for (json, code) in [
        (r#"{"addresses":[]}"#, "malformed"),
        (r#"{"addresses":["a.example"]}"#, "malformed"),
        (r#"{"addresses":["10.0.0.1"],"ports":[1]}"#, "malformed"),
        (r#"{"addresses":["10.0.0.1","10.0.0.2","10.0.0.3","10.0.0.4","10.0.0.5"]}"#, "malformed"),
        (r#"{"addresses":["127.0.0.1"]}"#, "not_allowed"),
        (r#"{"addresses":["10.0.0.1","0.0.0.0"]}"#, "not_allowed"),
        (r#"{"addresses":["169.254.169.254"]}"#, "not_allowed"),
        (r#"{"addresses":["224.0.0.1"]}"#, "not_allowed"),
        (r#"{"addresses":["::1"]}"#, "not_allowed"),
        (r#"{"addresses":["::ffff:127.0.0.1"]}"#, "not_allowed"),
        (r#"{"addresses":["fe80::1"]}"#, "not_allowed"),
        ("", "malformed"),
    ] {
        assert_eq!(knocker.answer(json.as_bytes()).await.unwrap_err().code, code, "{json}");
    }
}

#[test]
fn few_questions_are_answered_a_second() {
    let (knocker, now) = (Knocker::default(), Instant::now());
    let answered = |at: Instant| (0..100).filter(|_| knocker.may_answer(at)).count();
    assert_eq!(answered(now), 20);
    assert_eq!(answered(now + Duration::from_millis(900)), 0);
    assert_eq!(answered(now + Duration::from_secs(1)), 20);
}
