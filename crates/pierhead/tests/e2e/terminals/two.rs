//! Two controllers: terminals live in one of them, in none of them, and people come through both.

use super::homes::Homes;
use super::outlive::{Busy, all_lines, begin_lines};
use super::seat::Seat;
use super::{a_megabyte_is_pasted, gone};
use crate::program::signal;
use crate::wait::PATIENCE;
use pierhead_client::Client;
use pierhead_terminal::{ClientMessage, ServerMessage, SizeOf};
use pierhead_wire::TerminalView;
use std::time::{Duration, Instant};

#[test]
fn people_at_two_controllers_meet_in_one_terminal() {
    let homes = Homes::up_with(&["--etcd", "1", "--controllers", "2"]);
    let other = &homes.bed.told["controllers"][1];
    let other = homes.client_at(other["url"].as_str().unwrap());
    for container in [&homes.behind_agent, &homes.bare] {
        homes.wait(async {
            they_meet(&homes, &other, container).await;
            a_megabyte_is_pasted(&homes, &other, container).await;
        });
    }
    one_of_them_is_killed(&homes, &other);
}

/// They see the same and each other, hand over, and the terminal ends for both.
async fn they_meet(homes: &Homes, other: &Client, container: &str) {
    let terminal = homes.open(container).await;
    let mut ada = Seat::take(&homes.client, &terminal.id).await;
    let mut eve = Seat::take(other, &terminal.id).await;
    ada.run("stty -echo; PS1=; echo re''ady", "ready\r\n").await;
    ada.say(&ClientMessage::Resize(SizeOf { columns: 100, rows: 30 })).await;
    for client in [&homes.client, other] {
        both_are_listed(client, &terminal, (100, 30)).await;
    }
    let last = "\r\n20000\r\n";
    ada.run("seq 1 20000", last).await;
    eve.until_seen(last).await;
    assert!(ada.seen == eve.seen, "they saw {} and {} bytes", ada.seen.len(), eve.seen.len());
    ada.say(&ClientMessage::HandOver { to: eve.you.clone() }).await;
    let drives = |seat: &Seat| {
        let is_it = |message: &ServerMessage| matches!(message, ServerMessage::Presence { driver: Some(driver), .. } if *driver == seat.you);
        seat.messages.iter().any(is_it)
    };
    eve.until("she drives", drives).await;
    // Her line breaks, and she comes back through the controller that was not hers.
    eve.come_back_at(&homes.client).await;
    eve.come_back_at(other).await;
    eve.run("echo her''s", "hers\r\n").await;
    ada.until_seen("hers\r\n").await;
    assert!(ada.seen == eve.seen, "{} and {}", ada.tail(), eve.tail());
    let mut recording = other.terminal_recording(&terminal.id).await.unwrap();
    let mut recorded = Vec::new();
    while let Some(piece) = recording.next().await.unwrap() {
        recorded.extend_from_slice(&piece);
    }
    assert!(String::from_utf8(recorded).unwrap().contains("hers"), "what was printed is recorded");
    other.end_terminal(&terminal.id).await.unwrap();
    for seat in [&mut ada, &mut eve] {
        let last = seat.end().await;
        assert!(matches!(last, ServerMessage::Exit { .. }), "{last:?}");
    }
    gone(homes, &terminal.id);
}

/// Whichever controller is asked, for one or for all.
async fn both_are_listed(client: &Client, terminal: &TerminalView, size: (u16, u16)) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let shown = client.terminal(&terminal.id).await.unwrap().into_value();
        let listed = client.terminals(Some(&terminal.container)).await.unwrap().into_value();
        let listed = listed.into_iter().find(|listed| listed.id == terminal.id).expect("it is listed");
        let is_right = |view: &TerminalView| {
            let drivers = view.viewers.iter().filter(|viewer| viewer.role == "driver").count();
            (view.viewers.len(), drivers, view.columns, view.rows) == (2, 1, size.0, size.1)
        };
        if is_right(&shown) && is_right(&listed) {
            return;
        }
        assert!(Instant::now() < deadline, "{shown:?} and {listed:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What lived in it ends, as the other one says; whoever was at an agent's terminal through it goes on through the other.
fn one_of_them_is_killed(homes: &Homes, other: &Client) {
    let mut kept = Busy::start(homes, &homes.client, &homes.behind_agent, 5100);
    let lost = Busy::start(homes, other, &homes.bare, 5200);
    homes.wait(begin_lines(&mut kept.seat));
    let pid = homes.bed.told["controllers"][0]["pid"].as_u64().unwrap();
    signal(u32::try_from(pid).unwrap(), "KILL");
    homes.wait(async {
        kept.seat.come_back_at(other).await;
        all_lines(&mut kept.seat).await;
        assert_eq!(kept.number().await, kept.shell, "another shell");
        let ended = homes.until_ended_at(other, &lost.id).await;
        assert!(ended.reason.as_ref().is_some_and(|reason| reason.contains("controller")), "{ended:?}");
        other.end_terminal(&kept.id).await.unwrap();
    });
    kept.until_gone(homes);
    lost.until_gone(homes);
}
