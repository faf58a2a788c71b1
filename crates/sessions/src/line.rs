//! A viewer's line: what they send goes to the session, and what is next for them is pulled as fast as they take it.

use crate::running::Running;
use pierhead_terminal::{Frame, Pulled, ViewerId, Visitor};
use std::sync::Arc;
use tokio::sync::mpsc;

/// How many frames wait between a session and whoever sends them on. What waits is shared by all viewers in step.
const AHEAD: usize = 4;
/// How many frames of a viewer wait.
const BEHIND: usize = 16;

/// The two directions between a viewer and a session.
#[derive(Debug)]
pub struct Line {
    /// To the session; dropping it is leaving.
    pub to_session: mpsc::Sender<Frame>,
    /// From the session; its end is the end of the line. Not reading it holds up nobody else.
    pub from_session: mpsc::Receiver<Frame>,
}

/// Takes a viewer's part until the line is gone, whatever becomes of the task that runs it.
struct Place {
    running: Arc<Running>,
    viewer: ViewerId,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.running.with(|session, now| session.leave(self.viewer, now));
    }
}

/// A line for somebody who comes.
pub(crate) fn attach(running: &Arc<Running>, visitor: Visitor) -> Line {
    let (to_session, received) = mpsc::channel(BEHIND);
    let (sender, from_session) = mpsc::channel(AHEAD);
    let viewer = running.join(visitor);
    let place = Place { running: Arc::clone(running), viewer };
    tokio::spawn(serve(place, received, sender));
    Line { to_session, from_session }
}

async fn serve(place: Place, mut received: mpsc::Receiver<Frame>, sender: mpsc::Sender<Frame>) {
    let (running, viewer) = (&place.running, place.viewer);
    loop {
        // Whatever happens after this wakes it, so nothing is missed between the pull and the wait.
        let woken = running.woken.notified();
        let is_full = running.input.is_full();
        tokio::select! {
            biased;
            frame = received.recv(), if !is_full => match frame {
                Some(frame) => running.receive(viewer, frame),
                None => break,
            },
            () = running.input.has_room(), if is_full => {}
            permit = sender.reserve() => {
                let Ok(permit) = permit else { break };
                match running.pull(viewer) {
                    Pulled::Frame(frame) => permit.send(frame),
                    Pulled::Over => break,
                    Pulled::Nothing => {
                        drop(permit);
                        tokio::select! {
                            biased;
                            frame = received.recv(), if !is_full => match frame {
                                Some(frame) => running.receive(viewer, frame),
                                None => break,
                            },
                            () = running.input.has_room(), if is_full => {}
                            () = woken => {}
                            () = sender.closed() => break,
                        }
                    }
                }
            }
        }
    }
}
