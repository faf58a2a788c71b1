//! What environments and workspaces are asked for in vain: by whom it is not, in what form, how often; and what stays of
//! an environment that is described anew or goes.

use crate::asking::{refused, to_the_end};
use crate::detection::Pool;
use crate::workspaces::{containers, describe, described, from, host_of, open, reaches, show};
use pierhead_client::Client;
use pierhead_controller::{Actor, MOST_ENVIRONMENTS_OF_ONE, MOST_WARM_OF_ONE, RequestError, keys};
use pierhead_model::{EnvironmentId, Timestamp, Username, Workspace, WorkspaceId, WorkspaceRight, WorkspaceWish};
use pierhead_store::Transaction;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually, eventually_ok};
use pierhead_wire::{AsksDescription, EnvironmentChange, EnvironmentDescription, EnvironmentRequest, WorkspaceRequest};

/// Hosts without agents: whatever is opened waits, so that asking is all that is done.
async fn without_agents() -> Cluster {
    Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await
}

fn actor(name: &str) -> Actor {
    let username = Username::parse(name).unwrap();
    Actor { username, may_change_all: false, may_run_privileged: false }
}

fn with_lifetime(minutes: u32) -> EnvironmentChange {
    let description =
        EnvironmentDescription { lifetime_minutes: Some(minutes), ..described("lab", "exit 0").description };
    EnvironmentChange { description: Some(description), visibility: None }
}

async fn put(cluster: &Cluster, workspaces: &[Workspace]) {
    let mut transaction = Transaction::new();
    for workspace in workspaces {
        transaction = transaction.put_json(keys::workspace(&workspace.id), workspace).unwrap();
    }
    let revision = cluster.controller().store().commit(transaction).await.unwrap();
    cluster.controller().reached(revision).await;
}

#[tokio::test]
async fn an_environment_is_changed_by_whose_it_is() {
    let cluster = without_agents().await;
    let (ann, bob, admin) = (cluster.user("ann").await, cluster.user("bob").await, cluster.admin());
    describe(&ann, "lab", "exit 0").await;
    let private = EnvironmentRequest { visibility: Some("private".to_owned()), ..described("own", "exit 0") };
    ann.add_environment(&private).await.unwrap();
    let seen = async |client: &Client| {
        let all = client.environments().await.unwrap().into_value();
        all.into_iter().map(|environment| environment.id).collect::<Vec<_>>()
    };
    assert_eq!(
        (seen(&ann).await, seen(&bob).await),
        (vec!["lab".to_owned(), "own".to_owned()], vec!["lab".to_owned()])
    );
    let before = ann.environment("lab").await.unwrap().into_value();
    let (status, body) = refused(bob.set_environment("lab", &with_lifetime(1)).await);
    assert_eq!((status, body.code.as_str()), (403, "forbidden"));
    assert_eq!(refused(bob.delete_environment("lab").await).0, 403);
    // What they may not open is not told from what is not there.
    for name in ["own", "never-described", "No Such Name"] {
        assert_eq!(refused(bob.environment(name).await).0, 404, "{name}");
        assert_eq!(refused(bob.set_environment(name, &with_lifetime(1)).await).0, 404, "{name}");
        assert_eq!(refused(bob.delete_environment(name).await).0, 404, "{name}");
    }
    assert_eq!(refused(bob.open_workspace(&from("own"), &to_the_end()).await).0, 404);
    let (status, body) = refused(bob.add_environment(&described("lab", "exit 1")).await);
    assert_eq!((status, body.code.as_str()), (409, "exists"), "{}", body.message);
    assert_eq!(refused(bob.add_environment(&described("own", "exit 1")).await).0, 409, "names are everybody's");
    assert_eq!(ann.environment("lab").await.unwrap().into_value(), before);
    assert_eq!(admin.set_environment("own", &with_lifetime(7)).await.unwrap().version, 2);
    admin.delete_environment("own").await.unwrap();
    assert_eq!(seen(&ann).await, ["lab"]);
}

#[tokio::test]
async fn what_goes_beyond_what_everybody_gets_is_asked_for_by_administrators() {
    let cluster = without_agents().await;
    let (ann, admin) = (cluster.user("ann").await, cluster.admin());
    describe(&ann, "lab", "exit 0").await;
    let asks = [
        AsksDescription { root: true, ..AsksDescription::default() },
        AsksDescription { egress: true, ..AsksDescription::default() },
        AsksDescription { privileged: true, ..AsksDescription::default() },
        AsksDescription { pids: Some(4096), ..AsksDescription::default() },
    ];
    for (at, asks) in asks.into_iter().enumerate() {
        let mut request = described(&format!("more-{at}"), "exit 0");
        request.description.asks = Some(asks);
        assert_eq!(refused(ann.add_environment(&request).await).0, 403, "{asks:?}");
        let change = EnvironmentChange { description: Some(request.description.clone()), visibility: None };
        assert_eq!(refused(ann.set_environment("lab", &change).await).0, 403, "{asks:?}");
        let made = admin.add_environment(&request).await.unwrap();
        assert_eq!(made.unconfined.len(), 1, "{:?}", made.unconfined);
        let opened = ann.open_workspace(&from(&request.name), &to_the_end()).await.unwrap();
        assert_eq!(opened.unconfined, made.unconfined, "who works in it is told");
    }
    let now = ann.environment("lab").await.unwrap();
    assert_eq!((now.version, now.unconfined.len()), (1, 0));
}

#[tokio::test]
async fn versions_are_counted_whoever_describes_it_at_the_same_time() {
    let cluster = without_agents().await;
    let (ann, admin) = (cluster.user("ann").await, cluster.admin());
    describe(&ann, "lab", "exit 0").await;
    let changes = (1..=8).map(|minutes| {
        let client = if minutes % 2 == 0 { ann.clone() } else { admin.clone() };
        tokio::spawn(async move { client.set_environment("lab", &with_lifetime(minutes)).await.map(drop) })
    });
    for change in changes.collect::<Vec<_>>() {
        change.await.unwrap().unwrap();
    }
    let now = ann.environment("lab").await.unwrap().into_value();
    assert_eq!(now.version, 9, "nobody's change was lost");
    let same = EnvironmentChange { description: Some(now.description.clone()), visibility: None };
    assert_eq!(ann.set_environment("lab", &same).await.unwrap().version, 9, "what is the same is no other version");
    let hidden = EnvironmentChange { visibility: Some("private".to_owned()), description: None };
    let hidden = ann.set_environment("lab", &hidden).await.unwrap().into_value();
    assert_eq!((hidden.version, hidden.visibility.as_str()), (9, "private"));
    assert_eq!(hidden.description, now.description);
}

#[tokio::test]
async fn a_workspace_stays_what_it_was_until_it_is_reset() {
    let pool = Pool::start(2, 150).await;
    let ann = pool.cluster.user("ann").await;
    describe(&ann, "lab", "exit 0").await;
    let opened = open(&ann, "lab").await;
    ann.set_environment("lab", &with_lifetime(30)).await.unwrap();
    pool.cluster.assert_invariants().await;
    let now = show(&ann, &opened.id).await;
    assert_eq!((now.version, containers(&now), now.ends_at), (1, containers(&opened), opened.ends_at.clone()));
    // Not sooner than two seconds after it was opened.
    eventually_ok(PATIENCE, "it may be reset", async || ann.reset_workspace(&opened.id).await.map(drop)).await;
    let anew = reaches(&ann, &opened.id, "ready").await;
    assert_eq!((anew.version, containers(&anew) == containers(&opened)), (2, false));
    assert!(anew.ends_at < opened.ends_at, "it has the lifetime that is described now");
    assert_eq!(ann.saves().await.unwrap().len(), 1, "what was in it was saved before");
}

#[tokio::test]
async fn an_environment_that_goes_takes_nothing_along() {
    let pool = Pool::start(2, 150).await;
    let (ann, bob) = (pool.cluster.user("ann").await, pool.cluster.user("bob").await);
    let mut warm = described("lab", "exit 0");
    warm.description.warm = Some(1);
    ann.add_environment(&warm).await.unwrap();
    eventually(PATIENCE, "one is ready ahead", async || ann.environment("lab").await.unwrap().warm_ready == 1).await;
    let ahead: Vec<Workspace> = pool.cluster.controller().known().world.workspaces().values().cloned().collect();
    assert_eq!((ahead.len(), ahead[0].wish, ann.workspaces().await.unwrap().len()), (1, WorkspaceWish::Warm, 0));
    let hidden = ahead[0].id.as_str();
    assert_eq!(refused(ann.workspace(hidden).await).0, 404, "nobody has it yet");
    assert_eq!(refused(pool.cluster.admin().end_workspace(hidden, true).await).0, 404);
    assert!(pool.cluster.controller().workspace_site(&actor("ann"), hidden).is_err());
    let given = bob.open_workspace(&from("lab"), &to_the_end()).await.unwrap();
    assert_eq!((given.id.as_str(), given.owner.as_str(), given.phase.as_str()), (hidden, "bob", "ready"));
    ann.delete_environment("lab").await.unwrap();
    assert_eq!(refused(bob.open_workspace(&from("lab"), &to_the_end()).await).0, 404);
    eventually(PATIENCE, "only that of somebody stays", async || crate::workspaces::made(&pool) == 2).await;
    bob.stop_workspace(&given.id).await.unwrap();
    reaches(&bob, &given.id, "saved").await;
    bob.start_workspace(&given.id, None).await.unwrap();
    let back = reaches(&bob, &given.id, "ready").await;
    assert_eq!((back.environment.as_str(), back.version), ("lab", 1));
    eventually_ok(PATIENCE, "it may be reset", async || bob.reset_workspace(&given.id).await.map(drop)).await;
    reaches(&bob, &given.id, "ready").await;
    pool.cluster.assert_invariants().await;
}

#[tokio::test]
async fn requests_of_no_form_name_the_field_and_make_nothing() {
    let cluster = without_agents().await;
    let ann = cluster.user("ann").await;
    describe(&ann, "lab", "exit 0").await;
    let text = |text: &str| Some(text.to_owned());
    let requests = [
        (WorkspaceRequest::default(), "environment"),
        (WorkspaceRequest { save: text("abcdefgh23-1"), ..from("lab") }, "environment"),
        (from("No Such Name"), "environment"),
        (WorkspaceRequest { save: text("no save"), ..WorkspaceRequest::default() }, "save"),
        (WorkspaceRequest { name: text(""), ..from("lab") }, "name"),
        (WorkspaceRequest { name: text("two\nlines"), ..from("lab") }, "name"),
    ];
    for (request, field) in requests {
        let (status, body) = refused(ann.open_workspace(&request, &to_the_end()).await);
        assert_eq!((status, body.field.as_deref()), (400, Some(field)), "{request:?}");
    }
    let never = WorkspaceRequest { save: text("abcdefgh23-1"), ..WorkspaceRequest::default() };
    assert_eq!(refused(ann.open_workspace(&never, &to_the_end()).await).0, 404);
    assert!(ann.workspaces().await.unwrap().is_empty());
    let opened = ann.open_workspace(&from("lab"), &to_the_end()).await.unwrap();
    assert_eq!((opened.phase.as_str(), opened.queue), ("queued", Some(1)));
    assert!(opened.message.contains("it has no agent"), "{}", opened.message);
    let before = show(&ann, &opened.id).await;
    for answer in [
        ann.start_workspace(&opened.id, Some("no save")).await,
        ann.extend_workspace(&opened.id, 0).await,
        ann.extend_workspace(&opened.id, 10_081).await,
        ann.save_workspace(&opened.id, Some("two\nlines")).await,
    ] {
        assert_eq!(refused(answer).0, 400);
    }
    assert_eq!(refused(ann.start_workspace(&opened.id, Some("abcdefgh23-1")).await).0, 404);
    for answer in [ann.extend_workspace(&opened.id, 5).await, ann.save_workspace(&opened.id, None).await] {
        let (status, body) = refused(answer);
        assert_eq!((status, body.code.as_str()), (409, "workspace_state"), "nothing of it runs yet");
    }
    for id in ["aaaaaaaaaa", "x", "../workspaces"] {
        assert_eq!(refused(ann.workspace(id).await).0, 404, "{id}");
        assert_eq!(refused(ann.end_workspace(id, true).await).0, 404, "{id}");
    }
    assert_eq!(show(&ann, &opened.id).await, before);
}

#[tokio::test]
async fn guests_are_accounts_and_all_who_are_asked_for_at_once_come() {
    let cluster = without_agents().await;
    let ann = cluster.user("ann").await;
    describe(&ann, "lab", "exit 0").await;
    let opened = ann.open_workspace(&from("lab"), &to_the_end()).await.unwrap();
    cluster.user("bob").await;
    for (guest, role, status, field) in [
        ("bob", "owner", 400, Some("role")),
        ("ann", "viewer", 400, Some("username")),
        ("No Name", "viewer", 400, Some("username")),
        ("nobody", "viewer", 404, None),
    ] {
        let (was, body) = refused(ann.share_workspace(&opened.id, guest, role).await);
        assert_eq!((was, body.field.as_deref()), (status, field), "{guest} {role}");
    }
    assert_eq!(refused(ann.unshare_workspace(&opened.id, "bob").await).0, 404, "he was none");
    assert!(show(&ann, &opened.id).await.guests.is_empty());
    let names: Vec<String> = (0..6).map(|at| format!("guest{at}")).collect();
    for name in &names {
        cluster.user(name).await;
    }
    let shared = names.iter().map(|name| ann.share_workspace(&opened.id, name, "viewer"));
    for answer in futures_util::future::join_all(shared).await {
        answer.unwrap();
    }
    let guests = show(&ann, &opened.id).await.guests;
    assert_eq!(guests.iter().map(|guest| guest.username.clone()).collect::<Vec<_>>(), names);
    let mut record = cluster.controller().known().world.workspaces()[&WorkspaceId::parse(&opened.id).unwrap()].clone();
    let role = *record.guests.values().next().unwrap();
    record.guests.extend((0..94).map(|at| (Username::parse(format!("more{at}")).unwrap(), role)));
    put(&cluster, &[record]).await;
    let (status, body) = refused(ann.share_workspace(&opened.id, "bob", "viewer").await);
    assert_eq!((status, body.field.as_deref()), (400, Some("username")));
    ann.unshare_workspace(&opened.id, "guest0").await.unwrap();
    ann.share_workspace(&opened.id, "bob", "driver").await.unwrap();
}

#[tokio::test]
async fn nobody_opens_too_many_or_too_often() {
    let cluster = without_agents().await;
    let (ann, bob) = (cluster.user("ann").await, cluster.user("bob").await);
    describe(&ann, "lab", "exit 0").await;
    let racing = (0..25).map(|_| {
        let ann = ann.clone();
        tokio::spawn(async move { ann.open_workspace(&from("lab"), &to_the_end()).await.map(drop) })
    });
    let mut codes = Vec::new();
    for answer in racing.collect::<Vec<_>>() {
        codes.extend(answer.await.unwrap().err().map(|error| error.code().unwrap_or_default().to_owned()));
    }
    let opened = ann.workspaces().await.unwrap().into_value();
    assert_eq!(opened.len() + codes.len(), 25);
    assert!(codes.iter().all(|code| code == "too_often"), "{codes:?}");
    let (status, body) = refused(ann.open_workspace(&from("lab"), &to_the_end()).await);
    assert_eq!((status, body.code.as_str()), (429, "too_often"));
    let one = bob.open_workspace(&from("lab"), &to_the_end()).await.expect("others are held up by nothing");
    // Fifty that were opened long ago.
    let like = cluster.controller().known().world.workspaces()[&WorkspaceId::parse(&one.id).unwrap()].clone();
    let old = |at: u64| Workspace { id: WorkspaceId::from_random(at), created_at: Timestamp(1), ..like.clone() };
    let old: Vec<Workspace> = (1..50).map(old).collect();
    put(&cluster, &old).await;
    let (status, body) = refused(bob.open_workspace(&from("lab"), &to_the_end()).await);
    assert_eq!((status, body.code.as_str()), (429, "too_many_workspaces"));
    bob.end_workspace(old[0].id.as_str(), false).await.unwrap();
    bob.open_workspace(&from("lab"), &to_the_end()).await.expect("one that has ended counts no more");
}

#[tokio::test]
async fn nobody_describes_too_many_or_starts_too_many_ahead() {
    let cluster = without_agents().await;
    let (ann, bob) = (cluster.user("ann").await, cluster.user("bob").await);
    let warm = |name: &str, warm| {
        let mut request = described(name, "exit 0");
        request.description.warm = Some(warm);
        request
    };
    let change = |warm_ones| EnvironmentChange { description: Some(warm("", warm_ones).description), visibility: None };
    ann.add_environment(&warm("lab", MOST_WARM_OF_ONE - 30)).await.unwrap();
    let (status, body) = refused(ann.add_environment(&warm("other", 31)).await);
    assert_eq!((status, body.field.as_deref()), (400, Some("description.warm")));
    assert!(body.message.contains("at most 30: all environments of ann may start 100 ahead together"), "{body:?}");
    ann.add_environment(&warm("other", 30)).await.unwrap();
    for (by, status) in [(&ann, 400), (&cluster.admin(), 400)] {
        assert_eq!(refused(by.set_environment("other", &change(31)).await).0, status, "it is hers");
    }
    ann.set_environment("other", &change(29)).await.expect("fewer are always few enough");
    bob.add_environment(&warm("bobs", MOST_WARM_OF_ONE)).await.expect("of his own");
    // What she has, but for one.
    let like = cluster.controller().known().world.environments().values().next().unwrap().clone();
    let mut transaction = Transaction::new();
    for at in 3..MOST_ENVIRONMENTS_OF_ONE {
        let id = EnvironmentId::parse(format!("old-{at}")).unwrap();
        let mut old = pierhead_model::Environment { id, owner: actor("ann").username, ..like.clone() };
        old.spec.warm = 0;
        transaction = transaction.put_json(keys::environment(&old.id), &old).unwrap();
    }
    let revision = cluster.controller().store().commit(transaction).await.unwrap();
    cluster.controller().reached(revision).await;
    let racing = (0..6).map(|at| {
        let ann = ann.clone();
        tokio::spawn(async move { ann.add_environment(&described(&format!("racing-{at}"), "exit 0")).await.map(drop) })
    });
    let mut codes = Vec::new();
    for answer in racing.collect::<Vec<_>>() {
        codes.extend(answer.await.unwrap().err().map(|error| error.code().unwrap_or_default().to_owned()));
    }
    assert_eq!(codes, ["too_many_environments"; 5], "one was free");
    let (status, body) = refused(ann.add_environment(&described("more", "exit 0")).await);
    assert_eq!((status, body.code.as_str()), (429, "too_many_environments"));
    bob.add_environment(&described("his", "exit 0")).await.expect("others are held up by nothing");
    ann.set_environment("lab", &change(1)).await.expect("what is there may be changed");
    ann.delete_environment("old-50").await.unwrap();
    ann.add_environment(&described("more", "exit 0")).await.unwrap();
}

#[tokio::test]
async fn ports_are_found_where_the_workspace_is_by_those_who_may_come_to_it() {
    let pool = Pool::start(2, 150).await;
    let (ann, bob) = (pool.cluster.user("ann").await, pool.cluster.user("bob").await);
    let mut request = described("lab", "exit 0");
    request.description.containers[1].ports = vec![3306];
    ann.add_environment(&request).await.unwrap();
    let opened = open(&ann, "lab").await;
    let controller = pool.cluster.controller();
    let site = controller.workspace_site(&actor("ann"), &opened.id).unwrap();
    let engine = site.engine.as_ref().map(ToString::to_string);
    assert_eq!((site.right, engine, site.containers.len()), (WorkspaceRight::Owner, opened.engine.clone(), 2));
    let ids: Vec<_> = site.containers.iter().map(|container| container.id.clone()).collect();
    assert_eq!(ids, containers(&opened), "in the order in which they are described");
    let asked = |port| site.candidates(port).first().map(|container| container.name.to_string());
    assert_eq!((asked(3306).as_deref(), asked(8080).as_deref()), (Some("db"), Some("main")));
    for (who, id) in [("bob", opened.id.as_str()), ("ann", "aaaaaaaaaa"), ("ann", "no id"), ("ann", "")] {
        let answer = controller.workspace_site(&actor(who), id);
        assert!(matches!(answer, Err(RequestError::NotFound { what: "workspace", .. })), "{who} {id}: {answer:?}");
    }
    let all = Actor { may_change_all: true, ..actor("bob") };
    assert_eq!(controller.workspace_site(&all, &opened.id).unwrap().right, WorkspaceRight::Owner);
    ann.share_workspace(&opened.id, "bob", "viewer").await.unwrap();
    assert_eq!(controller.workspace_site(&actor("bob"), &opened.id).unwrap().right, WorkspaceRight::Viewer);
    assert_eq!(show(&bob, &opened.id).await.containers[1].ports, [3306]);
    assert_eq!(host_of(&pool, &opened).1.bound_ports(), [], "no port of the host is given away");
    ann.stop_workspace(&opened.id).await.unwrap();
    reaches(&ann, &opened.id, "saved").await;
    let site = controller.workspace_site(&actor("ann"), &opened.id).unwrap();
    assert_eq!((site.engine.is_none(), site.containers.len()), (true, 0));
    ann.unshare_workspace(&opened.id, "bob").await.unwrap();
    assert!(controller.workspace_site(&actor("bob"), &opened.id).is_err());
}
