//! The loops: heartbeat and inventory of every engine, and snapshot → plan → apply; and the requests that edit what
//! people want.
//!
//! What to do is decided in `pierhead-planner` alone; here it is carried out and remembered. Nothing here knows HTTP.

mod accounting;
mod attempts;
mod authority;
mod backups;
mod classes;
mod clock;
mod collect;
mod controllers;
mod coursework;
mod detect;
mod discovery;
mod engines;
mod event_log;
mod execute;
mod follow;
mod freshness;
mod gone_logs;
mod groups;
mod health;
mod ids;
mod images;
mod joins;
pub mod keys;
mod known;
mod labs;
mod leases;
pub mod measured;
#[cfg(feature = "mutants")]
mod mutants;
mod pool_events;
mod reconciler;
mod recordings;
mod registries;
mod requests;
mod roster;
mod saves;
mod scripts;
mod spool;
mod stats;
mod sweep;
mod terminals;
mod usage;
mod wall;
mod workspaces;

pub use attempts::Document as LabDocument;
pub use authority::{Authority, AuthorityError, Issued, fingerprint};
pub use backups::BackupOptions;
pub use clock::Clock;
pub use controllers::{ControllerAddresses, ControllerState};
pub use detect::{EngineAnswers, Heard, HostBeat};
pub use discovery::{HostInRegistry, OpenRegistry, RegisterError};
pub use engines::{Connect, Connection, Heartbeat, SecondPath};
pub use event_log::{EventFilter, EventPages, EventStream, Logged, Since};
pub use gone_logs::GoneLogOptions;
pub use ids::Ids;
pub use images::{ArchiveError, Spread, SpreadState, SpreadStep, Upload};
pub use joins::{Admission, HostTold, JoinError, JoinSecret, Joined, JoiningHost};
pub use known::Known;
pub use labs::{
    Checked as CheckedLab, LabAt, LabDifference, LabFile, LabFileChange, LabFiles, LabPreview, LabUpload, LibraryError,
    Spooled, Tree as LabTree, TreeError as LabTreeError,
};
pub use leases::LeaseTerms;
pub use pierhead_sessions::Wanted;
pub use requests::{
    Actor, AppLogPiece, AttemptBeginning, AttemptNow, ConsentNow, Container, ContainerLog, CourseChange, CourseNow,
    DueChange, ExtensionChange, GradeChange, GradeLineChange, Gradebook, GradebookRow, Idempotency, ImportedLab,
    LabAhead, LabBefore, LabFileNow, LabOutline, LabOutlineStep, LabPage, LabResult, LabRun, LabRunResult, LabSetting,
    LabTarget, MOST_ATTEMPTS_OF_ONE, MOST_COURSES_OF_ONE, MOST_ENVIRONMENTS_OF_ONE, MOST_LABS_OF_ONE, MOST_LOG_READERS,
    MOST_LOG_READERS_OF_ONE, MOST_MERGED, MOST_SLOTS, MOST_TERMINALS, MOST_TERMINALS_OF_ONE, MOST_WARM_OF_ONE,
    MOST_WORKSPACES_OF_ONE, Once, OpenWorkspace, PoolImage, PoolImages, QuizReply, RecordingNow, RequestError,
    RunRequest, SaveChanges, SiteContainer, Started, StudentChange, TerminalNow, TerminalRequest, TerminalWay,
    UsageNow, WorkChange, WorkNow, WorkspaceBeginning, WorkspaceChange, WorkspaceNow, WorkspaceSite,
};
pub use requests::{HandNow, MOST_ON_WALL, WallEntry, WallOutcome, WallScope, WallWork, Watch};
pub use roster::{RosterError, RosterOptions, RosterOrder, RosterRecord, RosterReport};
pub use stats::{
    ContainerStatistics, EngineStatistics, Figures, HostLoad, Measured as StatisticsMeasured, Statistics,
    StatisticsSeries, StatisticsStream, StatsOf, Told,
};
pub use terminals::{HomeError, Line, Looking, TERMINAL_VARIABLE, TerminalHome, TerminalHomes, TerminalOrder};
pub use usage::PoolUsage;
pub use wall::{MOST_SHOWN, WallPictures};

use collect::{Desk, Term};
use controllers::Controllers;
use engines::Engines;
use event_log::Log;
use gone_logs::GoneLogs;
use images::Images;
use known::Shared;
use measured::{Measured, MeasuredStore};
use pierhead_blobs::Blobs;
use pierhead_planner::{Policy, World};
use pierhead_store::leadership::Candidate;
use pierhead_store::seal::{SealedDocuments, Sealer};
use pierhead_store::{Revision, Store};
use registries::Registries;
use saves::Saves;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, RwLockReadGuard};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How a controller goes about its work.
#[derive(Debug, Clone)]
pub struct Options {
    /// The numbers that the planner goes by.
    pub policy: Policy,
    /// How engines are probed and listed.
    pub heartbeat: Heartbeat,
    /// The most processes in a container.
    pub pids_limit: u32,
    /// How long an operation may take unless the request says otherwise.
    pub operation_timeout: Duration,
    /// How long a container may take to stop by itself before it is killed, in seconds.
    pub stop_grace_seconds: u32,
    /// How many events are kept.
    pub events_kept: usize,
    /// How long an event is kept.
    pub events_age: Duration,
    /// What is kept of the logs of containers that are gone.
    pub gone_logs: GoneLogOptions,
    /// Where image archives are kept that people send in.
    pub images: Blobs,
    /// Where the files of labs are kept. What others may just be writing is left alone there, whoever writes.
    pub lab_files: Blobs,
    /// The largest image archive, unpacked, in bytes.
    pub largest_image_bytes: u64,
    /// Backups on a schedule; none without.
    pub backups: Option<BackupOptions>,
    /// The school's own list of people and courses.
    pub roster: RosterOptions,
    /// The most that people and environments may have of saves.
    pub save_limits: pierhead_model::SaveLimits,
    /// Where saves are sent beside the hosts.
    pub save_registry: Option<pierhead_model::SaveRegistry>,
    /// The time between two looks at what hosts have of saves.
    pub save_sweep_interval: Duration,
    /// The least time between two looks at what workspaces have written to the disks of their hosts.
    pub disk_look_interval: Duration,
    /// The time between two removals of what is kept no longer.
    pub sweep_interval: Duration,
    /// The time between two moments at which it is written what workspaces used.
    pub usage_write_interval: Duration,
    /// The time before checks that did not pass are run again on the copy of what was handed in.
    pub copy_check_interval: Duration,
    /// The time between two looks for recordings whose time is over.
    pub recording_look_interval: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            heartbeat: Heartbeat::default(),
            pids_limit: 1024,
            operation_timeout: Duration::from_secs(600),
            stop_grace_seconds: 10,
            events_kept: 100_000,
            events_age: Duration::from_secs(30 * 24 * 3600),
            gone_logs: GoneLogOptions::default(),
            images: Blobs::directory("images", false),
            lab_files: Blobs::directory("labs", true),
            largest_image_bytes: 4 << 30,
            backups: None,
            roster: RosterOptions::default(),
            save_limits: pierhead_model::SaveLimits::default(),
            save_registry: None,
            save_sweep_interval: Duration::from_secs(60),
            disk_look_interval: Duration::from_secs(3),
            sweep_interval: Duration::from_secs(600),
            usage_write_interval: Duration::from_secs(60),
            copy_check_interval: Duration::from_secs(5),
            recording_look_interval: Duration::from_secs(60),
        }
    }
}

/// How long after the start those who ask what runs wait for the hosts.
const FIRST_LOOK_MS: u64 = 1_000;

/// How long another controller's leadership outlives it.
const LEADER_TTL: Duration = Duration::from_secs(3);

/// A running controller. Cheap to clone; ends when [`Controller::shut_down`] is called.
#[derive(Clone)]
pub struct Controller {
    store: Arc<dyn Store>,
    /// The store as it lies: what is sealed stays so.
    bare: Arc<dyn Store>,
    sealer: Arc<Sealer>,
    measured: Arc<Measured>,
    shared: Arc<Shared>,
    engines: Arc<Engines>,
    log: Arc<Log>,
    leading: Arc<watch::Sender<Option<Term>>>,
    standing: Arc<leases::Leading>,
    clock: Clock,
    ids: Arc<Ids>,
    options: Arc<Options>,
    readings: Arc<usage::Readings>,
    stats: Arc<stats::Stats>,
    freshness: Arc<freshness::Freshness>,
    terminals: Arc<terminals::Terminals>,
    wall: wall::Hub,
    gone_logs: Arc<GoneLogs>,
    images: Arc<Images>,
    registries: Arc<Registries>,
    pub(crate) library: Arc<labs::Library>,
    pub(crate) saves: Arc<Saves>,
    claims: Arc<requests::Claims>,
    scripts: Arc<attempts::Scripts>,
    outlines: Arc<attempts::Outlines>,
    asking: attempts::Asking,
    /// Rings when work was handed in.
    handed_in: Arc<tokio::sync::Notify>,
    discovers: Arc<AtomicBool>,
    /// Held by whoever looks at the school's list.
    roster_turn: Arc<tokio::sync::Mutex<()>>,
    controllers: Arc<Controllers>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Controller {
    /// Loads everything from the store and starts the loops. Engines are reached in the background.
    ///
    /// # Errors
    /// Those of the store, also for a record that can't be read.
    pub async fn start(
        store: Arc<dyn Store>,
        sealer: Arc<Sealer>,
        connect: Connect,
        options: Options,
    ) -> pierhead_store::Result<Self> {
        let measured = Arc::new(Measured::default());
        let bare = Arc::clone(&store);
        let store: Arc<dyn Store> = Arc::new(MeasuredStore::new(store, Arc::clone(&measured)));
        let store: Arc<dyn Store> = Arc::new(SealedDocuments::new(store, Arc::clone(&sealer), keys::SEALED));
        let clock = Clock::start();
        let world = World::new(store.cluster_id(), options.policy.clone(), clock.now());
        let shared = Arc::new(Shared::new(world, clock));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let log = Arc::new(Log::at(store.list(keys::EVENTS, None, 1).await?.revision, clock));
        let ids = Arc::new(Ids::new(clock));
        let (me, (leading, leads)) = (ids.unique(), watch::channel(None));
        let desk = Desk { store: Arc::clone(&store), ids: Arc::clone(&ids), clock, measured: Arc::clone(&measured) };
        let (of_gone, seals) = (&options.gone_logs, Arc::clone(&sealer));
        let gone_logs = GoneLogs::new(of_gone, seals, Arc::clone(&shared), Arc::clone(&measured), clock);
        let heartbeat = options.heartbeat;
        let engines = Engines::new(Arc::clone(&shared), connect, heartbeat, desk, leads, stop.clone(), tasks.clone());
        let engines = Arc::new(engines);
        let terminals = Arc::new(terminals::Terminals::new(Arc::clone(&engines), clock));
        let images = Images::new(Arc::clone(&store), options.images.clone(), options.largest_image_bytes);
        let library = Arc::new(labs::Library::new(options.lab_files.clone()));
        let registries = Registries::new(Arc::clone(&store), Arc::clone(&sealer));
        let (limits, registry) = (options.save_limits, options.save_registry.clone());
        let saves = Saves::new(Arc::clone(&store), clock, Arc::clone(&ids), limits, registry);
        let controller = Self {
            store,
            bare,
            sealer,
            measured,
            shared,
            engines,
            log,
            leading: Arc::new(leading),
            standing: Arc::default(),
            clock,
            ids,
            options: Arc::new(options),
            readings: Arc::default(),
            stats: Arc::new(stats::Stats::new(clock)),
            freshness: Arc::default(),
            terminals,
            wall: wall::Hub::new(),
            gone_logs: Arc::new(gone_logs),
            images: Arc::new(images),
            registries: Arc::new(registries),
            library,
            saves: Arc::new(saves),
            claims: Arc::default(),
            scripts: Arc::default(),
            outlines: Arc::default(),
            asking: attempts::Asking::default(),
            handed_in: Arc::default(),
            discovers: Arc::default(),
            roster_turn: Arc::default(),
            controllers: Arc::new(Controllers::new(me)),
            stop,
            tasks,
        };
        let from = follow::load(&*controller.store, &controller.shared, &controller.engines).await?;
        controller.spawn_loops(from);
        controller.sweep_blobs().await?;
        Ok(controller)
    }

    /// Starts everything that goes on by itself; records are followed from here on.
    fn spawn_loops(&self, from: Revision) {
        self.spawn(follow::follow(Arc::clone(&self.store), Arc::clone(&self.shared), Arc::clone(&self.engines), from));
        let (log, store) = (Arc::clone(&self.log), Arc::clone(&self.store));
        self.spawn(event_log::outline(Arc::clone(&log), Arc::clone(&store), self.clock, self.options.events_kept));
        self.spawn(event_log::follow(log, store));
        self.spawn(Arc::clone(&self.engines).watch_agents());
        // It ends by itself, and lets a successor begin.
        self.tasks.spawn(reconciler::lead(self.clone()));
        self.spawn(sweep::sweep(self.clone()));
        self.spawn(self.clone().keep_asking());
        self.spawn(terminals::Keeper::new(self.clone()).run());
        self.spawn(wall::follow_homes(self.clone()));
        self.spawn(workspaces::watch_activity(self.clone()));
        self.spawn(workspaces::watch_disk(self.clone()));
        self.spawn(attempts::watch_attempts(self.clone()));
        self.spawn(workspaces::list_networks(self.clone()));
        let (stats, shared) = (Arc::clone(&self.stats), Arc::clone(&self.shared));
        let engines = Arc::clone(&self.engines);
        self.spawn(stats::Collector::new(stats, shared, engines, self.tasks.clone()).run());
        if let (Some(_), Some(every)) = (&self.options.roster.source, self.options.roster.every) {
            self.spawn(roster::follow_roster(self.clone(), every));
        }
        if let Some(backups) = self.options.backups.clone() {
            self.spawn(self.clone().back_up(backups));
        }
    }

    /// How the homes of terminals in hosts' agents are reached.
    pub fn set_terminal_homes(&self, homes: Arc<dyn TerminalHomes>) {
        self.terminals.set_homes(homes);
    }

    /// Returns when the controller stops.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Stops the loops; containers run on, and the terminals that live here end.
    pub async fn shut_down(&self) {
        self.end_terminals().await;
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.leave().await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// The world as it is known now. Not to be held across an await.
    /// Nobody who holds it asks for it again: whoever wants to write in between would wait for them, and they for whoever
    /// writes.
    pub fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.shared.read()
    }

    /// Returns once it is known what runs on every host that answers, or a second after the start: before that, what runs
    /// would be told as if it did not.
    pub async fn first_look(&self) {
        let mut changes = self.changes();
        loop {
            let left = {
                let known = self.known();
                let left = FIRST_LOOK_MS.saturating_sub(self.clock.now().since(known.world.since));
                if left == 0 || known.world.is_seen() {
                    return;
                }
                left
            };
            // Either way it is looked again.
            let _changed = tokio::time::timeout(Duration::from_millis(left), changes.changed()).await;
        }
    }

    /// Tells of every change of the world, without saying which.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes()
    }

    /// Waits until the world holds everything up to a revision.
    pub async fn reached(&self, revision: Revision) {
        self.shared.reached(revision).await;
    }

    /// The store that everything is kept in; what must not lie there in the clear is sealed on its way.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What was measured so far.
    #[must_use]
    pub fn measured(&self) -> &Measured {
        &self.measured
    }

    /// The moment, on a clock that never jumps.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Makes ids.
    #[must_use]
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    fn candidate(&self) -> Candidate {
        Candidate::new(Arc::clone(&self.store), "controller", self.controllers.me(), LEADER_TTL)
    }
}
