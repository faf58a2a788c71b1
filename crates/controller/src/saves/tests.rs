//! Records of saves: limits whatever races, and which saves may go.

use super::*;
use crate::keys;
use pierhead_model::{
    Event, EventTag, Generation, ImageReference, MemberName, Save, SaveState, SaveTotals, SavedFiles, Timestamp,
    Username, WorkspaceAssignment, WorkspaceId, WorkspaceStage,
};
use pierhead_store::{Embedded, StoreJson};
use records::SaveError;
use std::collections::BTreeSet;

const MB: u64 = 1 << 20;

struct Bed {
    saves: Arc<Saves>,
    _dir: tempfile::TempDir,
}

impl Bed {
    fn new(limits: SaveLimits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Embedded::open(dir.path()).unwrap());
        Self { saves: Arc::new(Saves::new(store, Clock::start(), limits)), _dir: dir }
    }

    async fn totals(&self, owner: &str) -> SaveTotals {
        let key = keys::save_totals_of_person(&Username::parse(owner).unwrap());
        self.saves.store.get_json(&key).await.unwrap().map(|(totals, _)| totals).unwrap_or_default()
    }

    /// What the records come to, counted one by one.
    async fn counted(&self, owner: &str) -> SaveTotals {
        let all = self.saves.all().await.unwrap();
        let theirs = all.iter().filter(|save| save.owner.as_str() == owner);
        theirs.fold(SaveTotals::default(), |so_far, save| so_far.with(None, Some(save.bytes)))
    }
}

fn limits(count: u64, bytes: u64) -> SaveLimits {
    let most = SaveTotals { count, bytes };
    SaveLimits { person: most, environment: SaveTotals { count: 1000, bytes: 1 << 40 } }
}

fn save(workspace: u64, number: u32, owner: &str, bytes: u64) -> Save {
    let workspace = WorkspaceId::from_random(workspace);
    let name = MemberName::parse("main").unwrap();
    let id = SaveId::of(&workspace, number);
    let image = ImageReference::parse(&Save::image(&id, &name)).unwrap();
    Save {
        workspace,
        owner: Username::parse(owner).unwrap(),
        name: "work".to_owned(),
        environment: pierhead_model::EnvironmentId::parse("python").unwrap(),
        version: 1,
        automatic: false,
        state: SaveState::Saving,
        containers: vec![SavedFiles {
            name,
            image_id: "sha256:x".to_owned(),
            base: ImageReference::parse("python").unwrap(),
            base_layers: 1,
            layer_bytes: bytes,
            image,
        }],
        bytes,
        copies: BTreeSet::new(),
        moved_bytes: 0,
        created_at: Timestamp(u64::from(number)),
        id,
    }
}

fn event() -> Event {
    Event {
        id: "0".repeat(32),
        kind: "delete-save".to_owned(),
        time: Timestamp(1),
        message: String::new(),
        tags: vec![EventTag::Cluster],
        container: None,
        engine: None,
        app: None,
        actor: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_racing_saves_never_break_a_limit() {
    for (most, fits) in [(limits(7, 1 << 40), 7), (limits(1000, 95 * MB), 9)] {
        let bed = Bed::new(most);
        let made = (0..50).map(|at| {
            let saves = Arc::clone(&bed.saves);
            tokio::spawn(async move {
                let mut one = save(at, 1, "clare", 10 * MB);
                let put = saves.put(&one).await;
                // It turns out to be larger, or fails: never beyond the limit.
                if put.is_ok() && at % 3 == 0 {
                    one.bytes += MB / 2;
                    if saves.put(&one).await.is_err() {
                        saves.erase(&one.id).await.unwrap();
                        return false;
                    }
                }
                put.is_ok()
            })
        });
        let mut done = 0;
        for task in made.collect::<Vec<_>>() {
            done += usize::from(task.await.unwrap());
        }
        let totals = bed.totals("clare").await;
        assert_eq!(totals, bed.counted("clare").await, "what is counted is what there is");
        assert!(totals.beyond(most.person).is_none() && totals.count == done as u64, "{totals:?}");
        assert!(done <= fits && done + 2 >= fits, "{done} of {fits}");
        assert!(bed.saves.put(&save(99, 1, "bob", 10 * MB)).await.is_ok(), "others have limits of their own");
    }
}

#[tokio::test]
async fn what_is_let_go_counts_no_longer() {
    let bed = Bed::new(limits(2, 100 * MB));
    for number in [1, 2] {
        bed.saves.put(&save(1, number, "clare", 10 * MB)).await.unwrap();
    }
    let third = save(1, 3, "clare", MB);
    let refused = bed.saves.put(&third).await.unwrap_err();
    assert!(matches!(&refused, SaveError::Limit { .. }), "{refused}");
    assert!(refused.to_string().contains("at most 2 saves"), "{refused}");
    // What shrinks is never refused.
    bed.saves.put(&Save { bytes: 5, ..save(1, 2, "clare", 5) }).await.unwrap();
    bed.saves.let_go(&save(1, 1, "clare", 10 * MB), &event()).await.unwrap();
    bed.saves.erase(&save(1, 1, "clare", 0).id).await.unwrap();
    assert_eq!(bed.totals("clare").await, SaveTotals { count: 1, bytes: 5 });
    bed.saves.put(&third).await.unwrap();
    assert_eq!(bed.totals("clare").await, bed.counted("clare").await);
    assert!(bed.saves.store.get(&keys::event(&"0".repeat(32))).await.unwrap().is_some(), "and it is told");
}

#[tokio::test]
async fn one_that_something_begins_from_stays() {
    let bed = Bed::new(SaveLimits::default());
    let one = Save { state: SaveState::Complete, ..save(1, 1, "clare", 1) };
    bed.saves.put(&one).await.unwrap();
    let assignment = WorkspaceAssignment {
        resumes: Some(one.id.clone()),
        ..serde_json::from_value(serde_json::json!({
            "workspace": one.workspace, "run": 1, "newest_generation": Generation(1),
            "stage": WorkspaceStage::Waiting, "resumes": null,
        }))
        .unwrap()
    };
    bed.saves.store.put_json(&keys::workspace_assignment(&one.workspace), &assignment).await.unwrap();
    let needed = bed.saves.let_go(&one, &event()).await.unwrap_err();
    assert!(needed.to_string().contains(one.workspace.as_str()), "{needed}");
    assert!(bed.saves.find(&one.id).await.unwrap().is_some());
    assert!(bed.saves.forgettable().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_newest_automatic_one_replaces_the_others_and_half_made_ones_go() {
    let bed = Bed::new(SaveLimits::default());
    let automatic = |number| Save { automatic: true, state: SaveState::SingleCopy, ..save(1, number, "clare", 1) };
    let asked = Save { state: SaveState::Complete, ..save(1, 3, "clare", 1) };
    let half_made = save(2, 1, "clare", 1);
    for one in [automatic(1), automatic(2), asked, automatic(10), half_made.clone()] {
        bed.saves.put(&one).await.unwrap();
    }
    let at_it = bed.saves.turn(&half_made.id);
    let held = at_it.lock().await;
    let gone = bed.saves.forgettable().await.unwrap();
    assert_eq!(gone, [automatic(1).id, automatic(2).id], "that one is being made here");
    drop(held);
    let gone = bed.saves.forgettable().await.unwrap();
    assert!(gone.contains(&half_made.id) && gone.len() == 3, "nobody goes on with it: {gone:?}");
}
