//! Networks of workspaces and images made of containers, as Docker rules over them.

use super::*;
use crate::{Compare, NetworkRequest, Squash, WorkspacePart};
use pierhead_model::{Asks, Ownership, Subnet, Timestamp, WorkspaceId};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn network(id: &str, subnet: &str) -> NetworkRequest {
    let labels = BTreeMap::from([(Ownership::CLUSTER.to_owned(), "c".to_owned())]);
    let id = WorkspaceId::parse(id).unwrap();
    NetworkRequest::of_workspace(&id, Subnet::parse(subnet).unwrap(), labels, &Asks::default())
}

fn reference(name: &str) -> ImageReference {
    ImageReference::parse(name).unwrap()
}

fn labels(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn names(fake: &Fake) -> Vec<String> {
    fake.networks().await.unwrap().into_iter().map(|network| network.name).collect()
}

#[tokio::test]
async fn what_others_made_is_not_listed_and_takes_its_name_and_addresses_all_the_same() {
    let fake = fake();
    let mut others = network("abcdefgh22", "10.213.0.0/28");
    others.labels.clear();
    fake.create_network(&others).await.unwrap();
    assert!(names(&fake).await.is_empty());
    let named = fake.create_network(&network("abcdefgh22", "10.213.1.0/28")).await.unwrap_err();
    assert!(matches!(named, EngineError::NameTaken), "{named:?}");
    for within in ["10.213.0.0/28", "10.213.0.0/27", "10.213.0.8/29", "10.0.0.0/8"] {
        let error = fake.create_network(&network("abcdefgh23", within)).await.unwrap_err();
        assert!(matches!(error, EngineError::SubnetTaken(_)), "{within}: {error:?}");
    }
    fake.create_network(&network("abcdefgh23", "10.213.0.16/28")).await.unwrap();
    assert_eq!(names(&fake).await, ["ph-abcdefgh23"]);
}

#[tokio::test]
async fn a_network_goes_only_when_nothing_runs_in_it_and_takes_the_start_of_its_containers_along() {
    let fake = fake();
    let (ours, other) = (network("abcdefgh22", "10.213.0.0/28"), network("abcdefgh23", "10.213.0.16/28"));
    for network in [&ours, &other] {
        fake.create_network(network).await.unwrap();
    }
    let part = WorkspacePart::new(&ours.name, "main", &Asks::default());
    let id = fake.create(&CreateRequest { workspace: Some(part), ..request("main") }).await.unwrap();
    fake.start(&id).await.unwrap();
    let error = fake.remove_network(&ours.name).await.unwrap_err();
    assert!(error.to_string().contains("active endpoints"), "{error}");
    fake.remove_network(&other.name).await.unwrap();
    assert_eq!(names(&fake).await, ["ph-abcdefgh22"], "the one in use is there still");
    fake.stop(&id, 0).await.unwrap();
    fake.remove_network(&ours.name).await.unwrap();
    assert!(matches!(fake.start(&id).await, Err(EngineError::Failed(_))));
    assert!(!fake.named("main").unwrap().state.is_running());
    fake.create_network(&ours).await.unwrap();
    fake.start(&id).await.unwrap();
}

#[tokio::test]
async fn a_reply_that_is_lost_leaves_the_network_to_be_found() {
    let fake = fake();
    let wanted = network("abcdefgh22", "10.213.0.0/28");
    fake.fail_next(Verb::CreateNetwork, EngineError::Failed("no".to_owned()));
    assert!(fake.create_network(&wanted).await.is_err());
    assert!(names(&fake).await.is_empty(), "what failed changed nothing");
    fake.lose_reply(Verb::CreateNetwork);
    assert!(fake.create_network(&wanted).await.is_err());
    assert_eq!(names(&fake).await, ["ph-abcdefgh22"]);
    assert!(matches!(fake.create_network(&wanted).await, Err(EngineError::NameTaken)));
}

proptest! {
    #[test]
    fn addresses_never_overlap_and_a_refusal_changes_nothing(
        steps in proptest::collection::vec((0usize..6, 0u8..32, 24u8..=29, any::<bool>()), 0..30),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let fake = fake();
            for (name, third, bits, removes) in steps {
                let wanted = network(&format!("abcdefgh2{}", ["a", "b", "c", "d", "e", "f"][name]), &format!("10.213.{}.0/{bits}", third / 4));
                let before = fake.networks().await.unwrap();
                let (has_name, has_addresses) = (
                    before.iter().any(|network| network.name == wanted.name),
                    before.iter().any(|network| network.subnet.unwrap().overlaps(wanted.subnet)),
                );
                if removes {
                    fake.remove_network(&wanted.name).await.unwrap();
                    prop_assert!(!names(&fake).await.contains(&wanted.name));
                } else if fake.create_network(&wanted).await.is_ok() {
                    prop_assert!(!has_name && !has_addresses);
                    prop_assert_eq!(fake.networks().await.unwrap().len(), before.len() + 1);
                } else {
                    prop_assert!(has_name || has_addresses);
                    prop_assert_eq!(fake.networks().await.unwrap(), before);
                }
            }
            Ok(())
        })?;
    }
}

/// A fake with an image of three layers, a base of one, and a container that wrote something.
async fn written(bytes: u64) -> (Fake, ContainerId) {
    let fake = fake();
    fake.put_image(FakeImage::new("a:1").layered(&["base"]));
    let mut several = FakeImage::new("pierhead/saving:x").layered(&["base", "one", "two"]);
    several.labels = labels(&[("pierhead.cluster", "c"), ("theirs", "1")]);
    fake.put_image(several);
    let id = running(&fake, "main").await;
    fake.set_written(&id, bytes).unwrap();
    (fake, id)
}

fn squash(most_bytes: u64) -> Squash {
    Squash {
        image: reference("pierhead/saving:x"),
        base_layers: 1,
        like: reference("pierhead/saving:x"),
        name: reference("pierhead/save:x"),
        labels: labels(&[("pierhead.saved", "s")]),
        created: Timestamp(5),
        most_bytes,
    }
}

#[tokio::test]
async fn a_container_is_committed_with_what_it_wrote_and_stays_as_it_is() {
    let (fake, id) = written(700).await;
    let name = reference("pierhead/saving:y");
    let first = fake.commit(&id, &name).await.unwrap();
    let second = fake.commit(&id, &name).await.unwrap();
    assert_ne!(first, second, "each is an image of its own");
    assert_eq!(fake.image(&name).await.unwrap(), Some(second), "the name goes with the later one");
    let layers = fake.layers(&name).await.unwrap().unwrap();
    assert_eq!(layers.diff_ids.len(), 2);
    assert_eq!(fake.written(&id).await.unwrap(), 700);
    assert!(fake.named("main").unwrap().state.is_running());
    Engine::remove_image(&fake, &name).await.unwrap();
    let error = Engine::remove_image(&fake, &reference("a:1")).await.unwrap_err();
    assert!(error.to_string().contains("conflict"), "{error}");
    assert!(fake.image_names().contains(&"a:1".to_owned()));
}

#[tokio::test]
async fn layers_become_one_within_the_bytes_that_are_let() {
    let (fake, _) = written(0).await;
    let before: BTreeSet<String> = fake.image_names().into_iter().collect();
    let made = fake.squash(&squash(u64::MAX)).await.unwrap();
    assert!(made.layers == 2 && made.layer_bytes > 0, "{made:?}");
    assert_eq!(fake.squash(&squash(made.layer_bytes)).await.unwrap(), made, "as large as it may be, and the same");
    Engine::remove_image(&fake, &reference("pierhead/save:x")).await.unwrap();
    for (bad, words) in [
        (squash(made.layer_bytes - 1), "more than"),
        (Squash { base_layers: 4, ..squash(u64::MAX) }, "fewer layers"),
        (Squash { image: reference("gone:1"), ..squash(u64::MAX) }, "gone:1"),
        (Squash { like: reference("lost:1"), ..squash(u64::MAX) }, "lost:1"),
    ] {
        let error = fake.squash(&bad).await.unwrap_err();
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert_eq!(fake.image_names().into_iter().collect::<BTreeSet<_>>(), before, "{words}");
    }
}

#[tokio::test]
async fn what_was_merged_bears_none_of_our_labels_but_those_it_was_given() {
    let (fake, _) = written(0).await;
    fake.squash(&squash(u64::MAX)).await.unwrap();
    let listed = fake.images().await.unwrap();
    let made = listed.iter().find(|image| image.tags.iter().any(|tag| tag == "pierhead/save:x")).unwrap();
    assert_eq!(made.labels, labels(&[("pierhead.saved", "s"), ("theirs", "1")]));
    let compare = |earlier: &str| Compare {
        image: reference("pierhead/save:x"),
        earlier: Some(reference(earlier)),
        base_layers: 1,
    };
    let changes = fake.changes(&compare("a:1")).await.unwrap();
    assert_eq!((changes.added, changes.removed), (1, 0), "one layer over its base");
    let back = Compare { image: reference("a:1"), ..compare("pierhead/save:x") };
    let changes = fake.changes(&back).await.unwrap();
    assert_eq!((changes.added, changes.removed), (0, 1));
    assert!(matches!(fake.changes(&compare("gone:1")).await, Err(EngineError::NoImage(_))));
}
