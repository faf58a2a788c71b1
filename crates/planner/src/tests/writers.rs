//! What must not run twice: where the simulation checks at every moment that it does not, these check that it runs at
//! all, when, and what is said meanwhile.

use super::host::{Fault, Host};
use super::people::{key, single_writer, spec};
use super::simulation::{Simulation, engine};
use crate::{Policy, about_one_writer, may_have_copy, survive};
use pierhead_model::{ContainerSpec, FailureKind, OperationState, WriterGuard};

/// From the last grant of a lease until it has surely ended, and the round in which that is seen.
const OVER_MS: u64 = 15_000;

fn hosts(ids: &[&str], has_agents: bool) -> Simulation {
    let hosts = ids.iter().map(|id| Host::new(id, 4, 4096));
    let hosts = hosts.map(|host| if has_agents { host.with_agent() } else { host });
    Simulation::with_hosts(hosts.collect::<Vec<_>>(), Policy::default())
}

/// It runs on one of two hosts.
fn solo(has_agents: bool) -> Simulation {
    let mut pool = hosts(&["a", "b"], has_agents);
    pool.run("solo", 1, single_writer("one"));
    pool.settle();
    assert_eq!(pool.count("solo"), 1);
    pool
}

impl Simulation {
    fn home(&self) -> String {
        self.assignment("solo", 0).engine.to_string()
    }

    fn lose_home(&mut self) -> String {
        let home = self.home();
        self.host(&home).answers = false;
        home
    }

    fn said(&self) -> String {
        about_one_writer(&self.world, &key("solo", 0), self.now).unwrap_or_default()
    }

    /// How many run on hosts that answer.
    fn seen(&self) -> usize {
        self.hosts.values().filter(|host| host.answers).flat_map(Host::writers).count()
    }
}

#[test]
fn a_lost_host_is_waited_for_until_its_lease_has_ended() {
    let mut pool = solo(true);
    assert_eq!(pool.assignment("solo", 0).writer, Some(WriterGuard::Lease));
    let (home, struck) = (pool.lose_home(), pool.now);
    pool.run_for(5_000);
    let said = pool.said();
    assert!(said.starts_with(&format!("must not run twice: host {home} is down")) && said.ends_with(" s"), "{said}");
    assert!(pool.reasons()[0].contains("its agent has surely stopped the former copy in"), "{:?}", pool.reasons());
    pool.run_until("runs elsewhere", |pool| pool.seen() == 1);
    let took = pool.now.since(struck);
    assert!((OVER_MS - 1_000..=OVER_MS + 500).contains(&took), "{took} ms");
    // It comes back with what it was made to stop.
    pool.host(&home).answers = true;
    pool.settle();
    assert_ne!(pool.home(), home);
    assert_eq!((pool.count("solo"), pool.said()), (1, String::new()));
}

#[test]
fn a_short_absence_changes_nothing() {
    let mut pool = solo(true);
    let before = pool.assignment("solo", 0).containers.clone();
    let home = pool.lose_home();
    pool.run_for(8_000);
    pool.host(&home).answers = true;
    pool.settle();
    assert_eq!((pool.home(), &pool.assignment("solo", 0).containers), (home, &before));
}

#[test]
fn a_host_without_an_agent_is_waited_for_until_it_answers_or_is_removed() {
    let mut pool = solo(false);
    assert!(pool.said().contains("has no agent to stop it"), "{}", pool.said());
    assert!(pool.world.unguarded_writer(&engine(&pool.home())).is_some());
    let home = pool.lose_home();
    pool.run_for(3_600_000);
    assert_eq!(pool.seen(), 0, "nobody knows whether it runs there");
    assert!(pool.said().contains(&format!("'pierhead engine rm {home}'")), "{}", pool.said());
    let survival = survive(&pool.world, &engine(&home), pool.now).unwrap();
    assert!(survival.homeless[0].reason.contains("has no agent"), "{survival:?}");
    pool.host(&home).answers = true;
    pool.settle();
    assert_eq!(pool.home(), home, "it ran there all the time");
    // The host burnt down, and somebody says so.
    pool.lose_home();
    pool.run_for(60_000);
    pool.hosts.remove(&engine(&home));
    pool.world.remove_engine(&engine(&home));
    pool.settle();
    assert_eq!((pool.count("solo"), pool.home() == home), (1, false));
}

#[test]
fn a_removed_host_with_an_agent_has_its_lease_all_the_same() {
    let mut pool = solo(true);
    let (home, struck) = (pool.lose_home(), pool.now);
    pool.world.remove_engine(&engine(&home));
    let mut gone = pool.hosts.remove(&engine(&home)).unwrap();
    pool.run_until("runs elsewhere", |pool| pool.seen() == 1);
    gone.end_lease(pool.now);
    assert_eq!(gone.writers().count(), 0);
    assert!(pool.now.since(struck) >= OVER_MS - 1_000);
}

#[test]
fn a_new_controller_waits_for_leases_that_it_knows_nothing_of() {
    let mut pool = solo(true);
    pool.lose_home();
    pool.run_for(5_000);
    pool.crash();
    let began = pool.now;
    pool.run_until("runs elsewhere", |pool| pool.seen() == 1);
    assert!(pool.now.since(began) >= OVER_MS, "its predecessor may have granted one just before");
}

#[test]
fn nothing_is_started_without_a_lease() {
    let mut pool = hosts(&["a"], true);
    // Its grants are lost.
    pool.host("a").lease = None;
    let run = pool.run("solo", 1, single_writer("one"));
    pool.run_for(20_000);
    assert_eq!((pool.count("solo"), pool.creations(), pool.state(&run)), (0, 0, OperationState::Running));
    assert_eq!(pool.said(), "waits until the agent of host a has the lease to run it");
    pool.host("a").lease = Some(pool.now);
    pool.settle();
    assert_eq!((pool.count("solo"), pool.state(&run)), (1, OperationState::Done));
}

#[test]
fn a_lease_is_wanted_where_something_needs_it_and_not_on_hosts_that_are_down() {
    let mut pool = solo(true);
    let wants = |pool: &Simulation| ["a", "b"].map(|id| pool.world.wants_lease(&engine(id)));
    let at_home = [pool.home() == "a", pool.home() == "b"];
    assert_eq!(wants(&pool), at_home);
    pool.run("web", 4, spec("httpd"));
    pool.settle();
    assert_eq!(wants(&pool), at_home, "others need none");
    pool.lose_home();
    pool.round();
    assert_eq!(wants(&pool), [false, false]);
    pool.settle_down();
    pool.destroy("solo", &[0]);
    pool.settle_down();
    assert_eq!(wants(&pool), [false, false]);
}

impl Simulation {
    fn settle_down(&mut self) {
        self.hosts.values_mut().for_each(|host| host.answers = true);
        self.settle();
    }
}

#[test]
fn a_move_and_a_new_description_stop_the_former_copy_first() {
    let mut pool = solo(true);
    pool.journal.clear();
    let home = pool.home();
    let drain = pool.drain(&home);
    pool.settle();
    assert_eq!((pool.state(&drain), pool.home() == home), (OperationState::Done, false));
    let steps: Vec<&str> = pool.journal.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(steps, ["pull", "stop", "remove", "create"]);
    pool.journal.clear();
    let change = pool.describe_anew("solo", single_writer("two"));
    pool.settle();
    let steps: Vec<&str> = pool.journal.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!((pool.state(&change), steps), (OperationState::Done, vec!["pull", "stop", "remove", "create"]));
}

#[test]
fn a_new_description_that_cannot_be_had_stops_nothing() {
    let mut pool = solo(true);
    let before = pool.assignment("solo", 0).containers.clone();
    for host in ["a", "b"] {
        let kind = FailureKind::NoImage;
        pool.host(host).faults.push(Fault { image: "two:latest".to_owned(), kind, times: 1000, is_made: false });
    }
    let change = pool.describe_anew("solo", single_writer("two"));
    pool.settle();
    assert_eq!((pool.state(&change), &pool.assignment("solo", 0).containers), (OperationState::Failed, &before));
}

#[test]
fn a_host_that_is_lost_in_the_middle_of_a_move_is_waited_for() {
    for (lost_first, description) in [(true, None), (false, None), (true, Some(single_writer("two")))] {
        let mut pool = hosts(&["a", "b", "c"], true);
        pool.run("solo", 1, single_writer("one"));
        pool.settle();
        let home = pool.home();
        pool.hosts.values_mut().for_each(|host| host.latency_ms = 1_000);
        match description {
            None => drop(pool.drain(&home)),
            Some(spec) => drop(pool.describe_anew("solo", spec)),
        }
        pool.run_until("is on its way", |pool| pool.assignment("solo", 0).fallback.is_some());
        let lost = if lost_first { home.clone() } else { pool.home() };
        pool.run_for(500);
        pool.host(&lost).answers = false;
        pool.run_until("runs", |pool| pool.seen() == 1);
        pool.settle_down();
        assert_eq!(pool.count("solo"), 1);
    }
}

#[test]
fn another_slot_of_the_app_waits_for_one_that_may_still_run() {
    let mut pool = solo(true);
    let app = pierhead_model::App { transient: false, ..pool.app("solo") };
    pool.set_app(app);
    let (home, struck) = (pool.lose_home(), pool.now);
    pool.run_for(4_000);
    let gone = pool.destroy("solo", &[0]);
    pool.run_until("is over", |pool| pool.state(&gone).has_ended());
    assert!(pool.now.since(struck) < 6_000, "nobody waits for the host to say that it is gone");
    pool.run("solo", 1, single_writer("one"));
    pool.run_for(1_000);
    let said = about_one_writer(&pool.world, &key("solo", 1), pool.now).unwrap();
    assert!(said.contains(&format!("slot 0 of solo, which may run on host {home}, is gone")), "{said}");
    pool.run_until("runs", |pool| pool.seen() == 1);
    assert!(pool.now.since(struck) >= OVER_MS - 1_000);
    pool.settle_down();
}

#[test]
fn an_app_that_is_described_so_later_is_guarded_from_then_on() {
    let mut pool = hosts(&["a", "b"], true);
    pool.run("solo", 1, spec("one"));
    pool.settle();
    assert_eq!(pool.assignment("solo", 0).writer, None);
    pool.describe_anew("solo", single_writer("one"));
    pool.settle();
    assert_eq!(pool.assignment("solo", 0).writer, Some(WriterGuard::Lease));
    pool.describe_anew("solo", ContainerSpec { single_writer: false, ..single_writer("one") });
    pool.settle();
    assert_eq!((pool.assignment("solo", 0).writer, pool.seen()), (None, 0));
    assert_eq!(pool.count("solo"), 1);
}

#[test]
fn no_engine_starts_it_by_itself() {
    let mut pool = solo(true);
    let home = pool.home();
    let id = pool.assignment("solo", 0).containers.values().next().unwrap().clone();
    pool.host(&home).end(&id, 1);
    assert_eq!(pool.seen(), 0, "it waits for the controller");
    pool.settle();
    assert_eq!(pool.seen(), 1);
}

#[test]
fn a_lease_that_nobody_is_left_to_end_proves_nothing() {
    for cut_later in [false, true] {
        let mut pool = solo(true);
        let home = pool.home();
        pool.host(&home).set_agent(true);
        pool.run_for(1_000);
        // The host vanishes altogether; that its agent went first counts on.
        pool.host(&home).is_on = !cut_later;
        pool.run_for(3_600_000);
        assert_eq!(pool.hosts.values().flat_map(Host::writers).count(), 1, "it runs where it ran");
        let said = pool.said();
        assert!(said.contains("its agent was gone while the host lived") && said.contains("systemctl start"), "{said}");
        assert!(said.contains(&format!("'pierhead engine rm {home}'")), "{said}");
        // Its agent is started, ends what has no lease, and all goes on.
        pool.host(&home).is_on = true;
        pool.host(&home).set_agent(false);
        pool.settle();
        assert_eq!((pool.count("solo"), pool.said()), (1, String::new()));
        pool.run_for(2_000);
        assert!(!pool.world.is_enforcer_lost(&engine(&pool.home())), "it has a lease that counts");
        // Now the host is lost at once.
        let home = pool.lose_home();
        pool.run_until("runs elsewhere", |pool| pool.seen() == 1);
        assert_ne!(pool.home(), home);
    }
}

#[test]
fn a_host_whose_agent_is_gone_is_given_up_by_who_removes_it() {
    let mut pool = solo(true);
    let home = pool.home();
    pool.host(&home).set_agent(true);
    pool.run_for(60_000);
    pool.hosts.remove(&engine(&home));
    pool.world.remove_engine(&engine(&home));
    pool.run_until("runs elsewhere", |pool| pool.seen() == 1);
}

#[test]
fn an_agent_that_goes_after_its_lease_has_done_its_part() {
    let mut pool = solo(true);
    let home = engine(&pool.lose_home());
    pool.run_for(OVER_MS + 1_000);
    let now = pool.now;
    pool.world.note_enforcer_lost(&home, now);
    assert!(!pool.world.is_enforcer_lost(&home));
    pool.world.note_lease_granted(&home, now);
    assert!(pool.world.is_enforcer_lost(&home), "it may have got another one");
    // What was asked for before says nothing of afterwards.
    pool.world.note_lease_held(&home, now.plus(pool.world.policy.lease_ms - 1), now);
    assert!(pool.world.is_enforcer_lost(&home));
    pool.world.note_lease_held(&home, now.plus(pool.world.policy.lease_ms), now);
    assert!(!pool.world.is_enforcer_lost(&home));
}

#[test]
fn an_app_is_not_to_have_one_writer_while_an_older_copy_may_run_unseen() {
    let mut pool = hosts(&["a", "b", "c"], true);
    pool.run("solo", 1, spec("one"));
    pool.settle();
    assert_eq!(may_have_copy(&pool.world, &pool.app("solo")), None);
    let home = pool.lose_home();
    pool.run_until("runs elsewhere", |pool| pool.home() != home);
    pool.settle();
    assert_eq!(may_have_copy(&pool.world, &pool.app("solo")), Some(&engine(&home)));
    // Whoever asked before the host was lost: what is made waits, and says so.
    pool.describe_anew("solo", single_writer("one"));
    pool.run_for(120_000);
    let ours = pool.hosts[&engine(&home)].containers.len();
    assert_eq!((ours, pool.seen()), (1, 0), "the copy there runs on, and no other");
    assert!(pool.said().contains(&format!("an older copy may still run on host {home}")), "{}", pool.said());
    pool.settle_down();
    assert_eq!((pool.count("solo"), pool.seen(), pool.said()), (1, 1, String::new()));
    assert_eq!(may_have_copy(&pool.world, &pool.app("solo")), None);
    // Nobody knows what runs on a host that a new controller has not reached.
    pool.host("a").answers = false;
    pool.crash();
    pool.run_for(1_000);
    assert_eq!(may_have_copy(&pool.world, &pool.app("solo")), Some(&engine("a")));
}

#[test]
fn an_agent_that_ends_in_good_order_makes_nobody_wait() {
    let mut pool = solo(true);
    let home = engine(&pool.home());
    let until = pool.now.plus(60_000);
    pool.host(home.as_str()).end_lease(until);
    pool.world.note_lease_given_up(&home);
    assert!(!pool.world.holds_lease(&home, pool.now), "nothing is started there");
    let place = pool.assignment("solo", 0).clone();
    assert_eq!(pool.world.how_stopped(&place), Some("its agent ended and stopped the container first"));
    let (struck, _) = (pool.now, pool.lose_home());
    pool.run_until("runs elsewhere", |pool| pool.seen() == 1);
    assert!(pool.now.since(struck) < OVER_MS - 5_000, "{} ms", pool.now.since(struck));
    let now = pool.now;
    pool.world.note_lease_granted(&home, now);
    assert!(pool.world.lease_over_at(&home) > now, "a new one counts");
    assert_eq!(pool.world.how_stopped(&place), Some("the host's lease has ended"));
}
