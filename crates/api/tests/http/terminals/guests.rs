//! Who may come to a terminal, and what they lose it by.

use super::{Bed, Seat};
use crate::raw::Sender;
use pierhead_client::{ClientError, SocketEnd};
use pierhead_terminal::{ClientMessage, Role, ServerMessage};
use pierhead_testkit::{PATIENCE, eventually};

fn status<T: std::fmt::Debug>(result: Result<T, ClientError>) -> u16 {
    match result.unwrap_err() {
        ClientError::Refused { status, .. } => status,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn guests_come_as_what_they_are() {
    let bed = Bed::set().await;
    let (admin, ann, bob) = (bed.cluster.admin(), bed.cluster.user("ann").await, bed.cluster.user("bob").await);
    let id = bed.shell().await.id;
    assert_eq!(status(ann.terminal(&id).await), 404, "as if it were not there");
    assert_eq!(status(ann.terminal_socket(&id).await), 404);
    assert!(ann.terminals(None).await.unwrap().is_empty());
    assert_eq!(status(ann.share_terminal(&id, "ann", "driver").await), 404);
    admin.share_terminal(&id, "ann", "viewer").await.unwrap();
    admin.share_terminal(&id, "bob", "driver").await.unwrap();
    assert_eq!(status(admin.share_terminal(&id, "nobody", "viewer").await), 404);
    assert_eq!(status(admin.share_terminal(&id, "ann", "owner").await), 400);
    assert_eq!(status(admin.share_terminal(&id, "admin", "viewer").await), 400, "the owner is no guest");
    let shown = ann.terminal(&id).await.unwrap().into_value();
    assert_eq!((shown.right.as_str(), shown.guests.len()), ("viewer", 2));
    for guest in [&ann, &bob] {
        assert_eq!(status(guest.end_terminal(&id).await), 403);
        assert_eq!(status(guest.share_terminal(&id, "ann", "driver").await), 403);
        assert_eq!(status(guest.unshare_terminal(&id, "ann").await), 403);
    }
    let mut owner = Seat::take(&admin, &id).await;
    let mut viewer = Seat::take(&ann, &id).await;
    let mut driver = Seat::take(&bob, &id).await;
    owner.shows("$").await;
    viewer.type_in("exit 66\r").await;
    viewer.until("a refusal", |seat| seat.errors() == ["not_driver"]).await;
    viewer.say(&ClientMessage::Drive).await;
    viewer.until("another", |seat| seat.errors().len() == 2).await;
    owner.say(&ClientMessage::Release).await;
    let drives = |seat: &Seat| {
        seat.messages.iter().rev().find_map(|message| match message {
            ServerMessage::Presence { driver: Some(driver), viewers } => {
                viewers.iter().find(|viewer| viewer.id == *driver).map(|viewer| viewer.username.clone())
            }
            _ => None,
        })
    };
    let nobody = |message: &ServerMessage| matches!(message, ServerMessage::Presence { driver: None, .. });
    driver.until("nobody drives", |seat| seat.has(nobody)).await;
    driver.say(&ClientMessage::Drive).await;
    viewer.until("bob drives", |seat| drives(seat).as_deref() == Some("bob")).await;
    driver.type_in("echo by-bob\r").await;
    for seat in [&mut owner, &mut viewer, &mut driver] {
        seat.shows("\r\nby-bob\r\n").await;
    }
    let shown = admin.terminal(&id).await.unwrap().into_value();
    let role =
        |name: &str| shown.viewers.iter().find(|viewer| viewer.username == name).map(|viewer| viewer.role.as_str());
    assert_eq!((role("bob"), role("ann"), role("admin")), (Some("driver"), Some("viewer"), Some("viewer")));
    assert!(!owner.screen.contains("66"), "{:?}", owner.screen);
}

#[tokio::test]
async fn a_right_that_is_lost_closes_the_socket() {
    let bed = Bed::set().await;
    let (admin, ann) = (bed.cluster.admin(), bed.cluster.user("ann").await);
    let id = bed.shell().await.id;
    let closed = |end: &SocketEnd, code: u16| matches!(end, SocketEnd::Closed(with, _) if *with == code);
    admin.share_terminal(&id, "ann", "driver").await.unwrap();
    let mut seat = Seat::take(&ann, &id).await;
    // Less than before: she is shown out, and may come again as what she is now.
    admin.share_terminal(&id, "ann", "viewer").await.unwrap();
    let end = seat.end().await;
    assert!(closed(&end, 4403) || closed(&end, 1000), "{end:?}");
    let mut seat = Seat::take(&ann, &id).await;
    assert!(seat.has(|message| matches!(message, ServerMessage::Hello { role: Role::Viewer, .. })));
    admin.unshare_terminal(&id, "ann").await.unwrap();
    let end = seat.end().await;
    assert!(closed(&end, 4403) || closed(&end, 1000), "{end:?}");
    assert_eq!(status(ann.terminal_socket(&id).await), 404);
    assert_eq!(status(admin.unshare_terminal(&id, "ann").await), 404);
    // With her token goes whatever it opened.
    admin.share_terminal(&id, "ann", "viewer").await.unwrap();
    let mut seat = Seat::take(&ann, &id).await;
    let sender = Sender::user(&bed.cluster, "ann").await;
    let tokens = sender.get("/api/tokens").await.json();
    let token = tokens[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(Sender::admin(&bed.cluster).send("DELETE", &format!("/api/tokens/{token}"), "").await.status, 204);
    let end = seat.end().await;
    assert!(closed(&end, 4401), "{end:?}");
    eventually(PATIENCE, "nobody is left", async || bed.cluster.controller().terminal_viewers() == 0).await;
    let log = super::log(&bed.cluster).await;
    assert!(
        log.contains("terminal-shared") && log.contains("with=ann, role=viewer") && log.contains("terminal-unshared")
    );
}
