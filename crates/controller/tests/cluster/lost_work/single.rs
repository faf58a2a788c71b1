//! What pairs do not show: what is done while nobody leads, copies that were left, images that somebody removed, and limits
//! whatever races.

use super::trial::{MB, Trial};
use super::{Cause, Pair, Step, Way};
use crate::asking::to_the_end;
use crate::detection::Pool;
use crate::workspaces::{containers, described, from, host_of, reaches, show};
use futures_util::future::join_all;
use pierhead_controller::keys;
use pierhead_model::{ImageReference, Save, SaveLimits, SaveTotals, Workspace};
use pierhead_store::Transaction;
use pierhead_testkit::{ClusterOptions, Cut, PATIENCE, eventually, eventually_ok};

/// A workspace in which somebody works on after a save that was asked for.
async fn saved_and_worked_in() -> Trial {
    Trial::begin(Pair { cause: Cause::Controller, step: Step::Ready, way: Way::Asked, cut: Cut::After }).await
}

#[tokio::test]
async fn what_is_done_while_nobody_leads_is_in_the_save_before_the_end() {
    let mut trial = saved_and_worked_in().await;
    let ann = trial.ann().await;
    // The second save is complete, and nobody writes down that it is.
    let held = trial.pool.cluster.power().hold(&format!("{}{}-", keys::SAVES, trial.id), 1, Cut::After);
    let asked = {
        let id = trial.id.to_string();
        tokio::spawn(async move { ann.save_workspace(&id, Some("second")).await.map(drop) })
    };
    tokio::time::timeout(PATIENCE, held.reached()).await.unwrap();
    asked.await.unwrap().unwrap();
    // Its time is over in the moment in which the next controller looks.
    let key = keys::workspace(&trial.id);
    let mut record: Workspace = trial.record(&key).await.unwrap();
    record.spec.lifetime_minutes = 0;
    let directory = trial.pool.cluster.directory().to_owned();
    trial.pool.dies().await;
    trial.work(5 * MB);
    {
        let store = pierhead_store::Embedded::open(&directory).unwrap();
        let ends = Transaction::new().put_json(key, &record).unwrap();
        pierhead_store::Store::commit(&store, ends).await.unwrap();
    }
    trial.pool.successor().await;
    let saved = reaches(&trial.ann().await, trial.id.as_str(), "saved").await;
    let last: Save = trial.record(&format!("{}{}", keys::SAVES, saved.last_save.unwrap())).await.unwrap();
    assert_eq!(Some(&last.bytes), trial.done.last(), "all that was done is in the newest save");
    let all = trial.ann().await.saves().await.unwrap().into_value();
    assert!(all.iter().any(|save| save.name == "second"), "and the one that was asked for is there: {all:?}");
    trial.ends().await;
}

#[tokio::test]
async fn what_was_left_on_a_lost_host_stays_until_somebody_deletes_it() {
    let mut trial = saved_and_worked_in().await;
    let (home, _) = trial.there.clone().unwrap();
    trial.pool.kernel_is_silent(home);
    trial.pool.falls_silent(home);
    let left = *trial.done.last().unwrap();
    let lost = format!("host-{}", home + 1);
    eventually(PATIENCE, "it is elsewhere", async || {
        let now = trial.view().await;
        now.phase == "ready" && now.engine.as_ref() != Some(&lost)
    })
    .await;
    trial.pool.kernel_answers(home);
    trial.pool.returns(home);
    eventually(PATIENCE, "what was left is saved", async || trial.view().await.left_on.is_empty()).await;
    let ann = trial.ann().await;
    let named = async || {
        let all = ann.saves().await.unwrap().into_value();
        all.into_iter().find(|save| save.name == format!("left on host {lost}"))
    };
    let found = named().await.expect("it is offered");
    assert_eq!((found.bytes, found.automatic), (left, false));
    // It is stopped and started again and again: each of these saves takes the place of the one before, and of no other.
    for _ in 0..2 {
        trial.look().await;
        trial.work(MB);
        ann.stop_workspace(trial.id.as_str()).await.unwrap();
        reaches(&ann, trial.id.as_str(), "saved").await;
        eventually_ok(PATIENCE, "it may be started", async || {
            ann.start_workspace(trial.id.as_str(), None).await.map(drop)
        })
        .await;
        reaches(&ann, trial.id.as_str(), "ready").await;
    }
    eventually(PATIENCE, "only one is automatic", async || {
        let all = ann.saves().await.unwrap().into_value();
        all.iter().filter(|save| save.automatic).count() == 1
    })
    .await;
    assert_eq!(named().await.map(|save| save.id), Some(found.id.clone()), "it is still there");
    let request = pierhead_wire::WorkspaceRequest { save: Some(found.id), ..Default::default() };
    let copy = ann.open_workspace(&request, &to_the_end()).await.unwrap();
    let copy = reaches(&ann, &copy.id, "ready").await;
    assert_eq!(host_of(&trial.pool, &copy).1.worth(&containers(&copy)[0]).unwrap(), left);
    ann.end_workspace(&copy.id, true).await.unwrap();
    reaches(&ann, &copy.id, "ended").await;
    trial.ends().await;
}

#[tokio::test]
async fn a_copy_that_somebody_removed_is_made_again() {
    let trial = saved_and_worked_in().await;
    let (id, bytes) = trial.acknowledged.clone().unwrap();
    let key = format!("{}{id}", keys::SAVES);
    let save: Save = trial.record(&key).await.unwrap();
    let (home, _) = trial.there.clone().unwrap();
    let other = save.copies.iter().find(|copy| copy.as_str() != format!("host-{}", home + 1)).unwrap();
    let image = save.containers[0].image.clone();
    trial.pool.cluster.host_named(other.as_str()).remove_image(&image);
    let has_two = async || {
        let save: Save = trial.record(&key).await.unwrap();
        let has = |host: &&pierhead_model::EngineId| {
            let host = trial.pool.cluster.host_named(host.as_str());
            host.worth_of_image(image.as_str(), &save.containers[0].image_id) == Some(bytes)
        };
        save.copies.iter().filter(has).count() == 2
    };
    eventually(PATIENCE, "two hosts have it", has_two).await;
    trial.ends().await;
}

/// What bears a save's name on some host and is something else is never taken for it.
#[tokio::test]
async fn another_image_of_the_same_name_is_not_the_save() {
    let mut trial = saved_and_worked_in().await;
    let ann = trial.ann().await;
    ann.stop_workspace(trial.id.as_str()).await.unwrap();
    let last = reaches(&ann, trial.id.as_str(), "saved").await.last_save.unwrap();
    let save: Save = trial.record(&format!("{}{last}", keys::SAVES)).await.unwrap();
    let image: ImageReference = save.containers[0].image.clone();
    for (id, host) in trial.pool.cluster.hosts() {
        if !save.copies.iter().any(|copy| copy.as_str() == id) {
            let label = (Save::LABEL.to_owned(), trial.pool.cluster.controller().store().cluster_id().to_owned());
            let other = pierhead_engine::FakeImage {
                labels: [label].into(),
                ..pierhead_engine::FakeImage::new(image.as_str())
            };
            host.put_image(other);
        } else {
            trial.pool.cluster.admin().cordon_engine(&id).await.unwrap();
        }
    }
    ann.start_workspace(trial.id.as_str(), None).await.unwrap();
    let back = reaches(&ann, trial.id.as_str(), "ready").await;
    let (_, host) = host_of(&trial.pool, &back);
    assert_eq!(host.worth(&containers(&back)[0]).unwrap(), *trial.done.iter().max().unwrap());
    trial.look().await;
    trial.ends().await;
}

#[tokio::test]
async fn fifty_workspaces_that_are_saved_at_once_never_break_a_limit() {
    const MOST: u64 = 7;
    let mut options = ClusterOptions { hosts: 3, ..ClusterOptions::default() };
    let most = SaveTotals { count: MOST, bytes: 1 << 40 };
    options.controller.save_limits = SaveLimits { environment: most, ..SaveLimits::default() };
    let pool = Pool::start_with(options).await;
    // Nobody may open so many within a minute.
    let people = [pool.cluster.user("ann").await, pool.cluster.user("bob").await, pool.cluster.user("carl").await];
    let mut environment = described("lab", "exit 0");
    environment.description.containers.truncate(1);
    people[0].add_environment(&environment).await.unwrap();
    let people = &people;
    let opened = join_all((0..50).map(|number| async move {
        let person = &people[number % people.len()];
        let opened = person.open_workspace(&from("lab"), &to_the_end()).await.unwrap();
        (person, reaches(person, &opened.id, "ready").await)
    }))
    .await;
    let asked = join_all(opened.iter().map(|(person, workspace)| person.save_workspace(&workspace.id, None)));
    let watch = async {
        // At every moment, by the records themselves.
        loop {
            let listing = pool.cluster.controller().store().list_all(keys::SAVES).await.unwrap();
            assert!(listing.entries.len() as u64 <= MOST, "{} saves", listing.entries.len());
            tokio::task::yield_now().await;
        }
    };
    let all_answered = async {
        assert!(asked.await.iter().all(Result::is_ok));
        for (person, workspace) in &opened {
            eventually(PATIENCE, "it was saved, or says why not", async || {
                let now = show(person, &workspace.id).await;
                now.phase == "ready" && (now.last_save.is_some() || now.message.contains("at most 7 saves may be kept"))
            })
            .await;
        }
    };
    tokio::select! {
        () = watch => {}
        () = all_answered => {}
    }
    assert_eq!(pool.cluster.admin().saves().await.unwrap().len() as u64, MOST);
}
