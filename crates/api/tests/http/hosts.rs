//! Hosts as they are shown.

use crate::raw::Sender;
use pierhead_engine::Verb;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually};
use std::time::Duration;

#[tokio::test]
async fn a_host_is_healthy_when_it_has_told_what_it_is() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let admin = Sender::admin(&cluster);
    assert_eq!(admin.send("DELETE", "/api/engines/host-1", "").await.status, 204);
    cluster.host(0).delay(Verb::Facts, Duration::from_secs(2));
    let host = serde_json::to_string(&cluster.engine_request(0)).unwrap();
    assert_eq!(admin.post("/api/engines", &host).await.status, 201);
    let mut waited = 0;
    eventually(PATIENCE, "it is healthy", async || {
        let view = admin.get("/api/engines/host-1").await.json();
        let (status, version) = (view["health"]["status"].as_str().unwrap(), view["docker_version"].as_str().unwrap());
        assert_eq!(status == "healthy", !version.is_empty(), "{view}");
        waited += u32::from(status == "pending");
        status == "healthy"
    })
    .await;
    assert!(waited > 0, "it was seen before it had told");
}
