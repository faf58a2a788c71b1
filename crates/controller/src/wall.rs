//! The wall: small pictures of many terminals at once, for whoever looks after those who work in them.
//!
//! A home is asked once for all that walls of this controller show of it, and only for that. What is told of it waits
//! nowhere: a wall that is slow lacks more when it asks for the next time. Who may see what is not decided here.

mod hub;

pub(crate) use hub::{Home, Hub};
pub use hub::{MOST_SHOWN, WallPictures};

use crate::Controller;
use crate::terminals::{HomeError, TerminalHome};
use futures_util::StreamExt;
use pierhead_sessions::Wanted;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The pause before a home is asked anew that could not be seen.
const AGAIN: Duration = Duration::from_secs(1);
/// The pause before one is asked anew that paints nothing: it may be of an older version, and be replaced.
const UNABLE: Duration = Duration::from_secs(30);

/// Follows the homes of all that walls show, for ever.
pub(crate) async fn follow_homes(controller: Controller) {
    let mut followed: BTreeSet<Home> = BTreeSet::new();
    let mut follows: JoinSet<Home> = JoinSet::new();
    loop {
        for (home, wanted) in controller.wall.homes() {
            if followed.insert(home.clone()) {
                follows.spawn(follow(controller.clone(), home, wanted));
            }
        }
        tokio::select! {
            () = controller.wall.asked() => {}
            Some(done) = follows.join_next() => {
                if let Ok(home) = done {
                    followed.remove(&home);
                }
            }
        }
    }
}

/// Follows what a home paints, until nothing of it is wanted or it can't be seen.
async fn follow(controller: Controller, home: Home, mut wanted: watch::Receiver<Wanted>) -> Home {
    let pause = tokio::select! {
        pause = paint(&controller, &home, wanted.clone()) => pause,
        () = ended(&mut wanted) => return home,
    };
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = ended(&mut wanted) => {}
    }
    home
}

/// What a home paints, as long as it does; how long to wait until it is asked again.
async fn paint(controller: &Controller, home: &Home, wanted: watch::Receiver<Wanted>) -> Duration {
    let terminals = match home {
        Home::Agent(engine) => controller.terminals.of_agent(engine),
        Home::Here => Some(Arc::clone(&controller.terminals.here) as Arc<dyn TerminalHome>),
    };
    let Some(terminals) = terminals else { return AGAIN };
    match terminals.pictures(wanted).await {
        Ok(mut pictures) => {
            while let Some(changes) = pictures.next().await {
                controller.wall.paint(home, &changes);
            }
            AGAIN
        }
        Err(HomeError::Unable) => UNABLE,
        Err(error) => {
            tracing::debug!(?home, %error, "terminals can't be painted; it is tried again");
            AGAIN
        }
    }
}

/// Returns when nobody wants anything of a home any more.
async fn ended(wanted: &mut watch::Receiver<Wanted>) {
    while wanted.changed().await.is_ok() {}
}
