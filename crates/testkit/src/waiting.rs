//! Waiting for a condition, with a deadline.

use std::fmt::Display;
use std::time::Duration;
use tokio::time::Instant;

/// How long a test waits for what should come soon; far more than it needs, so that a busy machine fails nothing.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// The time between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Waits until a condition holds.
///
/// # Panics
/// If it does not within the deadline.
pub async fn eventually(deadline: Duration, what: &str, mut condition: impl AsyncFnMut() -> bool) {
    eventually_ok(deadline, what, async || if condition().await { Ok(()) } else { Err("it is not so") }).await;
}

/// Waits until there is an answer, and gives it.
///
/// # Panics
/// If there is none within the deadline; says why not.
pub async fn eventually_ok<T, E: Display>(
    deadline: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let end = Instant::now() + deadline;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(why) if Instant::now() >= end => panic!("not within {deadline:?}: {what}: {why}"),
            Err(_) => tokio::time::sleep(BETWEEN_LOOKS).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_waits_as_long_as_it_must() {
        let mut looks = 0;
        eventually(PATIENCE, "three looks", async || {
            looks += 1;
            looks == 3
        })
        .await;
        assert_eq!(looks, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "a thing that never comes: it is Tuesday")]
    async fn it_does_not_wait_for_ever() {
        let never = async || Err::<(), _>("it is Tuesday");
        eventually_ok(Duration::from_millis(20), "a thing that never comes", never).await;
    }
}
