//! Three controllers on one etcd: the one that leads is killed, stopped for longer than its lease, cut off from etcd or
//! from the hosts, or its clock jumps, in the middle of runs, scales and drains. The engines themselves say what is there
//! afterwards.
//!
//! With `PIERHEAD_SOAK=1` in the environment: all fixed pairs, and 500 at random, or `PIERHEAD_SOAK_FAULTS`, from the seed
//! `PIERHEAD_SOAK_SEED`.

mod rolling;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pierhead_client::{Change, ClientError, Wait};
use pierhead_devhosts::{EtcdSpec, Host, Pool, PoolSpec};
use pierhead_wire::{ControllerView, JoinTokenRequest};

use crate::api::Api;
use crate::clock;
use crate::controller::Controller;
use crate::kills::{KilledPool, Moment, SCALED, Work, ask, store_in, wait_for};
use crate::place::Place;
use crate::ports;
use crate::program::{Background, PROGRAM, signal};
use crate::raw;
use crate::valve::Valve;
use crate::wait::{PATIENCE, until, until_right, until_some};

/// What happens to the leader.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Kill,
    /// It stands still for longer than its lease, and goes on.
    Stop,
    CutFromEtcd,
    CutFromHosts,
    CutFromBoth,
    /// Its clock jumps by so many seconds, and back.
    Clock(i64),
}

impl Fault {
    /// Whether it leads on, if the machine lets it: nobody else is waited for.
    fn is_led_through(self) -> bool {
        matches!(self, CutFromHosts | Clock(_))
    }
}

/// What is under way meanwhile.
#[derive(Clone, Copy, Debug)]
enum Task {
    Of(Work),
    Drain,
}

use Fault::{Clock, CutFromBoth, CutFromEtcd, CutFromHosts, Kill, Stop};
use Moment::{Millis, Seen};
use Task::{Drain, Of};
use Work::{Run, ScaleDown, ScaleUp};

const HOUR: i64 = 3_600;

/// Ordered so that a scale up is followed by a scale down. The first of them are for every day.
const ALL: [(Fault, Task, Moment); 22] = [
    (Kill, Of(Run), Seen(1)),
    (Stop, Of(ScaleUp), Seen(1)),
    (Clock(HOUR), Of(Run), Seen(1)),
    (CutFromBoth, Of(ScaleDown), Seen(2)),
    (CutFromHosts, Drain, Millis(30)),
    (CutFromEtcd, Drain, Millis(8)),
    (Clock(-HOUR), Drain, Millis(30)),
    (CutFromEtcd, Of(ScaleUp), Millis(20)),
    (CutFromHosts, Of(Run), Millis(10)),
    (Kill, Drain, Seen(1)),
    (Stop, Of(ScaleDown), Millis(5)),
    (CutFromEtcd, Of(Run), Seen(2)),
    (Stop, Drain, Seen(1)),
    (CutFromBoth, Of(Run), Seen(3)),
    (Kill, Of(ScaleUp), Millis(3)),
    (CutFromHosts, Of(ScaleDown), Seen(1)),
    (Stop, Of(Run), Seen(2)),
    (CutFromEtcd, Of(ScaleUp), Seen(1)),
    (Kill, Of(ScaleDown), Seen(2)),
    (CutFromBoth, Drain, Millis(50)),
    (CutFromHosts, Of(ScaleUp), Seen(2)),
    (Kill, Of(Run), Millis(0)),
];
/// How many of them.
const EVERY_DAY: usize = 7;

#[test]
fn whatever_befalls_the_leader_nothing_is_lost_or_doubled() {
    let clock = clock::Clock::new();
    let env = clock.env();
    let mut trio = Trio::new(true, &env.each_ref().map(|(name, value)| (*name, value.as_str())));
    trio.clock = Some(clock);
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let soak = std::env::var_os("PIERHEAD_SOAK").map(|_| 500);
    let pairs = match number("PIERHEAD_SOAK_FAULTS").or(soak) {
        None => ALL[..EVERY_DAY].to_vec(),
        Some(count) => ALL.into_iter().chain(random(count, number("PIERHEAD_SOAK_SEED").unwrap_or(1))).collect(),
    };
    let began = Instant::now();
    for (round, (fault, task, moment)) in pairs.into_iter().enumerate() {
        let began = Instant::now();
        let outcome = trio.round(fault, task, moment);
        println!("{round}: {fault:?}, {task:?}, {moment:?}: {outcome:?}, {:?}", began.elapsed());
        if let Err(wrong) = outcome {
            panic!("round {round}, {fault:?} at {moment:?} of {task:?}: {wrong}\n{}", trio.outputs());
        }
    }
    println!("in all {:?}", began.elapsed());
}

fn random(count: u64, seed: u64) -> Vec<(Fault, Task, Moment)> {
    let mut state = seed;
    let mut next = |below: usize| {
        // Knuth's constants; the upper bits are the better ones.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    // As the fixed ones leave it.
    let mut is_large = true;
    let mut draw = |_| {
        let fault = [Kill, Stop, CutFromEtcd, CutFromHosts, CutFromBoth, Clock(HOUR), Clock(-HOUR)][next(7)];
        let task = match (next(3), is_large) {
            (0, _) => Of(Run),
            (1, false) => Of(ScaleUp),
            (1, true) => Of(ScaleDown),
            _ => Drain,
        };
        is_large = if matches!(task, Of(ScaleUp | ScaleDown)) { !is_large } else { is_large };
        (fault, task, Millis(next(1_000) as u64))
    };
    (0..count).map(&mut draw).collect()
}

/// One controller of the three, with the doors in its ways.
struct Member {
    controller: Controller,
    url: String,
    to_etcd: Valve,
    from_hosts: Option<Valve>,
}

impl Member {
    fn pid(&mut self) -> u32 {
        self.controller.process().pid()
    }
}

/// Three hosts, three members of etcd, three controllers.
pub struct Trio {
    // Dropped before the pool, which removes the hosts.
    _agents: Vec<Background>,
    members: Vec<Member>,
    pub pool: KilledPool,
    /// What the controllers go by, if that is not the machine's.
    clock: Option<clock::Clock>,
    rounds: u32,
}

impl Trio {
    /// With agents on the hosts, or with engines that are reached at their addresses.
    pub fn new(with_agents: bool, env: &[(&str, &str)]) -> Self {
        let place = Place::new();
        let etcd = EtcdSpec { members: 3, ..EtcdSpec::default() };
        let pool = Pool::up(PoolSpec { dir: place.pool(), hosts: 3, etcd, ..PoolSpec::default() }).unwrap();
        let members = (0..3).map(|at| member(&place, &pool, at, with_agents, env)).collect::<Vec<_>>();
        let never_started = Controller::new(&place.beside("none"), &[], &[]);
        let state = place.beside("agents");
        let store = store_in(&pool);
        let mut trio = Self {
            _agents: Vec::new(),
            members,
            pool: KilledPool::of(place, pool, Some(store), never_started),
            clock: None,
            rounds: 0,
        };
        for member in &mut trio.members {
            member.url = member.controller.start();
        }
        trio.pool.ask_at(trio.urls(0));
        if with_agents {
            let api = trio.api_of(0);
            trio._agents = trio.pool.hosts.iter().map(|host| agent_of(&api, host, &state)).collect();
            until("all hosts have joined", PATIENCE, || api.engines() == 3);
        } else {
            let api = trio.pool.api();
            trio.pool.hosts.iter().for_each(|host| api.add_engine(host));
        }
        trio.pool.first_app().unwrap();
        trio
    }

    /// All addresses, beginning with one.
    fn urls(&self, first: usize) -> String {
        let mut urls: Vec<&str> = self.members.iter().map(|member| member.url.as_str()).collect();
        urls.rotate_left(first);
        urls.join(",")
    }

    fn api_of(&self, at: usize) -> Api {
        Api::new(&self.members[at].url, self.pool.token.as_deref())
    }

    pub fn outputs(&self) -> String {
        self.members.iter().map(|member| format!("--- {}\n{}", member.url, member.controller.output())).collect()
    }

    /// Which of them leads, as one of the others sees it.
    fn leader_seen_by(&self, at: usize) -> Option<usize> {
        let controllers = self.api_of(at).controllers().ok()?;
        let url = controllers.into_iter().find(|controller| controller.leader)?.url;
        self.members.iter().position(|member| member.url == url)
    }

    /// Which of them leads.
    pub fn leader(&self) -> usize {
        until_some("somebody leads", PATIENCE, || (0..3).find_map(|at| self.leader_seen_by(at))).0
    }

    fn round(&mut self, fault: Fault, task: Task, moment: Moment) -> Result<(), String> {
        self.rounds += 1;
        let leader = self.leader();
        // Half of the requests come to the leader first. One that stands still would only be waited for.
        let first = if self.rounds.is_multiple_of(2) && fault != Stop { leader } else { (leader + 1) % 3 };
        self.pool.ask_at(self.urls(first));
        let drained = self.pool.busiest();
        let key = format!("request-{}", self.rounds);
        let (app, count) = match task {
            Of(Run) => (format!("batch-{}", self.rounds), 6),
            Of(ScaleUp) => (SCALED.to_owned(), 9),
            Of(ScaleDown) | Drain => (SCALED.to_owned(), 4),
        };
        let before = raw::ours(&self.pool.hosts).len();
        let operation = thread::scope(|scope| {
            let api = self.pool.api();
            let request = scope.spawn(|| match task {
                Of(work) => ask(api, work, &app, count, &key),
                Drain => drain(&api, &drained, &key),
            });
            wait_for(moment, || raw::ours(&self.pool.hosts).len().abs_diff(before));
            self.inflict(fault, leader);
            if !fault.is_led_through() {
                let (_, took) = until_some("another leads", PATIENCE, || {
                    let seen = self.leader_seen_by((leader + 1) % 3).or_else(|| self.leader_seen_by((leader + 2) % 3));
                    seen.filter(|seen| *seen != leader)
                });
                println!("    another leads after {took:?}");
            }
            // It moves over to another controller by itself.
            request.join().unwrap().map_err(|error| format!("the request: {error}"))
        })?;
        if fault == CutFromHosts {
            until("it is seen", PATIENCE, || self.api_of(leader).are_silent());
        } else {
            self.pool.ask_at(self.urls((leader + 1) % 3));
            if let Of(_) = task {
                self.pool.is_done(&operation).map_err(|wrong| format!("with the leader away, {wrong}"))?;
            }
        }
        let at_return = self.pool.what_is_left(&app)?;
        self.heal(fault, leader);
        self.pool.is_done(&operation)?;
        if let Of(work) = task {
            self.pool.wanted.insert(app.clone(), count);
            self.pool.is_right()?;
            self.pool.are_kept(&at_return, &app, work)?;
        } else {
            let left: Vec<_> = raw::ours(&self.pool.hosts).into_iter().filter(|found| found.host == drained).collect();
            if !left.is_empty() {
                return Err(format!("drained, and there: {left:?}"));
            }
            let api = self.pool.api();
            api.wait(api.client.uncordon_engine(&drained)).map_err(|error| error.to_string())?;
            self.pool.is_right()?;
            self.pool.forget_moved();
        }
        self.all_tell_the_same()?;
        if task_is_run(task) { self.pool.remove(&app) } else { Ok(()) }
    }

    fn inflict(&mut self, fault: Fault, leader: usize) {
        let member = &mut self.members[leader];
        match fault {
            Kill => member.controller.kill(),
            Stop => signal(member.pid(), "STOP"),
            Clock(seconds) => self.clock.as_ref().unwrap().set(member.pid(), seconds),
            _ => {
                if fault != CutFromHosts {
                    member.to_etcd.shut();
                }
                if let Some(from_hosts) = member.from_hosts.as_ref().filter(|_| fault != CutFromEtcd) {
                    from_hosts.shut();
                }
            }
        }
    }

    fn heal(&mut self, fault: Fault, leader: usize) {
        let member = &mut self.members[leader];
        match fault {
            Kill => member.url = member.controller.start_again(),
            Stop => signal(member.pid(), "CONT"),
            Clock(_) => self.clock.as_ref().unwrap().set(member.pid(), 0),
            _ => {
                member.to_etcd.open();
                member.from_hosts.iter().for_each(Valve::open);
            }
        }
        self.pool.ask_at(self.urls(leader));
    }

    /// Every controller answers from its own view, and all views become the same, with one leader among them.
    fn all_tell_the_same(&self) -> Result<(), String> {
        until_right(PATIENCE, || {
            let mut views = Vec::new();
            for at in 0..3 {
                let api = self.api_of(at);
                let controllers = api.controllers().map_err(|error| error.to_string())?;
                let leaders: Vec<String> =
                    controllers.iter().filter(|one| one.leader).map(|one| one.url.clone()).collect();
                let answer = controllers.iter().filter(|one| one.lag.is_some()).count();
                if leaders.len() != 1 || answer != 3 {
                    return Err(format!("{} says {controllers:?}", self.members[at].url));
                }
                views.push((leaders, api.running()?));
            }
            if views.windows(2).all(|pair| pair[0] == pair[1]) { Ok(()) } else { Err(format!("{views:?}")) }
        })
        .map(drop)
    }
}

/// The agent of a host that joins with a token, and from then on calls all controllers.
pub fn agent_of(api: &Api, host: &Host, state: &std::path::Path) -> Background {
    let token = api.wait(api.client.make_join_token(&JoinTokenRequest::default())).unwrap().into_value().token;
    let target = format!("--target={}", host.pid().unwrap().unwrap());
    let mut command = Command::new("nsenter");
    command.args([&target, "--mount", "--uts", "--net", "--", PROGRAM, "agent", "--id", host.name()]);
    command.arg("--state-dir").arg(state.join(host.name())).args(["--join", &token]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    Background::start(&mut command)
}

fn task_is_run(task: Task) -> bool {
    matches!(task, Of(Run))
}

fn member(place: &Place, pool: &Pool, at: usize, with_agents: bool, env: &[(&str, &str)]) -> Member {
    let dir = place.beside(&format!("controller-{at}"));
    let etcd: SocketAddr = pool.etcd().unwrap()[at].url().replace("http://", "").parse().unwrap();
    let to_etcd = Valve::new("127.0.0.1".parse().unwrap(), etcd);
    let text = |path: std::path::PathBuf| path.display().to_string();
    let mut args = vec!["--admin-password-file".to_owned(), text(dir.join("password"))];
    // Nothing that has no record is removed as long as this test lasts: it must not come to be.
    args.extend(["--orphan-grace", "1h", "--store"].map(str::to_owned));
    args.push(format!("etcd://{}/e2e", to_etcd.address));
    args.extend(["--secret-key-file".to_owned(), text(place.beside("secret.key"))]);
    let from_hosts = with_agents.then(|| {
        let bridge = pool.bridge_address().unwrap();
        let listen = ports::free(Ipv4Addr::LOCALHOST.into());
        let valve = Valve::new(bridge, listen);
        args.extend(["--agent-listen".to_owned(), listen.to_string()]);
        args.extend(["--agent-address".to_owned(), valve.address.to_string()]);
        valve
    });
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    Member { controller: Controller::new(&dir, &args, env), url: String::new(), to_etcd, from_hosts }
}

fn drain(api: &Api, host: &str, key: &str) -> Result<String, ClientError> {
    let started = api.wait(api.client.drain_engine(host, &Change::with_key(key, Wait::Seconds(0))))?;
    Ok(started.operation().expect("it is one").to_owned())
}

impl Api {
    pub fn controllers(&self) -> Result<Vec<ControllerView>, ClientError> {
        Ok(self.wait(self.client.controllers())?.into_value())
    }

    /// How many hosts are well.
    pub fn engines(&self) -> usize {
        let engines = self.wait(self.client.engines()).unwrap().into_value();
        engines.iter().filter(|engine| engine.health.status == "healthy").count()
    }

    /// Whether no host answers.
    fn are_silent(&self) -> bool {
        self.engines() == 0
    }

    /// The containers that run, as this controller sees them.
    fn running(&self) -> Result<Vec<String>, String> {
        let containers = self.wait(self.client.containers(false)).map_err(|error| error.to_string())?.into_value();
        let mut ids: Vec<String> = containers.into_iter().map(|container| container.id).collect();
        ids.sort();
        Ok(ids)
    }
}

/// More containers than hosts start at once, so that some starts still wait when the leader stands still.
const MANY: u32 = 60;
/// On a machine that has much else to do.
const MANY_START_WITHIN: Duration = Duration::from_secs(120);

/// A leader that stands still in the middle of a run, while another leads and the app is removed: what it had begun must
/// not go on when it wakes. Engines that are reached at their addresses can't refuse it; it must know by itself.
pub fn stands_still_while_its_app_goes(env: &[(&str, &str)]) -> Result<(), String> {
    let mut trio = Trio::new(false, env);
    trio.pool.recovers_within = MANY_START_WITHIN;
    let leader = trio.leader();
    let others = trio.urls((leader + 1) % 3);
    let first = trio.urls(leader);
    trio.pool.ask_at(first);
    let operation = trio.pool.api().run_sample("many", MANY, "many").map_err(|error| error.to_string())?;
    wait_for(Seen(4), || raw::of_app(&trio.pool.hosts, "many").len());
    signal(trio.members[leader].pid(), "STOP");
    let made = raw::of_app(&trio.pool.hosts, "many").len();
    println!("    {made} of {MANY} when it stood still");
    trio.pool.ask_at(others);
    until("another leads", PATIENCE, || trio.leader_seen_by((leader + 1) % 3).is_some_and(|seen| seen != leader));
    let api = trio.pool.api();
    trio.pool.is_done(&operation)?;
    let change = Change::new(Wait::UntilEnded);
    api.wait(api.client.delete_app("many", &change)).map_err(|error| error.to_string())?;
    trio.pool.is_right()?;
    // A program that is broken on purpose never comes right.
    trio.pool.recovers_within = if env.is_empty() { PATIENCE } else { PATIENCE / 2 };
    signal(trio.members[leader].pid(), "CONT");
    // It has come to itself when it answers as the others do.
    trio.all_tell_the_same()?;
    trio.pool.is_right()
}

#[test]
fn a_leader_that_stood_still_sends_nothing_of_what_it_had_begun() {
    stands_still_while_its_app_goes(&[]).unwrap();
}
