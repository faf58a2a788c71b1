//! No work is lost: whatever befalls a workspace at whatever moment of its life. After each pair of a cause and a moment the
//! hosts' own lists must show that all that was done is in a container or in a save, that saves that were told of are as
//! they were, that nothing runs twice, and in the end that nothing is left.
//!
//! With `PIERHEAD_SOAK=1` in the environment: 300 pairs at random, or `PIERHEAD_SOAK_PAIRS`, from the seed
//! `PIERHEAD_SOAK_SEED`.

mod checks;
mod single;
mod trial;

use futures_util::{FutureExt, StreamExt};
use pierhead_testkit::Cut;
use std::panic::AssertUnwindSafe;
use std::time::Instant;
use trial::Trial;

/// How many are played at the same time.
const AT_ONCE: usize = 6;

/// What befalls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The controller is killed, and another takes over.
    Controller,
    /// The agent of the host in question is killed, and comes back.
    Agent,
    /// Its engine is killed with all containers, and starts again.
    Engine,
    /// The host is cut off for long enough to be given up, and returns.
    Cut,
    /// The host never returns, and is removed from the pool.
    Lost,
    /// Its time is over.
    Expiry,
    /// It writes more than it may.
    Disk,
    /// Somebody asks for its end.
    Stop,
    /// Somebody asks for one more save.
    Save,
    /// Its host is drained.
    Drain,
}

use Cause::{Agent, Controller, Disk, Drain, Engine, Expiry, Lost, Save, Stop};

/// When.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its first container is made.
    Making,
    /// Its script runs.
    Priming,
    /// People work in it.
    Ready,
    /// Its files become an image.
    Committing,
    /// Layers become one.
    Squashing,
    /// The image goes to a second host.
    Copying,
    /// It is written down that the save is complete.
    Recording,
    /// Its containers are removed.
    Leaving,
    /// Its network is.
    Clearing,
    /// Its image comes to a host that lacks it.
    Fetching,
    /// It is made of a save.
    Remaking,
}

use Step::{Clearing, Committing, Copying, Fetching, Leaving, Making, Priming, Ready, Recording, Remaking, Squashing};

/// What leads to a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Somebody asked for one; people work on.
    Asked,
    /// It is stopped.
    Stopped,
}

use Cut::{After, Before};
use Way::{Asked, Stopped};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    pub cause: Cause,
    pub step: Step,
    pub way: Way,
    /// On which side of the step.
    pub cut: Cut,
}

const fn pair(cause: Cause, step: Step, way: Way, cut: Cut) -> Pair {
    Pair { cause, step, way, cut }
}

/// Plays pairs, and says which went wrong.
async fn play(pairs: impl IntoIterator<Item = Pair>) {
    let played = futures_util::stream::iter(pairs).map(|pair| async move {
        let began = Instant::now();
        // One that fails is told with its name, and the others are played all the same.
        let outcome = AssertUnwindSafe(Trial::play(pair)).catch_unwind().await.map_err(|_| "see above");
        println!("{pair:?}: {outcome:?}, {:?}", began.elapsed());
        (pair, outcome)
    });
    let all: Vec<_> = played.buffer_unordered(AT_ONCE).collect().await;
    let wrong: Vec<_> = all.iter().filter(|(_, outcome)| outcome.is_err()).collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), all.len());
}

macro_rules! of_cause {
    ($name:ident, $cause:expr, $($step:expr, $way:expr, $cut:expr;)+) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            play([$(pair($cause, $step, $way, $cut)),+]).await;
        }
    };
}

of_cause! { a_controller_is_killed, Controller,
    Committing, Asked, After;
    Squashing, Stopped, Before;
    Copying, Asked, After;
    Copying, Stopped, After;
    Recording, Asked, After;
    Recording, Stopped, After;
    Fetching, Stopped, After;
    Remaking, Stopped, After;
}

of_cause! { an_agent_is_killed, Agent,
    Making, Asked, After;
    Ready, Asked, Before;
    Committing, Stopped, After;
    Squashing, Asked, After;
    Copying, Stopped, After;
    Leaving, Stopped, After;
    Fetching, Stopped, Before;
}

of_cause! { an_engine_is_killed, Engine,
    Ready, Asked, Before;
    Priming, Asked, Before;
    Committing, Asked, After;
    Squashing, Stopped, After;
    Copying, Asked, Before;
    Clearing, Stopped, Before;
}

of_cause! { a_host_is_cut_off_and_returns, Cause::Cut,
    Making, Asked, Before;
    Ready, Asked, Before;
    Committing, Asked, After;
    Squashing, Stopped, Before;
    Copying, Asked, Before;
    Leaving, Stopped, Before;
    Fetching, Stopped, Before;
}

of_cause! { a_host_is_lost_for_good, Lost,
    Ready, Asked, Before;
    Squashing, Asked, Before;
    Recording, Asked, After;
    Copying, Stopped, Before;
    Leaving, Stopped, After;
    Remaking, Stopped, After;
}

of_cause! { its_time_is_over, Expiry,
    Priming, Asked, After;
    Committing, Asked, After;
    Copying, Asked, Before;
    Remaking, Stopped, Before;
}

of_cause! { it_writes_more_than_it_may, Disk,
    Ready, Asked, Before;
    Squashing, Asked, Before;
}

of_cause! { its_end_is_asked_for, Stop,
    Making, Asked, After;
    Committing, Asked, After;
    Copying, Asked, After;
    Fetching, Stopped, Before;
}

of_cause! { a_second_save_is_asked_for, Save,
    Ready, Asked, Before;
    Committing, Asked, After;
    Copying, Asked, Before;
    Recording, Asked, After;
    Remaking, Stopped, Before;
}

of_cause! { its_host_is_drained, Drain,
    Ready, Asked, Before;
    Squashing, Asked, After;
    Leaving, Stopped, After;
}

const CAUSES: [Cause; 10] = [Controller, Agent, Engine, Cause::Cut, Lost, Expiry, Disk, Stop, Save, Drain];
const STEPS: [Step; 11] =
    [Making, Priming, Ready, Committing, Squashing, Copying, Recording, Leaving, Clearing, Fetching, Remaking];

/// Pairs at random, none of which could never come.
fn random(count: usize, seed: u64) -> Vec<Pair> {
    let mut state = seed;
    let mut next = |below: usize| {
        // Knuth's constants; the upper bits are the better ones.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let draw = || {
        let (cause, step) = (CAUSES[next(CAUSES.len())], STEPS[next(STEPS.len())]);
        let (way, cut) = ([Asked, Stopped][next(2)], [Before, After][next(2)]);
        pair(cause, step, way, cut).possible()
    };
    std::iter::repeat_with(draw).take(count).collect()
}

impl Pair {
    /// The same, or what is nearest to it: some steps have one way only.
    fn possible(self) -> Self {
        let way = match self.step {
            Making | Priming | Ready => Asked,
            Leaving | Clearing | Fetching | Remaking => Stopped,
            Committing | Squashing | Copying | Recording => self.way,
        };
        // Who stops can't save besides, and what is stopped already is at its end. In what is being made nobody has done
        // anything yet, and no save is taken of it.
        let cause = match (self.cause, self.step, way) {
            (Save | Disk, _, Stopped) | (Save | Disk, Making | Priming, _) => Controller,
            (cause, _, _) => cause,
        };
        Self { cause, way, ..self }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pairs_at_random() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let soak = std::env::var_os("PIERHEAD_SOAK").map(|_| 300);
    // A few on every day, always the same.
    let count = number("PIERHEAD_SOAK_PAIRS").or(soak).unwrap_or(4);
    let seed = number("PIERHEAD_SOAK_SEED").unwrap_or(7);
    println!("{count} pairs from seed {seed}");
    play(random(usize::try_from(count).unwrap(), seed)).await;
}
