//! What must hold after each pair, by the hosts' own lists.

use super::trial::Trial;
use super::{Cause, Step};
use crate::asking::to_the_end;
use crate::workspaces::reaches;
use pierhead_controller::keys;
use pierhead_engine::Fake;
use pierhead_model::{ContainerId, ObservedContainer, Save, SaveId, WorkspaceOwnership};
use pierhead_testkit::{PATIENCE, eventually_ok};
use pierhead_wire::WorkspaceRequest;

impl Trial {
    /// The hosts that can be asked.
    fn answering(&self) -> impl Iterator<Item = (String, &Fake)> {
        self.pool.cluster.hosts().enumerate().filter(|(at, _)| Some(*at) != self.lost).map(|(_, host)| host)
    }

    /// Its containers on a host, as that lists them.
    fn on(&self, host: &Fake) -> Vec<ObservedContainer> {
        let is_its = |found: &ObservedContainer| {
            WorkspaceOwnership::read(&found.labels).is_some_and(|of| of.workspace == self.id)
        };
        host.look().into_iter().filter(is_its).collect()
    }

    async fn saves(&self) -> Vec<Save> {
        let listing = self.pool.cluster.controller().store().list_all(keys::SAVES).await.unwrap();
        listing.entries.iter().map(|entry| entry.json().unwrap()).collect()
    }

    /// How much of the work is in each save that can be had, by the images on the hosts.
    fn worth_of(&self, save: &Save) -> Option<u64> {
        let files = &save.containers[0];
        self.answering().find_map(|(_, host)| host.worth_of_image(files.image.as_str(), &files.image_id))
    }

    /// How much of the work is in each container and each save.
    pub async fn worths(&self) -> Vec<u64> {
        let saves = self.saves().await;
        let saved = saves.iter().filter(|save| save.is_usable()).filter_map(|save| self.worth_of(save));
        let live = self.answering().flat_map(|(_, host)| {
            self.on(host).into_iter().map(|found| host.worth(&found.id).unwrap()).collect::<Vec<_>>()
        });
        saved.chain(live.collect::<Vec<_>>()).collect()
    }

    /// What is in a container of a host that can't be asked, and that its record remembers.
    async fn worth_on_the_lost_host(&self) -> Option<u64> {
        let host = self.pool.host(self.lost?);
        let engine = format!("host-{}", self.lost? + 1);
        let assignment = self.assignment().await?;
        let mut places = assignment.place.iter().chain(&assignment.left);
        let is_remembered = places.any(|place| place.engine.as_str() == engine);
        let found = self.on(host);
        found.iter().filter(|_| is_remembered).map(|found| host.worth(&found.id).unwrap()).max()
    }

    /// All work is somewhere, saves are what they were told to be, and nothing runs twice.
    pub async fn check(&mut self) {
        self.all_work_is_somewhere().await;
        self.saves_are_whole().await;
        // What had rested may be started once more: its engine tells late that a container ended with it.
        let view = eventually_ok(PATIENCE, "what is there is what is told", async || {
            let view = self.view().await;
            let there: Vec<_> = self.answering().flat_map(|(_, host)| self.on(host)).collect();
            assert!(there.len() <= 1, "{}: {there:#?}", view.phase);
            let is_true = view.phase != "starting" && there.len() == usize::from(view.phase == "ready");
            if is_true { Ok(view) } else { Err(format!("{}: {}", view.phase, there.len())) }
        })
        .await;
        if view.phase == "ready" {
            eventually_ok(PATIENCE, "each save that was asked for was made or failed", async || {
                let taken = self.assignment().await.unwrap().saves_taken;
                let asked = self.pool.cluster.controller().known().world.workspaces()[&self.id].saves_asked;
                if taken == asked { Ok(()) } else { Err(format!("{taken} of {asked}")) }
            })
            .await;
        }
        // What is made of a save of one whose time is over has no time either.
        if self.pair.cause != Cause::Expiry {
            self.newest_save_comes_back().await;
        }
    }

    async fn all_work_is_somewhere(&self) {
        let most = self.done.iter().copied().max().unwrap_or(0);
        let worths = self.worths().await;
        let there = worths.iter().copied().chain(self.worth_on_the_lost_host().await).max().unwrap_or(0);
        assert!(there >= most, "of {most} bytes there are {there}: {worths:?}");
        // Where nothing was cut off people find the newest, and not only somewhere.
        let is_whole = !matches!(self.pair.cause, Cause::Cut | Cause::Lost);
        if is_whole && !matches!(self.pair.step, Step::Making | Step::Priming) {
            let found = match &self.there {
                Some((at, id)) if !self.stops() => self.pool.host(*at).worth(id).ok(),
                _ => {
                    let last = self.assignment().await.and_then(|found| found.last_save);
                    let saves = self.saves().await;
                    saves.iter().find(|save| Some(&save.id) == last.as_ref()).and_then(|save| self.worth_of(save))
                }
            };
            assert_eq!(found, Some(most), "what people find");
        }
    }

    /// Each save that people see is on the hosts that it is said to be on, and the one that they were told of holds what it
    /// held then.
    async fn saves_are_whole(&self) {
        let saves = self.saves().await;
        for save in saves.iter().filter(|save| save.is_usable()) {
            for files in &save.containers {
                for (id, host) in self.answering().filter(|(id, _)| save.copies.iter().any(|copy| copy.as_str() == id))
                {
                    let worth = host.worth_of_image(files.image.as_str(), &files.image_id);
                    assert_eq!(worth, Some(files.layer_bytes), "{} on {id}", files.image);
                }
            }
        }
        if let Some((id, bytes)) = &self.acknowledged {
            // One that was made before a stop gives way to one that holds all of it.
            let last = self.assignment().await.and_then(|found| found.last_save);
            let of = |id: &str| saves.iter().find(|save| save.id.as_str() == id).and_then(|save| self.worth_of(save));
            let (it, newest) = (of(id), last.and_then(|last| of(last.as_str())));
            let gives_way = matches!(self.pair.step, Step::Fetching | Step::Remaking) && newest >= Some(*bytes);
            assert!(it == Some(*bytes) || it.is_none() && gives_way, "save {id} of {bytes}: {it:?}, newest {newest:?}");
        }
    }

    /// Somebody begins from it, anywhere.
    async fn newest_save_comes_back(&self) {
        let Some(save) = self.view().await.last_save else { return };
        let record: Save = self.record(&keys::save(&SaveId::parse(save.as_str()).unwrap())).await.unwrap();
        let ann = self.ann().await;
        let request = WorkspaceRequest { save: Some(save), ..WorkspaceRequest::default() };
        let copy = ann.open_workspace(&request, &to_the_end()).await.unwrap();
        let copy = reaches(&ann, &copy.id, "ready").await;
        let container = ContainerId::parse(copy.containers[0].id.clone().unwrap()).unwrap();
        let host = self.pool.cluster.host_named(copy.engine.as_deref().unwrap());
        assert_eq!(host.worth(&container).unwrap(), record.bytes, "what came back of {}", record.id);
        ann.end_workspace(&copy.id, true).await.unwrap();
        reaches(&ann, &copy.id, "ended").await;
    }

    /// It ends, its saves are deleted, and nothing of it is left.
    pub async fn ends(&self) {
        let ann = self.ann().await;
        ann.end_workspace(self.id.as_str(), false).await.unwrap();
        reaches(&ann, self.id.as_str(), "ended").await;
        self.pool.cluster.assert_invariants().await;
        eventually_ok(PATIENCE, "its saves go", async || {
            let all = ann.saves().await.unwrap().into_value();
            for save in &all {
                // What is being swept is gone a moment later.
                let _gone = ann.delete_save(&save.id).await;
            }
            if all.is_empty() { Ok(()) } else { Err(format!("{all:?}")) }
        })
        .await;
        eventually_ok(PATIENCE, "nothing is left", async || {
            for (id, host) in self.answering() {
                let (containers, networks) = (host.look(), host.engine().networks().await.unwrap());
                let mut images = host.image_names();
                images.retain(|name| name.starts_with(Save::IMAGES) || name.starts_with(Save::UNFINISHED));
                if !containers.is_empty() || !networks.is_empty() || !images.is_empty() {
                    return Err(format!("on {id}: {containers:?} {networks:?} {images:?}"));
                }
            }
            Ok(())
        })
        .await;
    }
}
