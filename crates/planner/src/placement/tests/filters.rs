//! Each filter, with the request that it just lets pass.

use crate::placement::tests::sample::*;
use crate::{Avoid, Filter, HostFacts, Ledger, Request};
use pierhead_model::{ImageReference, Placement, Username};

/// The only host that suits.
fn chosen(ledger: &Ledger, request: &Request) -> String {
    ledger.place(request).unwrap().engine.as_str().to_owned()
}

/// The only filter that refuses, everywhere.
fn refused_by(ledger: &Ledger, request: &Request) -> Filter {
    let refused = ledger.place(request).unwrap_err().refused;
    assert_eq!(refused.len(), 1, "{refused:?}");
    refused.into_keys().next().unwrap()
}

fn image(text: &str) -> ImageReference {
    ImageReference::parse(text).unwrap()
}

fn unique() -> Request {
    with(request(100, 64), |member| member.placement = Placement::Unique)
}

#[test]
fn an_unavailable_host_is_left_alone_until_it_is_back() {
    let mut ledger = ledger([facts("a", 8, 8192), facts("b", 1, 1024)]);
    assert_eq!(chosen(&ledger, &request(100, 64)), "a");
    ledger.set_host(HostFacts { unavailable: Some("cordoned".to_owned()), ..facts("a", 8, 8192) });
    assert_eq!(chosen(&ledger, &request(100, 64)), "b");
    assert_eq!(ledger.place(&request(2000, 64)).unwrap_err().refused.len(), 2);
    ledger.set_host(facts("a", 8, 8192));
    assert_eq!(chosen(&ledger, &request(100, 64)), "a");
}

#[test]
fn what_needs_an_agent_needs_one_that_keeps_workspaces_apart() {
    let bare = || facts("a", 8, 8192);
    let agent = || HostFacts { has_agent: true, ..facts("b", 4, 4096) };
    let workspace = Request { needs_agent: true, ..request(100, 64) };
    let why = "the program nft is not there";
    let mut ledger = ledger([bare(), agent()]);
    assert_eq!((chosen(&ledger, &request(100, 64)).as_str(), chosen(&ledger, &workspace).as_str()), ("a", "b"));
    ledger.set_host(HostFacts { unguarded: Some(why.to_owned()), ..agent() });
    let refusal = ledger.place(&workspace).unwrap_err();
    assert_eq!(refusal.refused.keys().copied().collect::<Vec<_>>(), [Filter::Agent, Filter::Guard]);
    assert!(refusal.to_string().ends_with(&format!("b: it cannot keep workspaces apart: {why}")), "{refusal}");
    ledger.set_host(HostFacts { unguarded: Some(why.to_owned()), ..bare() });
    assert_eq!(chosen(&ledger, &request(100, 64)), "a", "apps do not mind");
}

#[test]
fn a_named_host_is_the_only_one_that_counts() {
    let mut ledger = ledger([facts("a", 8, 8192), facts("b", 1, 1024)]);
    let on = |id: &str| with(request(100, 64), |member| member.placement = Placement::Host(engine(id)));
    assert_eq!(chosen(&ledger, &on("b")), "b");
    assert_eq!(refused_by(&ledger, &on("c")), Filter::Host);
    ledger.hold(key(1), hold("b", 1000, 64));
    assert!(ledger.place(&on("b")).is_err(), "not even if it is full");
}

#[test]
fn two_members_that_name_two_hosts_fit_nowhere() {
    let ledger = ledger([facts("a", 8, 8192), facts("b", 8, 8192)]);
    let mut asked = request(100, 64);
    asked.members.push(member("other"));
    asked.members[0].placement = Placement::Host(engine("a"));
    assert_eq!(chosen(&ledger, &asked), "a");
    asked.members[1].placement = Placement::Host(engine("b"));
    assert_eq!(refused_by(&ledger, &asked), Filter::Host);
}

#[test]
fn labels_count_where_the_type_looks_at_them() {
    let ledger = ledger([labelled("a", &["ssd", "zone=a"]), labelled("b", &["zone=b"])]);
    let asks = |placement: Placement, labels: &[&str]| {
        with(request(100, 64), |member| {
            member.placement = placement;
            member.labels = labels.iter().map(|text| label(text)).collect();
        })
    };
    assert_eq!(chosen(&ledger, &asks(Placement::Service, &["ssd"])), "a");
    assert_eq!(chosen(&ledger, &asks(Placement::Multi, &["!ssd"])), "b");
    assert_eq!(chosen(&ledger, &asks(Placement::Service, &["zone=a|zone=b", "zone!=a"])), "b");
    assert_eq!(refused_by(&ledger, &asks(Placement::Service, &["ssd", "zone=b"])), Filter::Label);
    assert_eq!(chosen(&ledger, &asks(Placement::Unique, &["nowhere"])), "a", "`unique` doesn't look at labels");
    assert_eq!(chosen(&ledger, &asks(Placement::Service, &[])), "a", "who asks nothing fits everywhere");
}

#[test]
fn an_id_is_a_label_as_well() {
    let ledger = three_hosts();
    let asks = |text| with(request(100, 64), |member| member.labels = vec![label(text)]);
    assert_eq!(chosen(&ledger, &asks("host:host-2")), "host-2");
    assert_eq!(chosen(&ledger, &asks("!host:host-1")), "host-2");
    assert_eq!(chosen(&ledger, &asks("host:host-3|host:host-2")), "host-2");
    assert_eq!(refused_by(&ledger, &asks("host:host-4")), Filter::Label);
    assert_eq!(ledger.hosts().map(|facts| facts.labels.len()).max(), Some(0), "it isn't shown as one");
}

#[test]
fn unique_is_once_per_host_and_then_refused() {
    let mut ledger = three_hosts();
    let engines: Vec<_> = (0..3).map(|number| place_and_hold(&mut ledger, number, &unique()).unwrap()).collect();
    assert_eq!(engines, ["host-1", "host-2", "host-3"]);
    assert_eq!(refused_by(&ledger, &unique()), Filter::Unique);
    assert!(ledger.place(&request(100, 64)).is_ok(), "other types of the same image still fit");
    ledger.release(&key(1));
    assert_eq!(chosen(&ledger, &unique()), "host-2");
}

#[test]
fn unique_compares_whole_references() {
    let mut ledger = ledger([facts("a", 4, 4096)]);
    let mut foreign = hold("a", 0, 0);
    foreign.images = vec!["httpd:2.4".to_owned(), "mine/httpd:latest".to_owned()];
    ledger.hold(key(1), foreign.clone());
    assert!(ledger.place(&unique()).is_ok(), "another tag and another path are other images");
    foreign.images.push("httpd:latest".to_owned());
    ledger.hold(key(1), foreign);
    assert_eq!(refused_by(&ledger, &unique()), Filter::Unique);
}

#[test]
fn multi_asks_both() {
    let mut ledger = ledger([labelled("a", &["ssd"]), labelled("b", &["ssd"]), labelled("c", &[])]);
    let asked = with(request(100, 64), |member| {
        member.placement = Placement::Multi;
        member.labels = vec![label("ssd")];
    });
    let engines: Vec<_> = (0..3).map(|number| place_and_hold(&mut ledger, number, &asked)).collect();
    assert_eq!(engines, [Some("a".to_owned()), Some("b".to_owned()), None]);
    let refused = ledger.place(&asked).unwrap_err().refused;
    assert_eq!(refused, [(Filter::Label, 1), (Filter::Unique, 2)].into());
}

#[test]
fn a_group_with_two_of_a_unique_image_fits_nowhere() {
    let ledger = three_hosts();
    let mut asked = unique();
    asked.members.push(member("other"));
    assert_eq!(refused_by(&ledger, &asked), Filter::Unique);
    asked.members[1].image = image("nginx");
    assert_eq!(chosen(&ledger, &asked), "host-1");
}

#[test]
fn links_go_where_the_container_is() {
    let mut ledger = three_hosts();
    let asks = |links: &[&str]| {
        with(request(100, 64), |member| member.links = links.iter().map(|&link| link.to_owned()).collect())
    };
    assert_eq!(refused_by(&ledger, &asks(&["db"])), Filter::Link);
    let named = |id: &str, names: &[&str]| {
        let mut held = hold(id, 1000, 1000);
        held.names = names.iter().map(|&name| name.to_owned()).collect();
        held
    };
    ledger.hold(key(1), named("host-2", &["db"]));
    ledger.hold(key(2), named("host-3", &["db", "cache"]));
    assert_eq!(chosen(&ledger, &asks(&["db"])), "host-2");
    assert_eq!(chosen(&ledger, &asks(&["db", "cache"])), "host-3");
    ledger.release(&key(2));
    assert_eq!(refused_by(&ledger, &asks(&["db", "cache"])), Filter::Link);
}

#[test]
fn links_go_only_to_containers_of_the_same_owner() {
    let mut ledger = three_hosts();
    let [ann, bob] = ["ann", "bob"].map(|name| Username::parse(name).unwrap());
    let owned = |id: &str, owner: Option<&Username>| {
        let mut held = hold(id, 1, 1);
        (held.names, held.owner) = (vec!["db".to_owned()], owner.cloned());
        held
    };
    let asks = |owner: Option<&Username>| {
        let mut asked = with(request(100, 64), |member| member.links = vec!["db".to_owned()]);
        asked.links_of = owner.cloned();
        asked
    };
    ledger.hold(key(1), owned("host-1", None));
    ledger.hold(key(2), owned("host-2", Some(&ann)));
    assert_eq!(chosen(&ledger, &asks(Some(&ann))), "host-2");
    assert_eq!(refused_by(&ledger, &asks(Some(&bob))), Filter::Link);
    assert!(ledger.place(&asks(Some(&bob))).unwrap_err().to_string().contains("somebody else's"));
    assert!(ledger.place(&asks(None)).is_ok(), "somebody who may link to all");
    // Something of that name that is not hers is on the host as well: nobody knows which it will be.
    ledger.hold(key(3), owned("host-2", None));
    assert_eq!(refused_by(&ledger, &asks(Some(&ann))), Filter::Link);
}

#[test]
fn where_it_failed_before_it_is_not_tried_again() {
    let ledger = three_hosts();
    let mut asked = request(100, 64);
    for (id, next) in [("host-1", Some("host-2")), ("host-3", Some("host-2")), ("host-2", None)] {
        asked.avoid.push(Avoid { engine: engine(id), reason: "no such image".to_owned() });
        assert_eq!(ledger.place(&asked).ok().map(|placed| placed.engine), next.map(engine));
    }
    assert_eq!(refused_by(&ledger, &asked), Filter::Tried);
}

#[test]
fn the_first_filter_that_refuses_is_the_one_that_is_counted() {
    let mut ledger = ledger([HostFacts { unavailable: Some("down".to_owned()), ..labelled("a", &[]) }]);
    let mut asked = with(request(9000, 9000), |member| {
        member.placement = Placement::Multi;
        member.labels = vec![label("ssd")];
        member.ports = vec![port(None, Some(80))];
        member.links = vec!["db".to_owned()];
    });
    asked.avoid = vec![Avoid { engine: engine("a"), reason: "failed".to_owned() }];
    let mut held = hold("a", 0, 0);
    (held.images, held.ports) = (vec!["httpd:latest".to_owned()], vec![bound(None, 80)]);
    ledger.hold(key(1), held.clone());

    assert_eq!(refused_by(&ledger, &asked), Filter::Unavailable);
    ledger.set_host(labelled("a", &[]));
    assert_eq!(refused_by(&ledger, &asked), Filter::Label);
    ledger.set_host(labelled("a", &["ssd"]));
    assert_eq!(refused_by(&ledger, &asked), Filter::Unique);
    held.images.clear();
    ledger.hold(key(1), held.clone());
    assert_eq!(refused_by(&ledger, &asked), Filter::Link);
    held.names = vec!["db".to_owned()];
    ledger.hold(key(1), held.clone());
    assert_eq!(refused_by(&ledger, &asked), Filter::Tried);
    asked.avoid.clear();
    assert_eq!(refused_by(&ledger, &asked), Filter::Port);
    held.ports.clear();
    ledger.hold(key(1), held);
    assert_eq!(refused_by(&ledger, &asked), Filter::Cpu);
    asked.resources.cpu_millis = 4000;
    assert_eq!(refused_by(&ledger, &asked), Filter::Memory);
    asked.resources.memory_mb = 4096;
    assert_eq!(chosen(&ledger, &asked), "a");
}
