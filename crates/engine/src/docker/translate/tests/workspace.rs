//! What reaches the engine of a workspace's container.

use super::*;
use crate::workspace::{Capability, MOST_PROCESSES, WorkspacePart, processes};
use pierhead_model::Asks;
use serde_json::{Value, json};

fn body(asks: &Asks, change: impl FnOnce(&mut CreateRequest)) -> Value {
    let part = WorkspacePart::new("ph-abcdefgh23", "main", asks);
    let mut request = CreateRequest { pids_limit: processes(asks), workspace: Some(part), ..request(spec()) };
    change(&mut request);
    json(&request)
}

#[test]
fn a_workspace_that_asks_for_nothing_gets_nothing() {
    let told = body(&Asks::default(), |request| request.spec.network = NetworkMode::Host);
    let host = &told["HostConfig"];
    assert_eq!((&host["CapDrop"], &host["CapAdd"]), (&json!(["ALL"]), &json!([])));
    assert_eq!(host["SecurityOpt"], json!(["no-new-privileges"]));
    assert_eq!((&host["PidsLimit"], &host["Memory"]), (&json!(256), &host["MemorySwap"]));
    assert_eq!(host["Ulimits"], json!([{"Name": "nofile", "Soft": 4096, "Hard": 4096}]));
    assert_eq!((&host["Init"], &host["Privileged"]), (&json!(true), &json!(false)));
    assert_eq!(host["Dns"], json!(["192.0.2.1"]));
    assert_eq!(host["NetworkMode"], "ph-abcdefgh23", "that of the description does not count");
    let endpoints = &told["NetworkingConfig"]["EndpointsConfig"];
    assert_eq!(endpoints, &json!({"ph-abcdefgh23": {"Aliases": ["main"]}}));
    assert!(told.get("User").is_none() && told.get("WorkingDir").is_none() && host.get("StorageOpt").is_none());
}

#[test]
fn what_is_asked_is_given_and_no_more() {
    let told = body(&Asks { root: true, egress: true, pids: Some(512), ..Asks::default() }, |request| {
        let part = request.workspace.as_mut().unwrap();
        part.user = Some("dev".into());
        part.working_dir = Some("/srv/dev".into());
        part.disk_mb = Some(100);
    });
    let host = &told["HostConfig"];
    let given = json!(["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID", "KILL"]);
    assert_eq!((&host["CapDrop"], &host["CapAdd"]), (&json!(["ALL"]), &given));
    assert_eq!((&host["PidsLimit"], &host["StorageOpt"]), (&json!(512), &json!({"size": "100m"})));
    assert_eq!((&told["User"], &told["WorkingDir"]), (&json!("dev"), &json!("/srv/dev")));
    assert!(host.get("Dns").is_none(), "the host's resolver answers");
    let told = body(&Asks { root: true, privileged: true, ..Asks::default() }, |_| {});
    let host = &told["HostConfig"];
    assert_eq!(host["Privileged"], true);
    for other in ["CapDrop", "CapAdd", "SecurityOpt", "Devices", "PidMode", "Binds"] {
        assert!(host.get(other).is_none(), "{other}");
    }
}

#[test]
fn a_limit_of_nothing_is_refused() {
    for break_it in [|part: &mut WorkspacePart| part.open_files = 0, |part: &mut WorkspacePart| part.disk_mb = Some(0)]
    {
        let mut part = WorkspacePart::new("n", "a", &Asks::default());
        break_it(&mut part);
        let request = CreateRequest { workspace: Some(part), ..request(spec()) };
        assert!(matches!(create_body(&request, None), Err(EngineError::Refused(_))));
    }
    let pids = |pids| processes(&Asks { pids, ..Asks::default() });
    assert_eq!((pids(None), pids(Some(0)), pids(Some(u32::MAX))), (256, 1, MOST_PROCESSES));
}

prop_compose! {
    fn any_asks()(root in any::<bool>(), egress in any::<bool>(), privileged in any::<bool>(), pids in any::<Option<u32>>()) -> Asks {
        Asks { root, egress, privileged, pids }
    }
}

/// What the host's configuration may have besides what every container's has.
const ALLOWED_MORE: [&str; 7] = ["CapAdd", "CapDrop", "SecurityOpt", "Ulimits", "Init", "StorageOpt", "Dns"];

proptest! {
    #[test]
    fn any_description_stays_within_the_list(
        spec in any_spec(),
        asks in any_asks(),
        texts in proptest::collection::vec(".{0,20}", 4),
        disk_mb in any::<Option<u64>>(),
        labels in proptest::collection::btree_map(".{0,12}", ".{0,12}", 0..4),
    ) {
        let part = WorkspacePart {
            user: Some(texts[2].clone()),
            working_dir: Some(texts[3].clone()),
            disk_mb,
            ..WorkspacePart::new(&texts[0], &texts[1], &asks)
        };
        let request = CreateRequest {
            name: "n".into(), spec, ports: vec![], labels, pids_limit: processes(&asks), engine_restarts: false,
            workspace: Some(part),
        };
        let Ok(body) = create_body(&request, None) else { return Ok(()) };
        let body = serde_json::to_value(&body).unwrap();
        for key in body.as_object().unwrap().keys() {
            let more = ["HostConfig", "User", "WorkingDir", "OpenStdin", "NetworkingConfig"].contains(&key.as_str());
            prop_assert!(more || ALLOWED.contains(&key.as_str()), "{key}");
        }
        let host = &body["HostConfig"];
        for key in host.as_object().unwrap().keys() {
            prop_assert!(ALLOWED_OF_HOST.contains(&key.as_str()) || ALLOWED_MORE.contains(&key.as_str()), "{key}");
        }
        prop_assert_eq!(host["Privileged"].as_bool(), Some(asks.privileged));
        let all: Vec<&str> = Capability::ALL.iter().map(|one| one.as_str()).collect();
        let given: Vec<&str> = host["CapAdd"].as_array().into_iter().flatten().map(|one| one.as_str().unwrap()).collect();
        prop_assert!(given.iter().all(|one| all.contains(one)) && (asks.root || given.is_empty()));
        prop_assert!(all.iter().all(|one| !one.starts_with("SYS_") && !one.starts_with("NET_") && *one != "MKNOD"));
        if !asks.privileged {
            prop_assert_eq!(&host["CapDrop"], &json!(["ALL"]));
            prop_assert_eq!(&host["SecurityOpt"], &json!(["no-new-privileges"]));
        }
        let most = asks.pids.unwrap_or(256).clamp(1, MOST_PROCESSES);
        prop_assert_eq!(host["PidsLimit"].as_u64(), Some(u64::from(most)));
        prop_assert_eq!(&host["Memory"], &host["MemorySwap"]);
        prop_assert_eq!(&host["NetworkMode"], &json!(texts[0]));
        prop_assert_eq!(host.get("Dns").is_some(), !asks.egress);
        let endpoints = body["NetworkingConfig"]["EndpointsConfig"].as_object().unwrap();
        prop_assert!(endpoints.keys().eq([&texts[0]]));
    }
}
