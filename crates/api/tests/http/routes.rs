//! Every route × who asks. The table is compared with the index of routes, so that none is added without a row.

use crate::raw::{Sender, snapshot};
use pierhead_testkit::{Cluster, ClusterOptions};
use std::collections::BTreeSet;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Everybody,
    Users,
    Admins,
    /// Nobody who has an account.
    Scrapers,
}
use Who::{Admins, Everybody, Scrapers, Users};

const ROUTES: &[(&str, &str, Who)] = &[
    ("GET", "/healthz", Everybody),
    ("GET", "/metrics", Scrapers),
    ("GET", "/api/openapi.json", Everybody),
    ("GET", "/api/docs", Everybody),
    ("GET", "/api/ca", Everybody),
    ("POST", "/auth/login", Everybody),
    ("POST", "/auth/session", Everybody),
    ("GET", "/auth/session", Users),
    ("DELETE", "/auth/session", Users),
    ("GET", "/auth/link", Everybody),
    ("POST", "/auth/link", Everybody),
    ("GET", "/auth/redirect", Everybody),
    ("GET", "/auth/ways", Everybody),
    ("GET", "/auth/oidc/start", Everybody),
    ("GET", "/auth/oidc/back", Everybody),
    ("POST", "/api/tickets", Users),
    ("POST", "/account/passwdchange", Users),
    ("GET", "/api/account", Admins),
    ("POST", "/api/account", Admins),
    ("DELETE", "/api/account", Admins),
    ("DELETE", "/api/account/{username}", Admins),
    ("PUT", "/api/account/{username}", Admins),
    ("POST", "/api/account/{username}/suspend", Admins),
    ("POST", "/api/account/{username}/resume", Admins),
    ("POST", "/api/account/{username}/link", Admins),
    ("GET", "/api/usage", Admins),
    ("GET", "/api/courses", Users),
    ("POST", "/api/courses", Users),
    ("GET", "/api/courses/{id}", Users),
    ("PUT", "/api/courses/{id}", Users),
    ("DELETE", "/api/courses/{id}", Users),
    ("GET", "/api/courses/{id}/students", Users),
    ("POST", "/api/courses/{id}/students", Users),
    ("PUT", "/api/courses/{id}/students/{username}", Users),
    ("DELETE", "/api/courses/{id}/students/{username}", Users),
    ("POST", "/api/courses/{id}/students/{username}/link", Users),
    ("GET", "/api/courses/{id}/work", Users),
    ("PUT", "/api/courses/{id}/work/{lab}", Users),
    ("PUT", "/api/courses/{id}/work/{lab}/extensions/{username}", Users),
    ("DELETE", "/api/courses/{id}/work/{lab}/extensions/{username}", Users),
    ("POST", "/api/courses/{id}/work/{lab}/submissions", Users),
    ("GET", "/api/courses/{id}/submissions", Users),
    ("POST", "/api/courses/{id}/submissions/{lab}/{username}/retry", Users),
    ("POST", "/api/courses/{id}/submissions/{lab}/{username}/workspace", Users),
    ("PUT", "/api/courses/{id}/grades/{lab}/{username}", Users),
    ("GET", "/api/courses/{id}/results", Users),
    ("GET", "/api/courses/{id}/grades", Users),
    ("GET", "/api/courses/{id}/grades/csv", Users),
    ("GET", "/api/courses/{id}/consent", Users),
    ("PUT", "/api/courses/{id}/consent", Users),
    ("GET", "/api/courses/{id}/deleted-recordings", Users),
    ("GET", "/api/courses/{id}/recordings", Users),
    ("GET", "/api/courses/{id}/recordings/{recording}", Users),
    ("DELETE", "/api/courses/{id}/recordings/{recording}", Users),
    ("GET", "/api/courses/{id}/usage", Users),
    ("GET", "/api/courses/{id}/usage/csv", Users),
    ("GET", "/api/roster", Admins),
    ("POST", "/api/roster/preview", Admins),
    ("POST", "/api/roster/sync", Admins),
    ("GET", "/api/tokens", Users),
    ("POST", "/api/tokens", Users),
    ("DELETE", "/api/tokens/{id}", Users),
    ("GET", "/api/roles", Admins),
    ("POST", "/api/roles", Admins),
    ("GET", "/api/roles/{name}", Admins),
    ("PUT", "/api/roles/{name}", Admins),
    ("DELETE", "/api/roles/{name}", Admins),
    ("GET", "/api/engines", Users),
    ("POST", "/api/engines", Admins),
    ("GET", "/api/engines/{id}", Users),
    ("DELETE", "/api/engines/{id}", Admins),
    ("POST", "/api/engines/join-tokens", Admins),
    ("POST", "/api/engines/{id}/approve", Admins),
    ("POST", "/api/engines/{id}/revoke", Admins),
    ("POST", "/api/engines/{id}/cordon", Admins),
    ("POST", "/api/engines/{id}/uncordon", Admins),
    ("POST", "/api/engines/{id}/drain", Admins),
    ("GET", "/api/controllers", Users),
    ("GET", "/api/cluster/survive/{id}", Users),
    ("GET", "/api/cluster/rebalance", Users),
    ("POST", "/api/cluster/rebalance", Admins),
    ("POST", "/api/cluster/thaw", Admins),
    ("POST", "/api/cluster/settle", Admins),
    ("GET", "/api/cluster/backup", Admins),
    ("GET", "/api/cluster/info", Users),
    ("GET", "/api/events", Users),
    ("GET", "/api/events/stream", Users),
    ("GET", "/api/stats", Users),
    ("GET", "/api/stats/history", Users),
    ("GET", "/api/stats/stream", Users),
    ("GET", "/api/containers", Users),
    ("POST", "/api/containers", Users),
    ("GET", "/api/containers/{id}", Users),
    ("DELETE", "/api/containers/{id}", Users),
    ("GET", "/api/containers/{id}/start", Users),
    ("POST", "/api/containers/{id}/start", Users),
    ("GET", "/api/containers/{id}/stop", Users),
    ("POST", "/api/containers/{id}/stop", Users),
    ("GET", "/api/containers/{id}/restart", Users),
    ("POST", "/api/containers/{id}/restart", Users),
    ("GET", "/api/containers/{id}/scale", Users),
    ("POST", "/api/containers/{id}/scale", Users),
    ("GET", "/api/containers/{id}/logs", Users),
    ("GET", "/api/containers/{id}/explain", Users),
    ("POST", "/api/containers/{id}/terminals", Users),
    ("GET", "/api/terminals", Users),
    ("GET", "/api/terminals/{id}", Users),
    ("DELETE", "/api/terminals/{id}", Users),
    ("PUT", "/api/terminals/{id}/guests/{username}", Users),
    ("DELETE", "/api/terminals/{id}/guests/{username}", Users),
    ("GET", "/api/terminals/{id}/recording", Users),
    ("GET", "/api/terminals/{id}/socket", Users),
    ("GET", "/api/apps", Users),
    ("GET", "/api/apps/{name}", Users),
    ("PUT", "/api/apps/{name}", Users),
    ("DELETE", "/api/apps/{name}", Users),
    ("POST", "/api/apps/{name}/scale", Users),
    ("GET", "/api/apps/{name}/logs", Users),
    ("GET", "/api/apps/{name}/explain", Users),
    ("POST", "/api/explain", Users),
    ("GET", "/api/operations", Users),
    ("GET", "/api/operations/{id}", Users),
    ("POST", "/api/operations/{id}/cancel", Users),
    ("GET", "/api/environments", Users),
    ("POST", "/api/environments", Users),
    ("GET", "/api/environments/{id}", Users),
    ("PUT", "/api/environments/{id}", Users),
    ("DELETE", "/api/environments/{id}", Users),
    ("GET", "/api/workspaces", Users),
    ("POST", "/api/workspaces", Users),
    ("GET", "/api/workspaces/{id}", Users),
    ("DELETE", "/api/workspaces/{id}", Users),
    ("POST", "/api/workspaces/{id}/extend", Users),
    ("POST", "/api/workspaces/{id}/save", Users),
    ("POST", "/api/workspaces/{id}/stop", Users),
    ("POST", "/api/workspaces/{id}/start", Users),
    ("POST", "/api/workspaces/{id}/reset", Users),
    ("PUT", "/api/workspaces/{id}/guests/{username}", Users),
    ("DELETE", "/api/workspaces/{id}/guests/{username}", Users),
    ("GET", "/api/workspaces/{id}/ports", Users),
    ("POST", "/api/workspaces/{id}/previews/{port}", Users),
    ("GET", "/api/workspaces/{id}/files", Users),
    ("POST", "/api/workspaces/{id}/files", Users),
    ("DELETE", "/api/workspaces/{id}/files", Users),
    ("GET", "/api/workspaces/{id}/files/content", Users),
    ("PUT", "/api/workspaces/{id}/files/content", Users),
    ("POST", "/api/workspaces/{id}/files/move", Users),
    ("GET", "/api/wall", Users),
    ("GET", "/api/wall/socket", Users),
    ("POST", "/api/wall/change", Users),
    ("GET", "/api/hands", Users),
    ("PUT", "/api/workspaces/{id}/hand", Users),
    ("DELETE", "/api/workspaces/{id}/hand", Users),
    ("GET", "/api/messages", Users),
    ("POST", "/api/messages", Users),
    ("POST", "/api/messages/read", Users),
    ("GET", "/api/saves", Users),
    ("GET", "/api/saves/{id}", Users),
    ("DELETE", "/api/saves/{id}", Users),
    ("GET", "/api/saves/{id}/changes", Users),
    ("POST", "/api/saves/{id}/environment", Users),
    ("GET", "/api/labs", Users),
    ("POST", "/api/labs", Users),
    ("POST", "/api/labs/import", Users),
    ("GET", "/api/labs/{id}", Users),
    ("PUT", "/api/labs/{id}", Users),
    ("DELETE", "/api/labs/{id}", Users),
    ("PUT", "/api/labs/{id}/draft", Users),
    ("GET", "/api/labs/{id}/archive", Users),
    ("GET", "/api/labs/{id}/files", Users),
    ("GET", "/api/labs/{id}/files/content", Users),
    ("PUT", "/api/labs/{id}/files/content", Users),
    ("DELETE", "/api/labs/{id}/files/content", Users),
    ("POST", "/api/labs/{id}/files/move", Users),
    ("POST", "/api/labs/{id}/publish", Users),
    ("DELETE", "/api/labs/{id}/versions/{version}", Users),
    ("GET", "/api/labs/{id}/history", Users),
    ("POST", "/api/labs/{id}/history/{revision}/restore", Users),
    ("GET", "/api/labs/{id}/diff", Users),
    ("GET", "/api/labs/{id}/outline", Users),
    ("GET", "/api/labs/{id}/pages/{step}", Users),
    ("POST", "/api/labs/{id}/preview", Users),
    ("POST", "/api/labs/{id}/workspace", Users),
    ("POST", "/api/labs/{id}/environment", Users),
    ("POST", "/api/labs/{id}/attempts", Users),
    ("POST", "/api/labs/{id}/checks", Users),
    ("GET", "/api/attempts", Users),
    ("GET", "/api/attempts/{id}", Users),
    ("DELETE", "/api/attempts/{id}", Users),
    ("GET", "/api/attempts/{id}/pages/{step}", Users),
    ("GET", "/api/attempts/{id}/files", Users),
    ("PUT", "/api/attempts/{id}/step", Users),
    ("POST", "/api/attempts/{id}/steps/{step}/checks", Users),
    ("POST", "/api/attempts/{id}/steps/{step}/quizzes/{name}", Users),
    ("POST", "/api/attempts/{id}/steps/{step}/hints/{hint}", Users),
    ("POST", "/api/attempts/{id}/reset", Users),
    ("POST", "/api/attempts/{id}/workspace", Users),
    ("POST", "/api/attempts/{id}/move", Users),
    ("GET", "/api/lab-images", Users),
    ("PUT", "/api/lab-images", Admins),
    ("GET", "/api/images", Users),
    ("POST", "/api/images", Users),
    ("GET", "/api/images/{id}", Users),
    ("DELETE", "/api/images/{id}", Users),
    ("POST", "/api/images/{id}/spread", Users),
    ("GET", "/api/registries", Users),
    ("POST", "/api/registries", Admins),
    ("GET", "/api/registries/{host}", Users),
    ("PUT", "/api/registries/{host}", Admins),
    ("DELETE", "/api/registries/{host}", Admins),
];

/// The methods and paths that the index of routes names.
fn mounted() -> BTreeSet<(String, String)> {
    crate::openapi::operations().into_iter().map(|operation| (operation.method, operation.path)).collect()
}

#[test]
fn every_route_has_a_row() {
    let rows: BTreeSet<(String, String)> =
        ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(rows.len(), ROUTES.len(), "a row stands twice");
    assert_eq!(rows, mounted());
}

/// A path about something that is not there.
fn about_nothing(path: &str) -> String {
    path.replace("/stream", "/stream?since=now")
        .replace("{id}", "00000000beef")
        .replace("{name}", "no-such-app")
        .replace("{host}", "no-such-registry.lan")
        .replace("{username}", "no-such-user")
        .replace("{lab}", "no-such-lab")
        .replace("{recording}", "no-such-recording")
}

#[tokio::test]
async fn every_route_lets_in_whom_it_should() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let (nobody, admin) = (Sender::nobody(&cluster), Sender::admin(&cluster));
    let (forged, user) = (nobody.clone().token("AAAA"), Sender::user(&cluster, "ann").await);
    let before = snapshot(&cluster).await;
    for &(method, path, who) in ROUTES {
        let path = about_nothing(path);
        let what = format!("{method} {path}");
        for stranger in [&nobody, &forged] {
            let answer = stranger.send(method, &path, "{}").await;
            assert_eq!(answer.status == 401, who != Everybody, "{what} of a stranger: {answer:?}");
        }
        if who == Scrapers {
            for account in [&user, &admin] {
                assert_eq!(account.send(method, &path, "{}").await.status, 401, "{what} of an account");
            }
            continue;
        }
        for (name, sender, is_let_in) in [("a user", &user, who != Admins), ("the admin", &admin, true)] {
            let answer = sender.send(method, &path, "{}").await;
            assert_eq!(answer.status == 403, !is_let_in, "{what} of {name}: {answer:?}");
            assert!(![401, 405, 500].contains(&answer.status), "{what} of {name}: {answer:?}");
            if answer.status >= 400 {
                answer.refusal();
            } else if path != "/api/engines/join-tokens" {
                // A token is about nothing that would have to be there.
                assert_eq!(method, "GET", "{what} changed something that is not there: {answer:?}");
            }
        }
    }
    assert_eq!(snapshot(&cluster).await, before);
}

#[tokio::test]
async fn other_paths_and_methods_are_refused_in_the_same_form() {
    let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let admin = Sender::admin(&cluster);
    for path in [
        "/index.html",
        "/api",
        "/api/",
        "/api/nothing",
        "/api/containers/",
        "/api/containers/a/b/c",
        "/%00",
        "/../etc/passwd",
    ] {
        let answer = admin.get(path).await;
        assert_eq!((answer.status, answer.refusal().code.as_str()), (404, "not_found"), "{path}");
    }
    let mut paths: Vec<&str> = ROUTES.iter().map(|(_, path, _)| *path).collect();
    paths.dedup();
    for path in paths {
        for method in ["PATCH", "TRACE", "OPTIONS", "PROPFIND"] {
            let answer = admin.send(method, &about_nothing(path), "{}").await;
            assert_eq!((answer.status, answer.refusal().code.as_str()), (405, "method_not_allowed"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_verb_by_get_acts_and_by_head_does_not() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let admin = Sender::admin(&cluster);
    let made = cluster.run("web", 1, &pierhead_testkit::sample()).await;
    cluster.assert_invariants().await;
    let id = made[0].id.as_str();
    let before = snapshot(&cluster).await;
    for verb in ["stop", "start", "restart", "scale"] {
        let answer = admin.send("HEAD", &format!("/api/containers/{id}/{verb}?count=3"), "").await;
        assert_eq!(answer.status, 405, "{verb}");
    }
    assert_eq!(snapshot(&cluster).await, before, "HEAD changes nothing");
    for (verb, running) in [("stop", 0), ("start", 1), ("restart", 1), ("scale?count=2", 2)] {
        let answer = admin.get(&format!("/api/containers/{id}/{verb}")).await;
        assert_eq!(answer.status, 204, "{verb}: {answer:?}");
        let run = cluster.host(0).look().iter().filter(|found| found.state.is_running()).count();
        assert_eq!(run, running, "{verb}");
    }
    cluster.assert_invariants().await;
}
