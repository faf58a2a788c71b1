//! Terminals while that dies without which they could not be reached, or could not be.

use super::homes::{Homes, processes_of};
use super::seat::Seat;
use crate::agents::{self, again, argv, in_host, is_healthy, kill_controller, start_controller};
use crate::program::signal;
use crate::wait::{PATIENCE, until, until_right};
use pierhead_client::{Client, ClientError};
use pierhead_terminal::ServerMessage;

/// How many lines are printed while a controller is away, over some seconds.
const LINES: usize = 400;

#[test]
fn terminals_outlive_what_can_fail_and_leave_nothing() {
    let homes = Homes::up();
    the_controller_is_killed(&homes);
    the_agent_is_killed(&homes);
}

/// A shell with processes that would stay: one in a session of its own, one that nothing marks, one that heeds no hangup.
pub struct Busy {
    pub seat: Seat,
    pub id: String,
    sleeps: [String; 3],
    /// The number of its shell.
    pub shell: String,
}

impl Busy {
    pub fn start(homes: &Homes, client: &Client, container: &str, seconds: u32) -> Self {
        let sleeps = [0, 1, 2].map(|more| (seconds + more).to_string());
        let [away, bare, deaf] = &sleeps;
        let (seat, id) = homes.wait(async {
            let terminal = homes.open(container).await;
            let mut seat = Seat::take(client, &terminal.id).await;
            seat.run("stty -echo; PS1=; echo re''ady", "ready\r\n").await;
            // One job in the background and no more: this shell takes the end of another one for the end of its input.
            let starts = format!(
                "busybox setsid sleep {away}; (trap '' HUP; env -i /bin/sleep {bare} & exec sleep {deaf}) & \
                 echo sta''rted"
            );
            seat.run(&starts, "started\r\n").await;
            (seat, terminal.id)
        });
        let mut busy = Self { seat, id, sleeps, shell: String::new() };
        busy.until_there(homes);
        busy.shell = homes.wait(busy.number());
        busy
    }

    /// The number of the shell, as it says itself.
    pub async fn number(&mut self) -> String {
        self.seat.seen.clear();
        self.seat.run("echo it''is $$ its''number", " itsnumber\r\n").await;
        let seen = String::from_utf8_lossy(&self.seat.seen);
        let (_, said) = seen.rsplit_once("itis ").unwrap();
        said.split_once(' ').unwrap().0.to_owned()
    }

    fn until_there(&self, homes: &Homes) {
        let is_there = until_right(PATIENCE, || self.is_there(homes));
        is_there.unwrap_or_else(|there| panic!("there are {there}, after {}", self.seat.tail()));
    }

    /// Whether all of it runs.
    pub fn is_there(&self, homes: &Homes) -> Result<(), String> {
        let (marked, sleeping) = (processes_of(&self.id), self.sleeping(homes));
        // The shell, and of those that sleep all but the one with an empty environment.
        if marked >= 3 && sleeping.len() == 3 { Ok(()) } else { Err(format!("{marked} and {sleeping:?}")) }
    }

    fn sleeping(&self, homes: &Homes) -> Vec<&str> {
        homes.sleeping(&self.sleeps.each_ref().map(String::as_str))
    }

    /// Waits until nothing of it runs.
    pub fn until_gone(&self, homes: &Homes) {
        let gone = until_right(PATIENCE, || match (processes_of(&self.id), self.sleeping(homes)) {
            (0, sleeping) if sleeping.is_empty() => Ok(()),
            left => Err(format!("{left:?}")),
        });
        gone.unwrap_or_else(|left| panic!("of {} there are {left} left", self.id));
    }
}

/// Begins to print lines, slowly, and comes back when some were seen.
pub async fn begin_lines(seat: &mut Seat) {
    let each = "echo line $i; busybox usleep 10000";
    let prints = format!("echo g''o; i=0; while [ $i -lt {LINES} ]; do i=$((i+1)); {each}; done; echo e''nd");
    seat.run(&prints, "go\r\n").await;
    seat.until_seen("line 20\r\n").await;
}

/// Waits for the last of the lines: each must have come, once.
pub async fn all_lines(seat: &mut Seat) {
    seat.until_seen("end\r\n").await;
    let lines: String = (1..=LINES).map(|line| format!("line {line}\r\n")).collect();
    let expected = format!("go\r\n{lines}end\r\n");
    assert!(seat.has_seen(&expected), "{}", String::from_utf8_lossy(&seat.seen));
    assert_eq!(seat.snapshots, 0, "no byte was stood for by a snapshot");
}

/// A terminal in an agent goes on, and one in the controller is honestly ended; of neither anything is left in the end.
fn the_controller_is_killed(homes: &Homes) {
    let mut kept = Busy::start(homes, &homes.client, &homes.behind_agent, 4100);
    let lost = Busy::start(homes, &homes.client, &homes.bare, 4200);
    homes.wait(begin_lines(&mut kept.seat));
    let words = kill_controller(&homes.bed);
    kept.is_there(homes).expect("it needs no controller");
    start_controller(&homes.bed, words);
    homes.wait(async {
        kept.seat.come_back().await;
        all_lines(&mut kept.seat).await;
        assert_eq!(kept.number().await, kept.shell, "another shell");
        let ended = homes.until_ended(&lost.id).await;
        assert!(ended.reason.as_ref().is_some_and(|reason| reason.contains("controller")), "{ended:?}");
        homes.client.end_terminal(&kept.id).await.unwrap();
        let last = kept.seat.end().await;
        assert!(matches!(last, ServerMessage::Exit { .. }), "{last:?}");
    });
    kept.until_gone(homes);
    lost.until_gone(homes);
}

/// What its terminals started ends when it starts again; and at once when it is told to stop.
fn the_agent_is_killed(homes: &Homes) {
    let killed = Busy::start(homes, &homes.client, &homes.behind_agent, 4300);
    let pid = agents::agent(&homes.bed, "host-1");
    let mut words = argv(pid);
    if let Some(at) = words.iter().position(|word| word == "--join") {
        words.drain(at..at + 2);
    }
    signal(pid, "KILL");
    until("a host without its agent is not healthy", PATIENCE, || !is_healthy(&homes.bed, "host-1"));
    killed.is_there(homes).expect("nobody ended them yet");
    again(&homes.bed, "agent-host-1", in_host(&homes.bed, "host-1", words));
    killed.until_gone(homes);
    homes.wait(async {
        let ended = homes.until_ended(&killed.id).await;
        assert!(ended.reason.as_ref().is_some_and(|reason| reason.contains("agent")), "{ended:?}");
        // Whoever looked is told so too.
        let refused = homes.client.terminal_socket(&killed.id).await.unwrap_err();
        assert!(matches!(&refused, ClientError::Refused { status: 409, .. }), "{refused}");
        assert!(refused.to_string().contains(&ended.reason.unwrap_or_default()), "{refused}");
    });
    until("the host is back", PATIENCE, || is_healthy(&homes.bed, "host-1"));
    let mut told = Busy::start(homes, &homes.client, &homes.behind_agent, 4400);
    signal(agents::agent(&homes.bed, "host-1"), "TERM");
    let last = homes.wait(told.seat.end());
    assert!(matches!(&last, ServerMessage::Exit { reason, .. } if reason.contains("agent")), "{last:?}");
    told.until_gone(homes);
}
