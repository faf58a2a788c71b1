//! The controller killed without warning in the middle of runs and scales, and started again on the same records. The
//! engines themselves say what is there afterwards.
//!
//! With `PIERHEAD_SOAK=1` in the environment: 200 random kills instead of the fixed ones, or `PIERHEAD_SOAK_KILLS`, from
//! the seed `PIERHEAD_SOAK_SEED`.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use pierhead_controller::keys;
use pierhead_devhosts::{EtcdSpec, Host, Pool, PoolSpec};
use pierhead_model::{Assignment, Ownership};
use pierhead_store::{Embedded, Etcd, EtcdAddress, EtcdSettings, Store};

use crate::api::Api;
use crate::canary::Canary;
use crate::controller::{Controller, PASSWORD};
use crate::place::Place;
use crate::program::{Ended, program};
use crate::raw::{self, Listed, ids};
use crate::wait::{PATIENCE, until_right};

/// The app that is scaled up and down and never ends.
pub const SCALED: &str = "scaled";
const SMALL: u32 = 4;
const LARGE: u32 = 9;
/// The size of a batch.
const BATCH: u32 = 6;

/// What is under way when the controller dies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    Run,
    ScaleUp,
    ScaleDown,
}

/// When it dies.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// So many milliseconds after the request was sent.
    Millis(u64),
    /// When the engines have made, or removed, so many containers.
    Seen(usize),
}

use Moment::{Millis, Seen};
use Work::{Run, ScaleDown, ScaleUp};

const FIXED: [(Work, Moment); 20] = [
    (Run, Millis(0)),
    (ScaleUp, Millis(3)),
    (ScaleDown, Millis(3)),
    (Run, Millis(10)),
    (ScaleUp, Millis(20)),
    (ScaleDown, Millis(20)),
    (Run, Millis(40)),
    (ScaleUp, Seen(1)),
    (ScaleDown, Seen(1)),
    (Run, Seen(1)),
    (ScaleUp, Seen(2)),
    (ScaleDown, Seen(2)),
    (Run, Seen(2)),
    (ScaleUp, Seen(4)),
    (ScaleDown, Seen(4)),
    (Run, Seen(4)),
    (ScaleUp, Seen(5)),
    (ScaleDown, Seen(5)),
    (Run, Seen(6)),
    (Run, Millis(400)),
];

#[test]
fn a_controller_killed_at_any_moment_loses_and_doubles_nothing() {
    let mut pool = KilledPool::new(&[]);
    pool.begin().unwrap();
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let soak = std::env::var_os("PIERHEAD_SOAK").map(|_| 200);
    let moments = match number("PIERHEAD_SOAK_KILLS").or(soak) {
        None => FIXED.to_vec(),
        Some(kills) => {
            let seed = number("PIERHEAD_SOAK_SEED").unwrap_or(1);
            println!("{kills} kills from seed {seed}");
            random(kills, seed)
        }
    };
    for (round, (work, moment)) in moments.into_iter().enumerate() {
        let began = Instant::now();
        let outcome = pool.round(work, moment);
        println!("{round}: {work:?} {moment:?}: {outcome:?}, {:?}", began.elapsed());
        if let Err(wrong) = outcome {
            panic!("round {round}, {work:?}, killed at {moment:?}: {wrong}\n{}", pool.controller.output());
        }
    }
}

fn random(kills: u64, seed: u64) -> Vec<(Work, Moment)> {
    let mut state = seed;
    let mut next = |below: u64| {
        // The generator of Steele, Lea and Flood's "Fast splittable pseudorandom number generators".
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    };
    let mut is_large = false;
    let mut draw = |_| {
        let work = match (next(2), is_large) {
            (0, _) => Run,
            (_, false) => ScaleUp,
            (_, true) => ScaleDown,
        };
        is_large = if work == Run { is_large } else { !is_large };
        (work, Millis(next(1_500)))
    };
    (0..kills).map(&mut draw).collect()
}

/// Where a controller keeps everything in a pool's etcd.
pub fn store_in(pool: &Pool) -> EtcdSettings {
    let members: Vec<_> = pool.etcd().unwrap().iter().map(|member| member.url().replace("http://", "")).collect();
    EtcdSettings::new(EtcdAddress::parse(&format!("etcd://{}/e2e", members.join(","))).unwrap())
}

/// Three hosts and a controller that is killed again and again.
pub struct KilledPool {
    // Dropped before the place, which removes the hosts.
    pub controller: Controller,
    pub hosts: Vec<Host>,
    canaries: Vec<Canary>,
    pub token: Option<String>,
    url: String,
    /// The first containers of the app that is scaled: the oldest, which outlive everything.
    oldest: Vec<String>,
    /// How many containers each app shall have.
    pub wanted: BTreeMap<String, u32>,
    requests: u32,
    /// How long the pool may take to be right again.
    pub recovers_within: Duration,
    /// The etcd cluster that everything is kept in; none for the controller's own directory.
    etcd: Option<EtcdSettings>,
    pub pool: Pool,
    _place: Place,
}

impl KilledPool {
    pub fn new(env: &[(&str, &str)]) -> Self {
        Self::with_etcd(env, 0)
    }

    /// The same, with everything kept in an etcd cluster of so many members, if there are any.
    pub fn with_etcd(env: &[(&str, &str)], members: usize) -> Self {
        let place = Place::new();
        let etcd = EtcdSpec { members, ..EtcdSpec::default() };
        let pool = Pool::up(PoolSpec { dir: place.pool(), hosts: 3, etcd, ..PoolSpec::default() }).unwrap();
        let etcd = (members > 0).then(|| store_in(&pool));
        let dir = place.beside("controller");
        let file = dir.join("password").display().to_string();
        // Nothing that has no record is removed as long as this test lasts: it must not come to be.
        let store = etcd.as_ref().map_or("embedded".to_owned(), |etcd| etcd.address().to_string());
        let args = ["--admin-password-file", &file, "--orphan-grace", "1h", "--store", &store];
        let controller = Controller::new(&dir, &args, env);
        Self::of(place, pool, etcd, controller)
    }

    /// One of hosts that are there already, with a controller that does not run yet.
    pub fn of(place: Place, pool: Pool, etcd: Option<EtcdSettings>, controller: Controller) -> Self {
        let hosts = pool.hosts().unwrap();
        let canaries = hosts.iter().map(Canary::new).collect();
        Self {
            controller,
            hosts,
            canaries,
            token: None,
            url: String::new(),
            oldest: Vec::new(),
            wanted: BTreeMap::new(),
            requests: 0,
            recovers_within: PATIENCE,
            etcd,
            pool,
            _place: place,
        }
    }

    /// The first start: hosts are added, and the app that will be scaled runs.
    pub fn begin(&mut self) -> Result<(), String> {
        let url = self.controller.start();
        self.ask_at(url);
        let api = self.api();
        self.hosts.iter().for_each(|host| api.add_engine(host));
        self.first_app()
    }

    /// Asks at an address, or at several, from now on.
    pub fn ask_at(&mut self, url: String) {
        self.url = url;
        self.token.get_or_insert_with(|| Api::new(&self.url, None).log_in(PASSWORD).unwrap());
    }

    /// The app that will be scaled, as soon as all hosts are there.
    pub fn first_app(&mut self) -> Result<(), String> {
        let api = self.api();
        for host in &self.hosts {
            until_right(PATIENCE, || match api.health(host.name()) {
                (status, _) if status == "healthy" => Ok(()),
                unhealthy => Err(format!("{unhealthy:?}")),
            })?;
        }
        self.wanted.insert(SCALED.to_owned(), SMALL);
        let operation = api.run_sample(SCALED, SMALL, "begin").map_err(|error| error.to_string())?;
        self.is_done(&operation)?;
        self.is_right()?;
        self.note_oldest();
        Ok(())
    }

    pub fn api(&self) -> Api {
        Api::new(&self.url, self.token.as_deref())
    }

    /// Runs the program as the pool's administrator.
    pub fn cli(&self, args: &[&str]) -> Ended {
        let token = self.token.as_deref().unwrap_or_default();
        Ended::of(program().env("PIERHEAD_URL", &self.url).env("PIERHEAD_TOKEN", token).args(args))
    }

    /// Begins some work, kills the controller, starts it again, sends the request again as a client does that heard
    /// nothing, and checks everything.
    pub fn round(&mut self, work: Work, moment: Moment) -> Result<(), String> {
        self.requests += 1;
        let key = format!("request-{}", self.requests);
        let (app, count) = match work {
            Run => (format!("batch-{}", self.requests), BATCH),
            ScaleUp => (SCALED.to_owned(), LARGE),
            ScaleDown => (SCALED.to_owned(), SMALL),
        };
        let before = raw::of_app(&self.hosts, &app).len();
        let first = thread::scope(|scope| {
            let api = self.api();
            let request = scope.spawn(|| ask(api, work, &app, count, &key));
            wait_for(moment, || raw::of_app(&self.hosts, &app).len().abs_diff(before));
            self.controller.kill();
            request.join().unwrap()
        });
        let at_kill = self.what_is_left(&app)?;
        self.url = self.controller.start();
        if self.requests.is_multiple_of(4) {
            // Once more, in the middle of its taking over.
            self.controller.kill();
            self.what_is_left(&app)?;
            self.url = self.controller.start();
        }
        let again = ask(self.api(), work, &app, count, &key).map_err(|error| format!("asked again: {error}"))?;
        if let Ok(first) = first
            && first != again
        {
            return Err(format!("asked again, another operation was begun: {first}, {again}"));
        }
        self.wanted.insert(app.clone(), count);
        self.is_done(&again)?;
        self.is_right()?;
        self.are_kept(&at_kill, &app, work)?;
        if work == Run { self.remove(&app) } else { Ok(()) }
    }

    /// What runs at the moment of the kill. Everything must have a record: the intent comes before the deed. The records
    /// are read before and after, since another controller may go on with the work.
    pub fn what_is_left(&self, app: &str) -> Result<Vec<Listed>, String> {
        let mut records = self.records();
        let there = raw::ours(&self.hosts);
        records.extend(self.records());
        for container in &there {
            let owner = Ownership::read(&container.labels).ok_or_else(|| format!("half labelled: {container:?}"))?;
            let of_slot: Vec<_> = records.iter().filter(|record| record.key() == owner.slot).collect();
            let is_known = of_slot.iter().any(|record| {
                record.generation > owner.generation
                    || (record.generation == owner.generation && record.engine.as_str() == container.host)
            });
            if !is_known {
                return Err(format!("unrecorded: {} on {}: {of_slot:?}", container.name, container.host));
            }
        }
        Ok(there.into_iter().filter(|container| container.is_of(app) && container.runs()).collect())
    }

    /// The records as the dead controller left them.
    fn records(&self) -> Vec<Assignment> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store: Box<dyn Store> = match &self.etcd {
                None => Box::new(Embedded::open(self.controller.data_dir()).unwrap()),
                Some(etcd) => Box::new(Etcd::open(etcd).await.unwrap()),
            };
            let listing = store.list_all(keys::ASSIGNMENTS).await.unwrap();
            listing.entries.iter().map(|entry| entry.json().unwrap()).collect()
        })
    }

    pub fn is_done(&self, operation: &str) -> Result<(), String> {
        let seconds = u32::try_from(self.recovers_within.as_secs()).unwrap();
        let ended = self.api().ended(operation, seconds).map_err(|error| error.to_string())?;
        if ended.state == "done" { Ok(()) } else { Err(format!("the operation: {ended:?}")) }
    }

    /// Waits until the pool is as wanted.
    pub fn is_right(&self) -> Result<(), String> {
        until_right(self.recovers_within, || self.is_right_now()).map(drop)?;
        self.canaries.iter().try_for_each(Canary::check_ran_on)
    }

    /// Exactly the wanted replicas by the engines' own lists: none missing, none doubled, none left over, no operation
    /// open; and the controller says the same.
    fn is_right_now(&self) -> Result<(), String> {
        let there = raw::ours(&self.hosts);
        let mut slots: BTreeMap<(&str, &str), &Listed> = BTreeMap::new();
        for container in &there {
            let (app, slot) = (container.labels["pierhead.app"].as_str(), container.labels["pierhead.slot"].as_str());
            if !self.wanted.contains_key(app) {
                return Err(format!("left over: {container:?}"));
            }
            if !container.runs() {
                return Err(format!("does not run: {container:?}"));
            }
            if let Some(other) = slots.insert((app, slot), container) {
                return Err(format!("doubled: {container:?} and {other:?}"));
            }
        }
        for (app, count) in &self.wanted {
            let running = slots.keys().filter(|(of, _)| of == app).count();
            if running != *count as usize {
                return Err(format!("{running} of {app} run instead of {count}"));
            }
        }
        self.is_told_right(&there)
    }

    fn is_told_right(&self, there: &[Listed]) -> Result<(), String> {
        let api = self.api();
        let apps = api.wait(api.client.apps()).map_err(|error| error.to_string())?.into_value();
        let slots = apps.into_iter().flat_map(|app| app.slots);
        let told: BTreeSet<String> = slots.filter_map(|slot| slot.container).collect();
        let ids: BTreeSet<String> = there.iter().map(|container| container.id.clone()).collect();
        if told != ids {
            return Err(format!("the controller tells {told:?}, the engines have {ids:?}"));
        }
        let operations = api.wait(api.client.operations()).map_err(|error| error.to_string())?.into_value();
        match operations.into_iter().find(|operation| operation.state == "running") {
            Some(open) => Err(format!("still open: {open:?}")),
            None => Ok(()),
        }
    }

    /// What ran at the kill and is still wanted is still the same; and of a smaller app the oldest are left.
    pub fn are_kept(&self, at_kill: &[Listed], app: &str, work: Work) -> Result<(), String> {
        let now = raw::of_app(&self.hosts, app);
        let is_kept = |container: &&Listed| now.contains(container);
        if work != ScaleDown
            && let Some(lost) = at_kill.iter().find(|container| !is_kept(container))
        {
            return Err(format!("not kept: {lost:?}, now {now:?}"));
        }
        let scaled = ids(&raw::of_app(&self.hosts, SCALED));
        if !self.oldest.iter().all(|id| scaled.contains(id)) {
            return Err(format!("not kept: the oldest were {:?}, now {scaled:?}", self.oldest));
        }
        Ok(())
    }

    /// What runs of the scaled app now is the oldest from here on.
    fn note_oldest(&mut self) {
        self.oldest = ids(&raw::of_app(&self.hosts, SCALED));
    }

    /// The host where most runs.
    pub fn busiest(&self) -> String {
        let there = raw::ours(&self.hosts);
        let count = |host: &&Host| there.iter().filter(|container| container.host == host.name()).count();
        self.hosts.iter().max_by_key(count).unwrap().name().to_owned()
    }

    /// What was moved on purpose is not the oldest any more.
    pub fn forget_moved(&mut self) {
        let there = ids(&raw::of_app(&self.hosts, SCALED));
        self.oldest.retain(|id| there.contains(id));
    }

    pub fn remove(&mut self, app: &str) -> Result<(), String> {
        let api = self.api();
        let change = pierhead_client::Change::new(pierhead_client::Wait::UntilEnded);
        api.wait(api.client.delete_app(app, &change)).map_err(|error| error.to_string())?;
        self.wanted.remove(app);
        self.is_right()
    }
}

pub fn ask(api: Api, work: Work, app: &str, count: u32, key: &str) -> Result<String, pierhead_client::ClientError> {
    match work {
        Run => api.run_sample(app, count, key),
        ScaleUp | ScaleDown => api.scale(app, count, key),
    }
}

/// Waits for the moment of the kill. `changed` counts the containers that were made or removed.
pub fn wait_for(moment: Moment, changed: impl Fn() -> usize) {
    match moment {
        // This is no condition to wait for: it is the moment itself.
        Millis(milliseconds) => thread::sleep(Duration::from_millis(milliseconds)),
        Seen(count) => {
            crate::wait::until("so many containers have changed", PATIENCE, || changed() >= count);
        }
    }
}
