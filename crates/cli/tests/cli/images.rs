//! Images that are sent in and spread, and accounts at registries.

use crate::scripted::Reply;
use crate::session::Session;

const ID: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

fn image(tags: &str, archive: &str, engines: &str) -> String {
    format!(
        r#"{{"id":"{ID}","tags":[{tags}],"size":7340032,{archive}"engines":[{engines}],"silent":["e3"],"unknown":1}}"#
    )
}

fn uploaded() -> String {
    let archive =
        r#""archive":{"tags":["shop:1"],"size":7342080,"uploaded_at":"2026-01-01T00:00:00.000Z","uploaded_by":"ann"},"#;
    image(r#""shop:1""#, archive, r#""e1","e2""#)
}

fn step(engine: &str, state: &str, percent: u8, message: &str) -> String {
    format!(r#"{{"engine":"{engine}","state":"{state}","percent":{percent},"message":"{message}"}}"#) + "\n"
}

fn stay(text: String) -> &'static [u8] {
    text.leak().as_bytes()
}

#[tokio::test]
async fn images_are_listed_with_where_they_are() {
    let session = Session::start().await;
    let other = image("", "", r#""e1""#).replace("1111", "2222");
    session.server.json("GET /api/images", format!("[{},{other}]", uploaded()));
    session.server.json("GET /api/images/shop:1", uploaded());
    let ran = session.run("image ls").await;
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].starts_with("IMAGE") && lines[0].contains("ON HOSTS"), "{ran:?}");
    assert!(lines[1].starts_with("shop:1  111111111111  7.3 MB") && lines[1].contains("by ann"), "{ran:?}");
    assert!(lines[1].ends_with("e1, e2") && lines[2].starts_with("<none>  222222222222"), "{ran:?}");
    assert!(ran.err.contains("no answer: e3"), "{ran:?}");
    assert!(session.run("image ls --json").await.out.contains("\"unknown\": 1"));
    let shown = session.run("image show shop:1").await;
    assert!(shown.out.contains(ID) && shown.out.contains("2026-01-01T00:00:00.000Z by ann"), "{shown:?}");
    assert_eq!(session.run("image show nothing:1").await.code, 3);
}

#[tokio::test]
async fn an_archive_is_sent_from_a_file_or_a_pipe() {
    let mut session = Session::start().await;
    session.server.json("GET /healthz", "{}").on("POST /api/images", Reply::Json(201, uploaded()));
    let file = session.folder.path().join("shop.tar");
    std::fs::write(&file, "an archive").unwrap();
    let ran = session.run(&format!("image push {}", file.display())).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, format!("uploaded shop:1 (7.3 MB): {ID}\n").as_str()), "{ran:?}");
    session.input = "through a pipe";
    assert_eq!(session.run("image push -").await.code, 0);
    let sent: Vec<String> =
        session.server.asked().into_iter().map(|asked| asked.body).filter(|body| !body.is_empty()).collect();
    assert_eq!(sent, ["an archive", "through a pipe"]);
    let tokens = session.server.asked();
    assert!(tokens.iter().filter(|asked| asked.line.starts_with("POST")).all(|asked| asked.token.is_some()));
    assert!(tokens.iter().filter(|asked| asked.line == "GET /healthz").all(|asked| asked.token.is_none()));
    let gone = session.run("image push /nowhere/at/all.tar").await;
    assert!(gone.code == 1 && gone.err.contains("cannot read /nowhere/at/all.tar"), "{gone:?}");
    assert_eq!(session.run(&format!("image push {}", session.folder.path().display())).await.code, 2);
    session.terminals.stdin = true;
    assert_eq!(session.run("image push -").await.code, 2, "nobody types an archive");
}

#[tokio::test]
async fn an_archive_that_is_refused_says_why() {
    let session = Session::start().await;
    session.server.json("GET /healthz", "{}").refuse(
        "POST /api/images",
        400,
        "bad_archive",
        "it holds no manifest.json",
    );
    let file = session.folder.path().join("shop.tar");
    std::fs::write(&file, "no archive").unwrap();
    let ran = session.run(&format!("image push {}", file.display())).await;
    assert!(ran.code == 1 && ran.err.contains("holds no manifest.json"), "{ran:?}");
}

#[tokio::test]
async fn a_spread_is_followed_host_by_host() {
    let mut session = Session::start().await;
    session.terminals.stderr = true;
    let first = step("e1", "waiting", 0, "") + &step("e2", "waiting", 0, "") + &step("e1", "loading", 50, "")[..20];
    let rest = step("e1", "loading", 50, "")[20..].to_owned()
        + &step("e1", "done", 100, "")
        + &step("e2", "failed", 0, "no space");
    let line = "POST /api/images/shop:1/spread?engine=e1&engine=e2";
    session.server.on(line, Reply::Chunks(vec![stay(first.clone()), stay(rest)]));
    let ran = session.run("image spread shop:1 --engine e1 --engine e2").await;
    assert_eq!((ran.code, ran.out.as_str()), (1, "e1 has shop:1\n"), "{ran:?}");
    assert!(ran.err.contains("e2: no space") && ran.err.contains("1 of 2 failed"), "{ran:?}");
    let json = session.run("image spread shop:1 --engine e1 --engine e2 --json").await;
    assert_eq!((json.code, json.out.lines().count()), (1, 5), "{json:?}");
    let all = stay(step("e1", "done", 100, ""));
    session.server.on("POST /api/images/shop:1/spread", Reply::Chunks(vec![all]));
    assert_eq!(session.run("image spread shop:1").await.code, 0);
    // What was not told did not happen.
    session.server.on("POST /api/images/cut:1/spread", Reply::Chunks(vec![stay(step("e1", "loading", 7, ""))]));
    let cut = session.run("image spread cut:1").await;
    assert!(cut.code == 1 && cut.err.contains("before e1 had ended"), "{cut:?}");
    session.server.on("POST /api/images/lost:1/spread", Reply::BrokenAfter(stay(step("e1", "loading", 7, ""))));
    assert_eq!(session.run("image spread lost:1").await.code, 6);
}

#[tokio::test]
async fn an_archive_is_deleted_when_that_was_confirmed() {
    let mut session = Session::start().await;
    session.server.on("DELETE /api/images/shop:1", Reply::Json(204, String::new()));
    assert_eq!(session.run("image rm shop:1").await.code, 2, "scripts say --yes");
    session.terminals.stdin = true;
    session.input = "n\n";
    let image = |tags: &str| {
        format!(
            r#"{{"id":"sha256:ab12","tags":[],"size":1,"engines":[],"archive":{{"tags":[{tags}],"size":1,
            "uploaded_at":"2026-01-01T00:00:00.000Z","uploaded_by":"ann"}}}}"#
        )
    };
    let (both, one) = (r#""shop:1","web:latest""#, r#""solo:1""#);
    for (asked, tags, question) in [
        ("shop:1", both, "Delete the name shop:1 of the uploaded image sha256:ab12 (web:latest stay)?"),
        ("web", both, "Delete the name web of the uploaded image sha256:ab12 (shop:1 stay)?"),
        ("solo:1", one, "Delete the name solo:1 and with it, its last name, the uploaded image sha256:ab12?"),
        ("sha256:ab12", both, "Delete the uploaded image sha256:ab12 with its names shop:1, web:latest?"),
    ] {
        session.server.json(&format!("GET /api/images/{asked}"), image(tags));
        let ran = session.run(&format!("image rm {asked}")).await;
        assert!(ran.code == 1 && ran.err.contains(question), "{ran:?}");
    }
    assert!(session.server.asked().iter().all(|asked| asked.line.starts_with("GET")));
    assert_eq!(session.run("image rm shop:1 --yes").await.out, "deleted shop:1\n");
    assert_eq!(session.run("image rm other:1 --yes").await.code, 3);
}

const REGISTRY: &str =
    r#"{"host":"r.lan:5000","username":"pool","changed_at":"2026-01-01T00:00:00.000Z","changed_by":"admin"}"#;

#[tokio::test]
async fn passwords_of_registries_come_from_a_pipe_or_a_file_only() {
    let mut session = Session::start().await;
    session.server.on("POST /api/registries", Reply::Json(201, REGISTRY.to_owned()));
    session.server.on("PUT /api/registries/r.lan:5000", Reply::Json(204, String::new()));
    session.input = "secret one\n";
    let added = session.run("registry add r.lan:5000 --username pool --password-stdin").await;
    assert_eq!((added.code, added.out.as_str()), (0, "the pool pulls from r.lan:5000 as pool\n"), "{added:?}");
    let file = session.folder.path().join("password");
    std::fs::write(&file, "secret two\n").unwrap();
    let set = session.run(&format!("registry set r.lan:5000 -u pool --password-file {}", file.display())).await;
    assert_eq!((set.code, set.out.as_str()), (0, "the pool pulls from r.lan:5000 as pool from now on\n"), "{set:?}");
    let bodies: Vec<String> = session.server.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(bodies[0], r#"{"host":"r.lan:5000","username":"pool","password":"secret one"}"#);
    assert_eq!(bodies[1], r#"{"username":"pool","password":"secret two"}"#);
    assert_eq!(session.run("registry add r.lan:5000 -u pool").await.code, 2, "it can't be typed here");
    std::fs::write(&file, "\n").unwrap();
    let empty = session.run(&format!("registry set r.lan:5000 -u pool --password-file {}", file.display())).await;
    assert!(empty.code == 2 && empty.err.contains("holds no password"), "{empty:?}");
    assert!(![added, set, empty].iter().any(|ran| format!("{ran:?}").contains("secret")), "never shown");
}

#[tokio::test]
async fn registries_are_listed_shown_and_forgotten() {
    let session = Session::start().await;
    session.server.json("GET /api/registries", "[]").json("GET /api/registries", format!("[{REGISTRY}]"));
    assert!(session.run("registry ls").await.out.contains("pierhead registry add HOST"));
    session.server.json("GET /api/registries/r.lan:5000", REGISTRY);
    session.server.on("DELETE /api/registries/r.lan:5000", Reply::Json(204, String::new()));
    let listed = session.run("registry").await;
    assert!(listed.out.contains("r.lan:5000  pool  2026-01-01"), "{listed:?}");
    assert!(session.run("registry show r.lan:5000").await.out.contains("by admin"));
    assert!(session.run("registries --json").await.out.contains("\"username\": \"pool\""));
    assert_eq!(session.run("registry rm r.lan:5000").await.code, 2, "scripts say --yes");
    assert_eq!(session.run("registry rm r.lan:5000 -y").await.out, "forgot the account at r.lan:5000\n");
    assert_eq!(session.run("registry show other.lan").await.code, 3);
}
