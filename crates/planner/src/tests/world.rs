//! The world keeps its ledger and indexes true, whatever comes in whatever order.

use super::host::observed;
use super::people::{app_id, key, spec};
use super::simulation::{Simulation, engine};
use pierhead_model::{AppName, Health, HealthStatus, Timestamp};

#[test]
fn an_app_is_found_by_its_name_as_long_as_it_has_it() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 1, spec("httpd"));
    assert_eq!(pool.world.app_named("web").unwrap().id, app_id("web"));
    let renamed = pierhead_model::App { name: AppName::parse("site").unwrap(), ..pool.app("web") };
    pool.world.set_app(renamed.clone());
    assert!(pool.world.app_named("web").is_none());
    // Another takes the free name; that the first goes does not take it away.
    pool.world.set_app(pierhead_model::App { id: app_id("new"), name: AppName::parse("web").unwrap(), ..renamed });
    pool.world.remove_app(&app_id("web"));
    assert!(pool.world.app_named("site").is_none());
    assert_eq!(pool.world.app_named("web").unwrap().id, app_id("new"));
}

#[test]
fn a_host_that_was_down_is_not_known_until_it_is_listed_again() {
    let mut pool = Simulation::new(&["a"]);
    let is_usable = |pool: &Simulation| pool.world.engines()[&engine("a")].is_usable();
    let health = |status| Health { status, since: Timestamp(1), ..Health::default() };
    assert!(is_usable(&pool));
    pool.world.set_health(&engine("a"), health(HealthStatus::Suspect));
    assert!(!is_usable(&pool));
    pool.world.set_health(&engine("a"), health(HealthStatus::Healthy));
    assert!(is_usable(&pool), "one that was suspected and answers was there all the time");
    pool.world.set_health(&engine("a"), health(HealthStatus::Down));
    pool.world.set_health(&engine("a"), health(HealthStatus::Healthy));
    assert!(!is_usable(&pool));
    assert_eq!(
        pool.world.ledger().host(&engine("a")).unwrap().unavailable.as_deref(),
        Some("its containers are not known yet")
    );
    pool.world.set_inventory(&engine("a"), Vec::new());
    assert!(is_usable(&pool));
}

#[test]
fn a_host_that_waits_for_approval_takes_nothing_and_holds_up_nothing() {
    let mut pool = Simulation::new(&["a", "b"]);
    let agent = |waits| Some(pierhead_model::AgentKeys { waits, ..Default::default() });
    let record = pool.world.engines()[&engine("b")].record.clone();
    pool.world.set_engine(pierhead_model::Engine { agent: agent(true), ..record.clone() });
    assert!(!pool.world.engines()[&engine("b")].is_usable() && pool.world.is_seen());
    assert_eq!(pool.world.ledger().host(&engine("b")).unwrap().unavailable.as_deref(), Some("it waits for approval"));
    pool.run("web", 2, spec("httpd"));
    pool.rest();
    assert!(pool.world.assignments().values().all(|slot| slot.engine == engine("a")));
    // One that was never reached, too: nobody waits for it to take what others refuse.
    pool.world.remove_engine(&engine("b"));
    let added_at = pool.now;
    pool.world.set_engine(pierhead_model::Engine { agent: agent(true), added_at, ..record.clone() });
    assert!(pool.world.is_seen() && pool.world.unknown_host(pool.now).is_none());
    pool.world.set_engine(pierhead_model::Engine { agent: agent(false), added_at, ..record });
    assert!(!pool.world.is_seen() && pool.world.unknown_host(pool.now).is_some());
}

#[test]
fn containers_come_and_go_with_their_holds() {
    let mut pool = Simulation::new(&["a"]);
    let foreign = pierhead_model::ObservedContainer { limits: pierhead_model::Resources::new(500, 128), ..observed() };
    let reserved = |pool: &Simulation| pool.world.ledger().reserved(&engine("a")).cpu_millis;
    pool.world.set_container(&engine("a"), foreign.clone());
    pool.world.set_container(&engine("a"), foreign.clone());
    assert_eq!(reserved(&pool), 500);
    pool.world.set_container(&engine("nowhere"), foreign.clone());
    pool.world.forget_container(&engine("a"), &foreign.id);
    pool.world.forget_container(&engine("a"), &foreign.id);
    assert_eq!(reserved(&pool), 0);
    pool.world.set_container(&engine("a"), foreign);
    pool.world.remove_engine(&engine("a"));
    assert_eq!((reserved(&pool), pool.world.ledger().hosts().count()), (0, 0));
}

#[test]
fn a_listing_does_not_blur_when_a_container_was_made() {
    let mut pool = Simulation::new(&["a"]);
    let made_at = |at: u64| pierhead_model::ObservedContainer { created_at: Timestamp(at), ..observed() };
    let moment = |pool: &Simulation| pool.world.engines()[&engine("a")].containers[&observed().id].created_at.0;
    pool.world.set_inventory(&engine("a"), vec![made_at(5_000)]);
    pool.world.set_container(&engine("a"), made_at(5_321));
    assert_eq!(moment(&pool), 5_321);
    pool.world.set_inventory(&engine("a"), vec![made_at(5_000)]);
    pool.world.set_container(&engine("a"), made_at(5_000));
    assert_eq!(moment(&pool), 5_321);
    pool.world.set_inventory(&engine("a"), vec![made_at(6_000)]);
    assert_eq!(moment(&pool), 6_000, "the engine's clock was set");
}

#[test]
fn of_those_made_at_once_the_higher_slot_is_the_newer() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("web", 4, spec("httpd"));
    pool.rest();
    let made_at = |slot: u32, at: u64| {
        let assignment = pool.assignment("web", slot);
        let current = pool.world.current(assignment);
        pierhead_model::ObservedContainer { created_at: Timestamp(at), ..(*current.values().next().unwrap()).clone() }
    };
    let mut made = [made_at(3, 7), made_at(0, 9), made_at(2, 9), made_at(1, 8)];
    made.sort_by_key(crate::age);
    let slots = made.map(|container| pierhead_model::Ownership::read(&container.labels).unwrap().slot.slot.0);
    assert_eq!(slots, [3, 1, 0, 2]);
}

#[test]
fn what_was_made_for_a_slot_is_found_by_it() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("web", 2, spec("httpd"));
    pool.rest();
    let assignment = pool.assignment("web", 1).clone();
    let current = pool.world.current(&assignment);
    assert_eq!(current.len(), 1);
    let container = current.values().next().copied().unwrap();
    assert!(pool.world.is_current(&assignment.engine, container));
    let elsewhere = if assignment.engine == engine("a") { engine("b") } else { engine("a") };
    assert!(!pool.world.is_current(&elsewhere, container));
    assert_eq!(pool.world.containers_of(&key("web", 1)).count(), 1);
    assert_eq!(pool.world.labelled().count(), 2);
    assert_eq!(pool.world.assignments_of(&app_id("web")).count(), 2);
    pool.destroy("web", &[0, 1]);
    pool.rest();
    assert_eq!(pool.world.labelled().count(), 0);
    assert_eq!(pool.world.assignments_of(&app_id("web")).count(), 0);
}

#[test]
fn one_engine_under_two_addresses_is_used_once() {
    let mut pool = Simulation::new(&["a", "b"]);
    let b = engine("b");
    let facts = |pool: &Simulation, identity: &str| pierhead_model::EngineFacts {
        identity: identity.to_owned(),
        ..pool.world.engines()[&engine("a")].facts.clone().unwrap()
    };
    let same = facts(&pool, "ABCD:EF");
    pool.world.set_container(&b, observed());
    pool.world.set_facts(&b, same.clone());
    assert!(pool.world.engines()[&b].is_usable());
    // Both show the same id: the first that was added counts, and what is there is seen there only.
    pool.world.set_facts(&engine("a"), same);
    let second = &pool.world.engines()[&b];
    assert!(!second.is_usable() && second.containers.is_empty());
    let reason = pool.world.ledger().host(&b).unwrap().unavailable.clone().unwrap();
    assert!(reason.starts_with("it has the same Docker id as a and is not used"), "{reason}");
    pool.world.set_inventory(&b, vec![observed()]);
    assert!(pool.world.engines()[&b].containers.is_empty());
    assert!(pool.world.engines()[&engine("a")].is_usable());
    // It comes into its own when the first goes.
    pool.world.remove_engine(&engine("a"));
    pool.world.set_inventory(&b, vec![observed()]);
    assert!(pool.world.engines()[&b].is_usable());
}

#[test]
fn a_container_of_the_record_is_no_surplus_wherever_it_is_seen() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("web", 1, spec("httpd"));
    pool.rest();
    let assignment = pool.world.assignments()[&key("web", 0)].clone();
    let there = pool.world.current(&assignment).values().next().map(|container| (*container).clone()).unwrap();
    let other = if assignment.engine == engine("a") { engine("b") } else { engine("a") };
    pool.world.set_container(&other, there);
    let now = Timestamp(pool.world.since.0 + 3_600_000);
    let plan = crate::plan(&pool.world, now);
    assert!(plan.actions.is_empty(), "{:?}", plan.actions);
}
