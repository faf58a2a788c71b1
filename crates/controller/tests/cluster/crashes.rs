//! A controller that dies at any step of a run or a scale, and its successor.

use crate::asking::{all_containers, ended, run_options, running, to_the_end};
use futures_util::StreamExt;
use pierhead_client::{Change, Client, ClientError, Wait};
use pierhead_engine::Verb;
use pierhead_testkit::{Cluster, ClusterOptions, Cut, Moment, sample};
use std::collections::BTreeSet;
use std::time::Duration;

/// How many crashes are played at the same time.
const AT_ONCE: usize = 4;

/// What somebody asks for, again and again with the same key until there is an answer.
#[derive(Clone, Copy)]
enum Wish {
    Run(u32),
    Scale(u32),
}

impl Wish {
    async fn ask(self, client: Client) -> Result<(), ClientError> {
        let change = Change::with_key("the-same-each-time", Wait::UntilEnded);
        match self {
            Self::Run(count) => client.run(&sample(), &run_options("web", count), &change).await.map(drop),
            Self::Scale(count) => client.scale_app("web", count, &change).await.map(drop),
        }
    }
}

/// What ran at the moment of the crash and still runs when all is done; what ran in the end.
struct Outcome {
    crashed: bool,
    at_the_crash: BTreeSet<String>,
    in_the_end: BTreeSet<String>,
}

async fn play(before: u32, wish: Wish, moment: Moment) -> Outcome {
    let mut options = ClusterOptions::default();
    // A controller that has just come waits so long for hosts that it has not heard of; no host is lost here.
    options.controller.policy.grace_ms = 5_000;
    let mut cluster = Cluster::start(options).await;
    cluster.add_foreign(0, "theirs", pierhead_model::Resources::default());
    if before > 0 {
        cluster.run("web", before, &sample()).await;
        cluster.assert_invariants().await;
    }
    cluster.power().cut_at(moment);
    let asked = tokio::spawn(wish.ask(cluster.admin()));
    let power = cluster.power().clone();
    let crashed = tokio::select! {
        () = power.gone() => true,
        () = async { while !asked.is_finished() { tokio::task::yield_now().await } } => false,
    };
    cluster.crash().await;
    asked.abort();
    let at_the_crash = running(&cluster, "web");
    cluster.restart().await;
    cluster.all_healthy().await;
    wish.ask(cluster.admin()).await.unwrap_or_else(|error| panic!("{moment:?}: {error}"));
    cluster.assert_invariants().await;
    Outcome { crashed, at_the_crash, in_the_end: running(&cluster, "web") }
}

/// The steps that it takes without a crash.
async fn steps(before: u32, wish: Wish) -> usize {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    if before > 0 {
        cluster.run("web", before, &sample()).await;
        cluster.assert_invariants().await;
    }
    cluster.power().count();
    wish.ask(cluster.admin()).await.unwrap();
    cluster.power().steps().len()
}

async fn crash_at_every_step(before: u32, wish: Wish, check: impl Fn(Moment, &Outcome)) {
    let count = steps(before, wish).await;
    assert!(count >= 5, "{count} steps are too few to be all");
    let moments = (1..=count).flat_map(|step| [Cut::Before, Cut::After].map(|cut| Moment { step, cut }));
    let mut played = futures_util::stream::iter(moments)
        .map(|moment| async move { (moment, play(before, wish, moment).await) })
        .buffer_unordered(AT_ONCE);
    let mut crashes = 0;
    while let Some((moment, outcome)) = played.next().await {
        crashes += usize::from(outcome.crashed);
        check(moment, &outcome);
    }
    assert!(crashes >= 10, "only {crashes} crashes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_survives_a_crash_at_any_step() {
    crash_at_every_step(0, Wish::Run(4), |moment, outcome| {
        assert_eq!(outcome.in_the_end.len(), 4, "{moment:?}");
        assert!(outcome.in_the_end.is_superset(&outcome.at_the_crash), "{moment:?}: what ran was made anew");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scaling_down_survives_a_crash_at_any_step() {
    crash_at_every_step(5, Wish::Scale(2), |moment, outcome| {
        assert_eq!(outcome.in_the_end.len(), 2, "{moment:?}");
        assert!(outcome.in_the_end.is_subset(&outcome.at_the_crash), "{moment:?}: what ran was made anew");
    })
    .await;
}

#[tokio::test]
async fn a_new_controller_adopts_everything_and_touches_nothing() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await;
    let made = crate::asking::ids(&cluster.run("web", 6, &sample()).await);
    for orderly in [true, false] {
        cluster.assert_invariants().await;
        if orderly {
            cluster.stop().await
        } else {
            cluster.crash().await
        }
        assert_eq!(running(&cluster, "web"), made, "containers run without any controller");
        cluster.hosts().for_each(|(_, host)| host.clear_journal());
        cluster.restart().await;
        cluster.all_healthy().await;
        cluster.assert_invariants().await;
        let changed = cluster.hosts().flat_map(|(_, host)| host.journal()).find(|call| {
            use pierhead_engine::Verb::{Create, Remove, Restart, Start, Stop};
            matches!(call.verb, Create | Remove | Restart | Start | Stop)
        });
        assert_eq!(changed, None);
    }
    assert_eq!(running(&cluster, "web"), made);
}

#[tokio::test]
async fn what_happened_while_nobody_looked_is_mended() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await;
    let made = cluster.run("web", 6, &sample()).await;
    cluster.crash().await;
    let id = |text: &str| pierhead_model::ContainerId::parse(text).unwrap();
    cluster.host_named(&made[0].engine.id).vanish(&id(&made[0].id));
    cluster.host_named(&made[1].engine.id).vanish(&id(&made[1].id));
    cluster.restart().await;
    cluster.all_healthy().await;
    cluster.assert_invariants().await;
    let now = running(&cluster, "web");
    assert_eq!(now.len(), 6);
    assert!(made[2..].iter().all(|kept| now.contains(&kept.id)));
}

#[tokio::test]
async fn a_deletion_that_was_cut_short_is_finished() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await;
    cluster.run("web", 5, &sample()).await;
    cluster.assert_invariants().await;
    // The second step is the first removal; others are asked for at the same time.
    cluster.power().cut_at(Moment { step: 3, cut: Cut::Before });
    let admin = cluster.admin();
    let asked = tokio::spawn(async move { admin.delete_app("web", &to_the_end()).await.map(ended) });
    cluster.power().gone().await;
    cluster.crash().await;
    asked.abort();
    assert!(all_containers(&cluster) > 0, "it was cut short");
    cluster.restart().await;
    cluster.all_healthy().await;
    cluster.assert_invariants().await;
    assert_eq!(all_containers(&cluster), 0);
}

#[tokio::test]
async fn the_first_answer_of_a_new_controller_tells_what_runs() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await;
    cluster.run("web", 3, &sample()).await;
    for _ in 0..3 {
        cluster.crash().await;
        cluster.restart().await;
        let admin = cluster.admin();
        assert_eq!(admin.apps().await.unwrap()[0].running, 3);
    }
    cluster.crash().await;
    cluster.restart().await;
    assert_eq!(cluster.admin().containers(false).await.unwrap().len(), 3);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_new_controller_that_is_told_to_scale_down_lets_the_oldest_run() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await;
    cluster.run("web", 3, &sample()).await;
    let oldest = running(&cluster, "web");
    cluster.admin().scale_app("web", 6, &Change::new(Wait::UntilEnded)).await.unwrap();
    cluster.crash().await;
    // What runs there is seen later than elsewhere.
    cluster.host(0).delay(Verb::Containers, Duration::from_millis(300));
    cluster.restart().await;
    cluster.admin().scale_app("web", 3, &Change::new(Wait::UntilEnded)).await.unwrap();
    assert_eq!(running(&cluster, "web"), oldest);
    cluster.assert_invariants().await;
}
