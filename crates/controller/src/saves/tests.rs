//! Records of saves: limits whatever races, and which saves may go.

use super::*;
use crate::keys;
use pierhead_model::{
    Event, EventTag, Generation, ImageReference, MemberName, Save, SaveState, SaveTotals, SavedFiles, Timestamp,
    Username, WorkspaceAssignment, WorkspaceId, WorkspaceStage,
};
use pierhead_store::leadership::{Candidate, Leadership, Standing};
use pierhead_store::{Embedded, Revision, StoreJson};
use records::{By, SaveError};
use std::collections::BTreeSet;
use std::time::Duration;

const MB: u64 = 1 << 20;

/// The records of a controller that leads.
struct Bed {
    saves: Arc<Saves>,
    leadership: Leadership,
    _dir: tempfile::TempDir,
}

async fn lead(store: &Arc<dyn Store>) -> Leadership {
    Candidate::new(Arc::clone(store), "controller", "here", Duration::from_secs(30)).campaign().await.unwrap()
}

impl Bed {
    async fn new(limits: SaveLimits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Embedded::open(dir.path()).unwrap());
        let leadership = lead(&store).await;
        let clock = Clock::start();
        let saves = Saves::new(store, clock, Arc::new(Ids::new(clock)), limits, None);
        Self { saves: Arc::new(saves), leadership, _dir: dir }
    }

    fn leads(&self) -> Standing {
        self.leadership.standing()
    }

    /// Writes a record in place of what is there.
    async fn put(&self, save: &Save) -> Result<Revision, SaveError> {
        put(&self.saves, &self.leads(), save).await
    }

    async fn erase(&self, id: &SaveId) {
        let (_, revision) = self.saves.find(id).await.unwrap().unwrap();
        self.saves.erase(By::Leader(&self.leads()), id, revision).await.unwrap();
    }

    async fn forgettable(&self) -> Vec<SaveId> {
        self.saves.forgettable().await.unwrap().into_iter().map(|(id, _)| id).collect()
    }

    async fn totals(&self, owner: &str) -> SaveTotals {
        let key = keys::save_totals_of_person(&Username::parse(owner).unwrap());
        self.saves.store.get_json(&key).await.unwrap().map(|(totals, _)| totals).unwrap_or_default()
    }

    /// What the records come to, counted one by one.
    async fn counted(&self, owner: &str) -> SaveTotals {
        let all = self.saves.all().await.unwrap();
        let theirs = all.iter().filter(|save| save.owner.as_str() == owner);
        theirs.fold(SaveTotals::default(), |so_far, save| so_far.with(SaveTotals::default(), save.share()))
    }
}

async fn put(saves: &Saves, leads: &Standing, save: &Save) -> Result<Revision, SaveError> {
    let read = saves.find(&save.id).await?.map(|(_, revision)| revision);
    saves.put(leads, save, read).await
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
        handed_in: false,
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
        registry: None,
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
        let bed = Bed::new(most).await;
        let made = (0..50).map(|at| {
            let (saves, leads) = (Arc::clone(&bed.saves), bed.leads());
            tokio::spawn(async move {
                let mut one = save(at, 1, "clare", 10 * MB);
                let Ok(revision) = saves.put(&leads, &one, None).await else { return false };
                // It turns out to be larger, or fails: never beyond the limit.
                if at % 3 == 0 {
                    one.bytes += MB / 2;
                    if saves.put(&leads, &one, Some(revision)).await.is_err() {
                        saves.erase(By::Leader(&leads), &one.id, revision).await.unwrap();
                        return false;
                    }
                }
                true
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
        assert!(bed.put(&save(99, 1, "bob", 10 * MB)).await.is_ok(), "others have limits of their own");
    }
}

#[tokio::test]
async fn what_is_let_go_counts_no_longer() {
    let bed = Bed::new(limits(2, 100 * MB)).await;
    for number in [1, 2] {
        bed.put(&save(1, number, "clare", 10 * MB)).await.unwrap();
    }
    let third = save(1, 3, "clare", MB);
    let refused = bed.put(&third).await.unwrap_err();
    assert!(matches!(&refused, SaveError::Limit { .. }), "{refused}");
    assert!(refused.to_string().contains("at most 2 saves"), "{refused}");
    // What shrinks is never refused.
    bed.put(&Save { bytes: 5, ..save(1, 2, "clare", 5) }).await.unwrap();
    bed.saves.let_go(&save(1, 1, "clare", 10 * MB).id, &event()).await.unwrap();
    assert!(bed.saves.find(&save(1, 1, "clare", 0).id).await.unwrap().is_none());
    assert_eq!(bed.totals("clare").await, SaveTotals { count: 1, bytes: 5 });
    bed.put(&third).await.unwrap();
    assert_eq!(bed.totals("clare").await, bed.counted("clare").await);
    assert!(bed.saves.store.get(&keys::event(&"0".repeat(32))).await.unwrap().is_some(), "and it is told");
}

#[tokio::test]
async fn what_is_handed_in_is_not_refused_for_the_number_of_saves_and_leaves_it_to_its_student() {
    let bed = Bed::new(limits(2, 100 * MB)).await;
    let handed_in = |number, bytes| Save { handed_in: true, ..save(1, number, "clare", bytes) };
    bed.put(&handed_in(1, 10 * MB)).await.unwrap();
    assert_eq!(bed.totals("clare").await, SaveTotals { count: 0, bytes: 10 * MB });
    for number in [2, 3] {
        bed.put(&save(1, number, "clare", 10 * MB)).await.unwrap();
    }
    let refused = bed.put(&save(1, 4, "clare", MB)).await.unwrap_err().to_string();
    assert!(refused.contains("at most 2 saves may be kept, and there would be 3"), "{refused}");
    bed.put(&handed_in(5, 60 * MB)).await.unwrap();
    let refused = bed.put(&handed_in(6, 20 * MB)).await.unwrap_err().to_string();
    assert!(refused.contains("at most 100 MB, and would hold 110 MB"), "what all of it holds has a limit: {refused}");
    // One that is made by itself goes beyond, so that what shall stop can stop; it is counted.
    let automatic = |number| Save { automatic: true, ..save(2, number, "clare", MB) };
    for number in [1, 2] {
        bed.put(&automatic(number)).await.unwrap();
    }
    let refused = bed.put(&automatic(3)).await.unwrap_err().to_string();
    assert!(refused.contains("at most 4 saves may be kept, and there would be 5"), "not without end: {refused}");
    // Of what a successor goes on with it is looked up anew for whom it is.
    bed.put(&Save { handed_in: true, ..automatic(2) }).await.unwrap();
    assert_eq!(bed.totals("clare").await, SaveTotals { count: 3, bytes: 92 * MB });
    assert_eq!(bed.totals("clare").await, bed.counted("clare").await);
    for one in [handed_in(1, 0), save(1, 2, "clare", 0), save(1, 3, "clare", 0), automatic(1), automatic(2)] {
        bed.erase(&one.id).await;
    }
    assert_eq!(bed.totals("clare").await, SaveTotals { count: 0, bytes: 60 * MB });
    bed.erase(&handed_in(5, 0).id).await;
    let key = keys::save_totals_of_person(&Username::parse("clare").unwrap());
    assert!(bed.saves.store.get(&key).await.unwrap().is_none(), "of nothing nothing is kept");
}

#[tokio::test]
async fn one_that_something_begins_from_stays() {
    let bed = Bed::new(SaveLimits::default()).await;
    let one = Save { state: SaveState::Complete, ..save(1, 1, "clare", 1) };
    bed.put(&one).await.unwrap();
    let assignment = WorkspaceAssignment {
        resumes: Some(one.id.clone()),
        ..serde_json::from_value(serde_json::json!({
            "workspace": one.workspace, "run": 1, "newest_generation": Generation(1),
            "stage": WorkspaceStage::Waiting, "resumes": null,
        }))
        .unwrap()
    };
    bed.saves.store.put_json(&keys::workspace_assignment(&one.workspace), &assignment).await.unwrap();
    let needed = bed.saves.let_go(&one.id, &event()).await.unwrap_err();
    assert!(needed.to_string().contains(one.workspace.as_str()), "{needed}");
    assert!(bed.saves.find(&one.id).await.unwrap().is_some());
    assert!(bed.forgettable().await.is_empty());
}

#[tokio::test]
async fn the_newest_automatic_one_replaces_the_others_and_half_made_ones_go() {
    let bed = Bed::new(SaveLimits::default()).await;
    let automatic = |number| Save { automatic: true, state: SaveState::SingleCopy, ..save(1, number, "clare", 1) };
    let asked = Save { state: SaveState::Complete, ..save(1, 3, "clare", 1) };
    let half_made = save(2, 1, "clare", 1);
    for one in [automatic(1), automatic(2), asked, automatic(10), half_made.clone()] {
        bed.put(&one).await.unwrap();
    }
    let at_it = bed.saves.turn(&half_made.id);
    let held = at_it.write().await;
    let gone = bed.forgettable().await;
    assert_eq!(gone, [automatic(1).id, automatic(2).id], "that one is being made here");
    drop(held);
    let gone = bed.forgettable().await;
    assert!(gone.contains(&half_made.id) && gone.len() == 3, "nobody goes on with it: {gone:?}");
}

#[tokio::test]
async fn who_does_not_lead_any_more_changes_no_record() {
    let Bed { saves, leadership, _dir } = Bed::new(SaveLimits::default()).await;
    let former = leadership.standing();
    let half_made = save(1, 1, "clare", MB);
    let written = saves.put(&former, &half_made, None).await.unwrap();
    leadership.resign().await;
    let leadership = lead(&saves.store).await;
    // Even of what is as it was written.
    let late = |error: SaveError| matches!(error, SaveError::NotLeading);
    assert!(late(saves.erase(By::Leader(&former), &half_made.id, written).await.unwrap_err()));
    assert!(late(saves.put(&former, &half_made, Some(written)).await.unwrap_err()));
    assert!(late(saves.put(&former, &save(2, 1, "clare", MB), None).await.unwrap_err()));
    let complete = Save { state: SaveState::Complete, ..half_made.clone() };
    saves.put(&leadership.standing(), &complete, Some(written)).await.unwrap();
    let late = saves.erase(By::Leader(&former), &half_made.id, written).await.unwrap_err();
    assert!(matches!(late, SaveError::Changed(_)), "{late}");
    assert_eq!(saves.all().await.unwrap(), [complete]);
}

#[tokio::test]
async fn only_what_was_read_is_replaced_or_removed() {
    let bed = Bed::new(SaveLimits::default()).await;
    let (one, leads) = (save(1, 1, "clare", MB), bed.leads());
    let read = bed.put(&one).await.unwrap();
    let other = Save { state: SaveState::Complete, ..one.clone() };
    let now = bed.put(&other).await.unwrap();
    for stale in [Some(read), None] {
        let changed = bed.saves.put(&leads, &one, stale).await.unwrap_err();
        assert!(matches!(changed, SaveError::Changed(_)), "{changed}");
    }
    assert!(bed.saves.erase(By::Leader(&leads), &one.id, read).await.is_err());
    assert_eq!(bed.saves.find(&one.id).await.unwrap(), Some((other, now)));
    bed.erase(&one.id).await;
    bed.saves.erase(By::Leader(&leads), &one.id, now).await.expect("what has gone is gone");
    assert!(bed.saves.put(&leads, &one, Some(now)).await.is_err(), "it does not come back");
    assert_eq!(bed.totals("clare").await, SaveTotals::default());
}

#[tokio::test]
async fn what_a_workspace_was_described_as_is_kept_as_long_as_its_save() {
    let bed = Bed::new(SaveLimits::default()).await;
    let (one, leads) = (save(1, 1, "clare", MB), bed.leads());
    let spec = pierhead_model::EnvironmentSpec {
        containers: Vec::new(),
        lifetime_minutes: 7,
        idle_minutes: 0,
        warm: 0,
        asks: pierhead_model::Asks::default(),
    };
    assert_eq!(bed.saves.spec(&one.id).await.unwrap(), None);
    let written = bed.saves.begin(&leads, &one, &spec, None).await.unwrap();
    let complete = Save { state: SaveState::Complete, ..one.clone() };
    bed.saves.put(&leads, &complete, Some(written)).await.unwrap();
    assert_eq!(bed.saves.spec(&one.id).await.unwrap(), Some(spec));
    bed.erase(&one.id).await;
    assert_eq!(bed.saves.spec(&one.id).await.unwrap(), None);
}
