//! How terminals end: by somebody's wish, with their container, with their controller.

use super::{Bed, Seat, log};
use pierhead_client::SocketEnd;
use pierhead_terminal::ServerMessage;
use pierhead_testkit::{PATIENCE, eventually, eventually_ok};
use pierhead_wire::TerminalView;

async fn ended(bed: &Bed, id: &str) -> TerminalView {
    eventually_ok(PATIENCE, "it is marked as ended", async || {
        let shown = bed.cluster.admin().terminal(id).await.map_err(|error| error.to_string())?.into_value();
        if shown.state == "ended" { Ok(shown) } else { Err(shown.state) }
    })
    .await
}

#[tokio::test]
async fn somebody_ends_it() {
    let bed = Bed::set().await;
    let admin = bed.cluster.admin();
    let id = bed.shell().await.id;
    let mut seat = Seat::take(&admin, &id).await;
    assert_eq!(bed.cluster.host(0).processes(), 1);
    admin.end_terminal(&id).await.unwrap();
    assert_eq!(bed.cluster.host(0).processes(), 0, "nothing that it started runs on");
    seat.until("its exit", |seat| seat.has(|message| matches!(message, ServerMessage::Exit { .. }))).await;
    assert!(matches!(seat.end().await, SocketEnd::Closed(1000, _)));
    let shown = ended(&bed, &id).await;
    assert_eq!(shown.reason.as_deref(), Some("admin ended it"));
    assert!(log(&bed.cluster).await.contains("admin ended it"));
}

#[tokio::test]
async fn it_ends_with_its_container() {
    let bed = Bed::set().await;
    let id = bed.shell().await.id;
    let mut seat = Seat::take(&bed.cluster.admin(), &id).await;
    drop(
        bed.cluster
            .admin()
            .destroy(&bed.container, &pierhead_client::Change::new(pierhead_client::Wait::UntilEnded))
            .await
            .unwrap(),
    );
    seat.until("its exit", |seat| seat.has(|message| matches!(message, ServerMessage::Exit { .. }))).await;
    ended(&bed, &id).await;
}

#[tokio::test]
async fn a_crash_of_its_controller_is_told_honestly_and_leaves_nothing_running() {
    let mut bed = Bed::set().await;
    let (id, other) = (bed.shell().await.id, bed.shell().await.id);
    let _seat = Seat::take(&bed.cluster.admin(), &id).await;
    bed.cluster.crash().await;
    assert_eq!(bed.cluster.host(0).processes(), 2, "nobody has told them to end");
    bed.cluster.restart().await;
    for id in [&id, &other] {
        let shown = ended(&bed, id).await;
        let reason = shown.reason.unwrap();
        assert!(
            reason.contains("the controller that kept the terminal is gone") && shown.exit_code.is_none(),
            "{reason}"
        );
    }
    eventually(PATIENCE, "what they started is ended too", async || bed.cluster.host(0).processes() == 0).await;
    assert_eq!(bed.shell().await.state, "running");
    eventually(PATIENCE, "only a new one runs", async || bed.cluster.host(0).processes() == 1).await;
}

#[tokio::test]
async fn an_orderly_end_of_its_controller_ends_it() {
    let mut bed = Bed::set().await;
    let id = bed.shell().await.id;
    let mut seat = Seat::take(&bed.cluster.admin(), &id).await;
    bed.cluster.stop().await;
    assert_eq!(bed.cluster.host(0).processes(), 0);
    let _whichever_way = seat.end().await;
    assert!(seat.has(|message| matches!(message, ServerMessage::Exit { .. })), "{:?}", seat.messages);
    bed.cluster.restart().await;
    let reason = ended(&bed, &id).await.reason.unwrap();
    assert!(reason.contains("was stopped"), "{reason}");
}

#[tokio::test]
async fn a_host_that_can_not_be_reached_is_asked_to_end_things_later() {
    let mut bed = Bed::set().await;
    let id = bed.shell().await.id;
    bed.cluster.crash().await;
    bed.cluster.host(0).unreachable();
    bed.cluster.restart().await;
    ended(&bed, &id).await;
    assert_eq!(bed.cluster.host(0).processes(), 1);
    bed.cluster.host(0).reachable();
    eventually(PATIENCE, "what it started is ended", async || bed.cluster.host(0).processes() == 0).await;
}
