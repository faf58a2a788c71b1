use super::*;
use pierhead_engine::{Fake, FakeImage, FakeOptions, Verb};
use pierhead_model::{Generation, Resources};
use std::time::Duration;

/// A container of a fake host; scripts in it know `exit`, `echo`, and `yes`, which goes on for ever.
fn container() -> (Fake, DynEngine, ContainerId) {
    let fake = Fake::new(FakeOptions { images: vec![FakeImage::new("alpine")], ..FakeOptions::default() });
    let id = fake.add_foreign("c", "alpine", Resources::new(100, 64));
    let engine: DynEngine = Arc::new(fake.clone());
    (fake, engine, id)
}

async fn outcome(script: &str) -> Ran {
    let (_fake, engine, id) = container();
    run(&engine, &id, "mark", script, Purpose::Check(5)).await
}

#[tokio::test]
async fn the_exit_status_and_the_last_words_are_told() {
    let ran = outcome("echo no page\nexit 3\n").await;
    assert_eq!((ran.outcome, ran.said.as_str()), (Outcome::Ended(3), "no page\n"));
    assert_eq!(outcome("echo fine\n").await.outcome, Outcome::Ended(0));
}

#[tokio::test]
async fn neither_the_script_nor_its_mark_is_an_argument() {
    let (fake, engine, id) = container();
    run(&engine, &id, "a-mark", "echo s3cret\nexit 0\n", Purpose::Check(5)).await;
    let asked = fake.execs(&id);
    assert!(asked[0].command.iter().all(|word| !word.contains("s3cret") && !word.contains("a-mark")), "{asked:?}");
    assert_eq!(asked[0].environment, [(MARK.to_owned(), "a-mark".to_owned())]);
}

#[tokio::test]
async fn what_goes_on_is_ended_when_its_time_is_over_and_its_words_are_bounded() {
    let (fake, engine, id) = container();
    let ran = run(&engine, &id, "mark", "yes\n", Purpose::Check(1)).await;
    assert_eq!(ran.outcome, Outcome::TimedOut);
    assert!(ran.said.len() <= 4096 && ran.said.contains('y'));
    assert_eq!(fake.processes(), 0, "nothing of it goes on");
    let ran = run(&engine, &id, "mark", "echo waiting\nhang\n", Purpose::Check(1)).await;
    assert_eq!((ran.outcome, ran.said.as_str(), fake.processes()), (Outcome::TimedOut, "waiting\n", 0));
}

#[tokio::test]
async fn what_the_container_or_its_host_lacks_is_said() {
    let ran = outcome("#!/no/such/interpreter\n").await;
    assert_eq!(ran.outcome, Outcome::NotRun("the container has no /no/such/interpreter".to_owned()));
    let (fake, engine, id) = container();
    fake.fail_next(Verb::CreateExec, pierhead_engine::EngineError::Failed("full".to_owned()));
    let ran = run(&engine, &id, "mark", "exit 0\n", Purpose::Check(5)).await;
    assert!(matches!(&ran.outcome, Outcome::NotRun(words) if words.contains("full")), "{ran:?}");
}

fn seat(workspace: u64, engine: &str) -> Seat {
    let (first, id) = (MemberName::main(), ContainerId::parse("c1").unwrap());
    Seat {
        workspace: WorkspaceId::from_random(workspace),
        engine: EngineId::parse(engine).unwrap(),
        containers: BTreeMap::from([(first.clone(), id)]),
        first,
        fresh: Some(Generation(1).0),
    }
}

#[tokio::test]
async fn a_container_is_found_by_its_name_or_is_the_first() {
    let seat = seat(1, "host-1");
    assert!(seat.container(None).is_some() && seat.container(Some("main")).is_some());
    assert!(seat.container(Some("db")).is_none() && seat.container(Some("No Name")).is_none());
}

#[tokio::test]
async fn one_runs_in_a_workspace_and_a_few_on_a_host() {
    let scripts = Arc::new(Scripts::default());
    let soon = Duration::from_millis(50);
    let turn = |seat: Seat| {
        let scripts = Arc::clone(&scripts);
        async move { tokio::time::timeout(soon, scripts.turn(&seat)).await.ok().flatten() }
    };
    let first = turn(seat(1, "host-1")).await.unwrap();
    assert!(turn(seat(1, "host-1")).await.is_none(), "another one of the same workspace waits");
    let mut held = Vec::new();
    for workspace in 2..=AT_ONCE as u64 {
        held.push(turn(seat(workspace, "host-1")).await.unwrap());
    }
    assert!(turn(seat(9, "host-1")).await.is_none(), "the host has enough to do");
    let elsewhere = turn(seat(9, "host-2")).await;
    assert!(elsewhere.is_some(), "another host does not wait for it");
    drop((first, held, elsewhere));
    assert!(turn(seat(1, "host-1")).await.is_some());
    assert!(scripts.workspaces.lock().unwrap().len() <= 2, "what is over is forgotten");
}
