//! The indexed search agrees with the exhaustive one, whatever happened to the ledger before.

use crate::placement::tests::sample::*;
use crate::{Avoid, Hold, HostFacts, Ledger, PlacementPolicy, Request};
use pierhead_model::{ImageReference, Placement, Protocol, Resources};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Something that happens to a ledger.
#[derive(Debug, Clone)]
enum Step {
    SetHost(HostFacts),
    RemoveHost(u8),
    Hold(u32, Hold),
    Release(u32),
    Ask(Request),
    /// Asks, and holds what was placed.
    Run(u32, Request),
}

const LABELS: [&str; 5] = ["ssd", "gpu", "zone=a", "zone=b", "rare"];
const IMAGES: [&str; 4] = ["httpd", "nginx", "redis:7", "app"];
const ASKED_LABELS: [&str; 8] = ["ssd", "!ssd", "zone=a|zone=b", "zone!=a", "gpu|rare", "rare", "host:h3", "!host:h1"];

fn host_name(number: u8) -> String {
    format!("h{number}")
}

/// Few sizes, so that there are ties, and a few odd ones.
fn sizes() -> impl Strategy<Value = Resources> {
    prop_oneof![
        6 => (1..4_u64, 1..4_u64).prop_map(|(cpu, memory)| Resources::new(cpu * 2000, memory * 1024)),
        3 => (0..20_000_u64, 0..20_000_u64).prop_map(|(cpu, memory)| Resources::new(cpu, memory)),
        1 => Just(Resources::new(u64::MAX, 1 << 50)),
    ]
}

fn amounts() -> impl Strategy<Value = Resources> {
    prop_oneof![
        4 => (0..4_u64, 0..4_u64).prop_map(|(cpu, memory)| Resources::new(cpu * 250, memory * 128)),
        4 => (0..3000_u64, 0..2000_u64).prop_map(|(cpu, memory)| Resources::new(cpu, memory)),
        1 => Just(Resources::new(1 << 60, 1 << 60)),
    ]
}

fn hosts() -> impl Strategy<Value = HostFacts> {
    let labels = prop::collection::btree_set(prop::sample::select(&LABELS[..]), 0..4);
    (0..24_u8, sizes(), labels, prop::bool::weighted(0.15)).prop_map(|(number, allocatable, labels, down)| HostFacts {
        id: engine(&host_name(number)),
        allocatable,
        labels: labels.into_iter().map(str::to_owned).collect(),
        unavailable: down.then(|| "down".to_owned()),
        has_agent: !number.is_multiple_of(3),
        unguarded: number.is_multiple_of(5).then(|| "no firewall".to_owned()),
    })
}

fn holds() -> impl Strategy<Value = Hold> {
    let images = prop::collection::vec(prop::sample::select(&IMAGES[..]), 0..2);
    let ports = prop::collection::vec((80..84_u16, prop::bool::ANY), 0..2);
    (0..24_u8, amounts(), images, ports, 0..4_u8).prop_map(|(number, resources, images, ports, name)| Hold {
        engine: engine(&host_name(number)),
        resources,
        ports: ports.into_iter().map(|(number, all)| bound((!all).then_some("10.0.0.1"), number)).collect(),
        images: images.into_iter().map(|image| ImageReference::parse(image).unwrap().to_string()).collect(),
        names: vec![format!("c{name}")],
        owner: None,
    })
}

fn placements() -> impl Strategy<Value = Placement> {
    prop_oneof![
        8 => Just(Placement::Service),
        2 => Just(Placement::Unique),
        2 => Just(Placement::Multi),
        1 => (0..24_u8).prop_map(|number| Placement::Host(engine(&host_name(number)))),
    ]
}

fn ports() -> impl Strategy<Value = Option<u16>> {
    prop_oneof![Just(None), (80..84_u16).prop_map(Some), (20_000..20_003_u16).prop_map(Some)]
}

fn requests() -> impl Strategy<Value = Request> {
    let labels = prop::collection::vec(prop::sample::select(&ASKED_LABELS[..]), 0..3);
    let image = prop::sample::select(&IMAGES[..]);
    let links = prop::option::weighted(0.1, 0..4_u8);
    let avoid = prop::collection::vec(0..24_u8, 0..3);
    let ports = prop::collection::vec(ports(), 0..3);
    (amounts(), placements(), labels, image, links, avoid, ports, any::<u64>()).prop_map(
        |(resources, placement, labels, image, link, avoid, ports, seed)| Request {
            avoid: avoid
                .iter()
                .map(|&number| Avoid { engine: engine(&host_name(number)), reason: "failed".to_owned() })
                .collect(),
            avoid_ports: avoid
                .iter()
                .map(|&number| (engine(&host_name(number / 2)), Protocol::Tcp, 20_000 + u16::from(number % 3)))
                .collect(),
            seed,
            needs_agent: seed.is_multiple_of(4),
            ..with(Request { resources, ..request(0, 0) }, |member| {
                member.image = ImageReference::parse(image).unwrap();
                member.placement = placement;
                member.labels = labels.into_iter().map(label).collect();
                member.ports = ports.into_iter().map(|number| port(None, number)).collect();
                member.links = link.into_iter().map(|name| format!("c{name}")).collect();
            })
        },
    )
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => hosts().prop_map(Step::SetHost),
        1 => (0..24_u8).prop_map(Step::RemoveHost),
        4 => (0..40_u32, holds()).prop_map(|(number, hold)| Step::Hold(number, hold)),
        2 => (0..40_u32).prop_map(Step::Release),
        4 => requests().prop_map(Step::Ask),
        6 => (40..80_u32, requests()).prop_map(|(number, request)| Step::Run(number, request)),
    ]
}

fn agrees(ledger: &Ledger, request: &Request) -> Result<(), TestCaseError> {
    let exhaustive = ledger.place_exhaustively(request);
    prop_assert_eq!(&ledger.place(request), &exhaustive);
    let explained = ledger.explain(request);
    prop_assert_eq!(explained.chosen.as_ref(), exhaustive.as_ref().ok().map(|placed| &placed.engine));
    prop_assert_eq!(explained.refusal, exhaustive.err());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn indexed_and_exhaustive_search_agree(
        first in prop::collection::vec(hosts(), 0..24),
        steps in prop::collection::vec(steps(), 1..60),
        cpu_weight in prop_oneof![Just(65.0), 0.0..200.0_f64],
        memory_weight in prop_oneof![Just(35.0), Just(0.0), 0.0..200.0_f64],
    ) {
        let mut ledger = Ledger::new(PlacementPolicy { cpu_weight, memory_weight, host_ports: 20_000..=20_005 });
        first.into_iter().for_each(|facts| ledger.set_host(facts));
        for step in steps {
            match step {
                Step::SetHost(facts) => ledger.set_host(facts),
                Step::RemoveHost(number) => ledger.remove_host(&engine(&host_name(number))),
                Step::Hold(number, hold) => ledger.hold(key(number), hold),
                Step::Release(number) => drop(ledger.release(&key(number))),
                Step::Ask(request) => agrees(&ledger, &request)?,
                Step::Run(number, request) => {
                    agrees(&ledger, &request)?;
                    place_and_hold(&mut ledger, number, &request);
                }
            }
        }
    }
}

#[test]
fn a_pool_that_fills_up_is_filled_as_the_exhaustive_search_would() {
    let hosts = (0..90_u64).map(|number| {
        let labels: &[&str] = if number % 3 == 0 { &["ssd"] } else { &[] };
        let size = Resources::new(2000 + number % 4 * 2000, 2048 + number % 5 * 1024 + number % 7);
        HostFacts { allocatable: size, ..labelled(&format!("h{number}"), labels) }
    });
    let mut ledger = ledger(hosts);
    let mut placed = 0;
    for number in 0..4000_u32 {
        let amount = u64::from(number % 5 + 1);
        let mut asked = request(amount * 50, amount * 32 + u64::from(number % 3) * 100);
        match number % 10 {
            0 | 1 => asked = with(asked, |member| member.labels = vec![label("ssd")]),
            2 => asked = with(asked, |member| member.placement = Placement::Unique),
            3 => asked = with(asked, |member| member.ports = vec![port(None, Some(8000 + number as u16 % 50))]),
            _ => {}
        }
        assert_eq!(ledger.place(&asked), ledger.place_exhaustively(&asked));
        placed += usize::from(place_and_hold(&mut ledger, number, &asked).is_some());
    }
    assert!((1000..4000).contains(&placed), "it was neither empty nor full all the time: {placed}");
}
