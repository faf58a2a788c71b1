//! Labs at which people work: what they work with is not deleted, whoever is faster.

use crate::coursework::{actor, begin, course, names, write};
use crate::detection::Pool;
use pierhead_controller::{AttemptBeginning, Controller, RequestError, WorkspaceChange};
use pierhead_testkit::ClusterOptions;

async fn pool() -> Pool {
    Pool::start_with(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await
}

/// Publishes another version of the lab.
async fn publish(controller: &Controller, text: &str) -> u32 {
    // Who has nothing to do there is done at once.
    let check = "checks: [{name: up, title: It is up, run: \"true\"}]";
    write(controller, "steps/1.md", &format!("---\n{check}\n---\n\n# {text}\n")).await;
    let lab = controller.publish_lab(&actor("wang"), "server", "", None, None).await.unwrap();
    lab.newest().unwrap().number
}

fn words(refused: Result<(), RequestError>) -> String {
    let refused = refused.unwrap_err();
    assert!(matches!(refused, RequestError::LabInUse { .. }), "{refused}");
    refused.to_string()
}

/// The versions at which somebody has an attempt.
async fn versions(controller: &Controller, name: &str) -> Vec<u32> {
    controller.attempts_of(&actor(name), Some("server"), false).await.iter().map(|one| one.record.version).collect()
}

#[tokio::test]
async fn what_people_work_with_stays_until_they_have_gone_on() {
    let pool = pool().await;
    let controller = pool.cluster.controller().clone();
    let wang = actor("wang");
    course(&controller, &names(&["li", "wu"])).await;
    for name in ["li", "wu"] {
        begin(&controller, name).await;
    }
    assert_eq!(publish(&controller, "Two").await, 2);
    let refused = words(controller.delete_lab_version(&wang, "server", 1).await);
    assert!(refused.starts_with("2 people work at version 1 of lab server: it can be deleted once"), "{refused}");
    assert!(words(controller.delete_lab(&wang, "server").await).starts_with("2 people work at lab server"));
    let of = async |name: &str| controller.attempts_of(&actor(name), None, false).await.remove(0).record;
    controller.move_attempt(&actor("li"), of("li").await.id.as_str()).await.unwrap();
    assert_eq!(versions(&controller, "li").await, [2]);
    let refused = words(controller.delete_lab_version(&wang, "server", 1).await);
    assert!(refused.starts_with("1 person works at version 1"), "{refused}");
    controller.delete_attempt(&actor("wu"), of("wu").await.id.as_str()).await.unwrap();
    controller.delete_lab_version(&wang, "server", 1).await.unwrap();

    // Whose workspace is gone is not at it any more.
    assert!(words(controller.delete_lab(&wang, "server").await).starts_with("1 person works at lab server"));
    let workspace = of("li").await.workspace.clone().unwrap();
    controller.change_workspace(&actor("li"), workspace.as_str(), &WorkspaceChange::End, None).await.unwrap();
    controller.delete_lab(&wang, "server").await.unwrap();
    let left = controller.attempts_of(&actor("li"), None, false).await.remove(0);
    assert!(left.lab.is_none(), "the attempt is theirs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_who_begins_and_who_deletes_at_the_same_moment_one_is_too_late() {
    let pool = pool().await;
    let controller = pool.cluster.controller().clone();
    let names: Vec<String> = (0..24).map(|number| format!("s{number}")).collect();
    course(&controller, &names).await;
    let (mut begun, mut deleted) = (0, 0);
    for name in &names {
        let number = publish(&controller, name).await;
        publish(&controller, &format!("after {name}")).await;
        let beginning =
            AttemptBeginning { course: Some("cs".to_owned()), version: Some(number), ..AttemptBeginning::default() };
        let deleting = controller.clone();
        let deletes = tokio::spawn(async move {
            // Now one of them is faster, now the other.
            tokio::time::sleep(std::time::Duration::from_micros(u64::from(number) * 150)).await;
            deleting.delete_lab_version(&actor("wang"), "server", number).await
        });
        let begins = controller.begin_attempt(&actor(name), "server", &beginning).await;
        let (deletes, there) = (deletes.await.unwrap(), versions(&controller, name).await);
        match deletes {
            Ok(()) => {
                deleted += 1;
                assert!(begins.is_err() && there.is_empty(), "{name}: {there:?}");
            }
            Err(refused) => {
                begun += 1;
                assert!(matches!(refused, RequestError::LabInUse { people: 1, .. }), "{refused}");
                assert_eq!((begins.is_ok(), there), (true, vec![number]), "{name}");
            }
        }
    }
    assert_eq!(begun + deleted, names.len());
    for name in &names {
        let theirs = controller.attempts_of(&actor(name), None, false).await;
        assert!(theirs.iter().all(|one| one.document.is_some()), "{name} works with what is there");
    }
}
