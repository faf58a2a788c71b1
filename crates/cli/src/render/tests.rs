use super::*;

#[test]
fn tables_are_plain_where_nobody_looks() {
    let rows = [vec!["a".to_owned(), "x".repeat(60)], vec!["b\n".to_owned(), String::new()]];
    let expected = format!("ID   WHAT\na    {}\nb\\n  -", "x".repeat(60));
    assert_eq!(table(&["ID", "WHAT"], rows, None), expected);
}

#[test]
fn tables_fit_a_terminal() {
    let rows = [vec!["a".to_owned(), "several words that are longer than the terminal is wide".to_owned()]];
    let text = table(&["ID", "WHAT"], rows, Some(24));
    assert!(text.lines().count() > 2 && text.lines().all(|line| line.chars().count() <= 24), "{text}");
}

#[test]
fn what_names_a_row_stays_in_one_piece() {
    let rows = [vec!["0123456789ab".to_owned(), "httpd:latest".to_owned(), "http://10.0.0.5:20000 -> 80".to_owned()]];
    let text = table(&["CONTAINER", "IMAGE", "PORTS"], rows, Some(40));
    assert!(text.contains("0123456789ab") && text.lines().all(|line| line.chars().count() <= 40), "{text}");
}

/// The columns that a character takes on a terminal, well enough for this test.
fn columns(line: &str) -> usize {
    line.chars().map(|c| if ('\u{1100}'..='\u{ffdc}').contains(&c) { 2 } else { 1 }).sum()
}

#[test]
fn wide_characters_count_twice() {
    let rows = [
        vec!["容器".to_owned(), "一二三四五六七八九十一二三四五六七八九十".to_owned(), "x".to_owned()],
        vec!["grün".to_owned(), "b".to_owned(), "y".to_owned()],
    ];
    let text = table(&["APP", "IMAGE", "OWNER"], rows.clone(), Some(32));
    assert!(text.lines().all(|line| columns(line) <= 32), "{text}");
    let plain = table(&["APP", "IMAGE", "OWNER"], rows, None);
    let lines: Vec<&str> = plain.lines().collect();
    let at = |line: &str, word: &str| columns(&line[..line.find(word).unwrap()]);
    assert_eq!((at(lines[1], "一"), at(lines[2], "b")), (at(lines[0], "IMAGE"), at(lines[0], "IMAGE")), "{plain}");
}

#[test]
fn a_terminal_that_is_too_narrow_gets_a_list() {
    let row = |id: &str| vec![id.to_owned(), "httpd:latest".to_owned(), "running".to_owned(), String::new()];
    let text = table(&["CONTAINER", "IMAGE", "STATE", "PORTS"], [row("0123456789ab"), row("ba")], Some(20));
    let expected = "\
CONTAINER  0123456789ab
IMAGE      httpd:latest
STATE      running

CONTAINER  ba
IMAGE      httpd:latest
STATE      running
";
    assert_eq!(text, expected);
    for width in 1..60 {
        let text = table(&["ID", "WHAT"], [vec!["a".repeat(30), "b".repeat(30)]], Some(width));
        assert!(text.matches('a').count() == 30 && text.matches('b').count() == 30, "{width}: {text}");
    }
}

#[test]
fn fields_are_aligned_and_empty_ones_left_out() {
    let text = fields(&[("id", "1".to_owned()), ("address", "x\x1b".to_owned()), ("why", String::new())]);
    assert_eq!(text, "id       1\naddress  x\\x1b\n");
}

#[test]
fn small_things() {
    assert_eq!(
        (number(0.5), number(2.0), number(100.0), number(1.0 / 3.0)),
        ("0.5".into(), "2".into(), "100".into(), "0.33".into())
    );
    assert_eq!((short("0123456789abcdef"), short("é1")), ("0123456789ab".into(), "é1".into()));
    let now = Timestamp(200_000_000);
    for (time, expected) in [
        ("1970-01-03T07:33:19.000Z", "1s"),
        ("1970-01-03T07:30:00.000Z", "3m"),
        ("1970-01-03T02:30:00.000Z", "5h"),
        ("1970-01-01T00:00:00.000Z", "2d"),
        ("1999-01-01T00:00:00.000Z", "0s"),
        ("never", "never"),
    ] {
        assert_eq!(age(time, now), expected, "{time}");
    }
}

fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).expect(json)
}

const FOUR_SECONDS_LATER: Timestamp = Timestamp(1_767_225_604_000);

fn a_container() -> pierhead_wire::ContainerView {
    read(
        r#"{"id":"714e01115f76714e01115f76","name":"/backstabbing_elion","image":{"name":"ubuntu:14.04","cpus":0.1,
        "memory":20,"entrypoint":["/bin/sh","-c"],"args":["sleep 1"],"environment":{"A":"b","C":"d"},"type":"multi",
        "labels":["ssd","!old"],"volumes":["db:/data"],"links":{"db":"mysql"}},
        "engine":{"id":"1921687101","addr":"http://192.168.7.101:2375","cpus":2,"memory":1533,"labels":["Docker"]},
        "state":"stopped","status":"exited","ports":[{"proto":"tcp","host_ip":"","port":20000,"container_port":80},
        {"proto":"udp","host_ip":"10.0.0.9","port":53,"container_port":53}],"app":"web","slot":3,"owner":"clare",
        "exit_code":137,"created_at":"2026-01-01T00:00:00.000Z"}"#,
    )
}

#[test]
fn a_container_in_full() {
    let expected = "\
id           714e01115f76714e01115f76
name         backstabbing_elion
app          web
slot         3
owner        clare
image        ubuntu:14.04
entry point  /bin/sh -c
arguments    sleep 1
engine       1921687101 (http://192.168.7.101:2375)
state        stopped
in detail    exited
exit code    137
created      2026-01-01T00:00:00.000Z
cpus         0.1
memory       20 MB
type         multi
labels       ssd, !old
environment  A=b, C=d
volumes      db:/data
links        db:mysql
ports        http://192.168.7.101:20000 -> 80, udp://10.0.0.9:53 -> 53
";
    assert_eq!(container::one(&a_container()), expected);
}

#[test]
fn containers_in_rows() {
    let mut foreign = a_container();
    (foreign.app, foreign.ports, foreign.name) = (None, Vec::new(), "/else".to_owned());
    let both = [a_container(), foreign];
    let expected = "\
CONTAINER     NAME                IMAGE         ENGINE      STATE    AGE  PORTS
714e01115f76  backstabbing_elion  ubuntu:14.04  1921687101  stopped  4s   http://192.168.7.101:20000 -> 80, udp://10.0.0.9:53 -> 53
714e01115f76  else                ubuntu:14.04  1921687101  stopped  4s   -";
    assert_eq!(container::list(&both, FOUR_SECONDS_LATER, None), expected);
    let expected = "\
CONTAINER     APP  ENGINE      STATE    PORTS
714e01115f76  web  1921687101  stopped  http://192.168.7.101:20000 -> 80, udp://10.0.0.9:53 -> 53
714e01115f76  -    1921687101  stopped  -";
    assert_eq!(container::started(&both, None), expected);
}

#[test]
fn an_app_in_full_and_in_a_row() {
    let view: pierhead_wire::AppView = read(
        r#"{"id":"a1","name":"web","owner":"clare","image":{"name":"httpd:latest"},"replicas":2,"running":1,"version":3,
        "created_at":"2026-01-01T00:00:00.000Z","slots":[
        {"slot":0,"wish":"running","state":"running","container":"0123456789abcdef","engine":"e1","version":3,
        "generation":1,"ports":[{"proto":"tcp","host_ip":"10.0.0.5","port":20000,"container_port":80}]},
        {"slot":4,"wish":"running","state":"blocked","ports":[],"message":"no host has 4 cores"}]}"#,
    );
    let expected = "\
name     web
image    httpd:latest
running  1 of 2
owner    clare
version  3
created  2026-01-01T00:00:00.000Z

SLOT  STATE    ENGINE  CONTAINER     PORTS                        MESSAGE
0     running  e1      0123456789ab  http://10.0.0.5:20000 -> 80  -
4     blocked  -       -             -                            no host has 4 cores";
    assert_eq!(app::one(&view, None), expected);
    let expected = "\
APP  IMAGE         RUNNING  OWNER  AGE
web  httpd:latest  1/2      clare  4s";
    assert_eq!(app::list(&[view], FOUR_SECONDS_LATER, None), expected);
}

#[test]
fn an_engine_in_full_and_in_a_row() {
    let view: pierhead_wire::EngineView = read(
        r#"{"id":"e1","addr":"http://10.0.0.5:2375","cpus":2.0,"memory":1533.0,"labels":["ssd","fast"],
        "health":{"status":"down","response_time":3,"reason":"connection refused","since":"2026-01-01T00:00:00.000Z"},
        "docker_version":"20.10.24","reserved_cpus":0.5,"reserved_memory":64.0,"container_count":1,"image_count":2,
        "api_version":"1.41","operating_system":"Debian","kernel":"6.1","storage_driver":"overlay2",
        "lacks":["It cannot limit swap.","It has no quota."]}"#,
    );
    let expected = "\
id           e1
address      http://10.0.0.5:2375
health       down: connection refused
since        2026-01-01T00:00:00.000Z
answered in  3 ms
cpus         0.5/2 reserved
memory       64/1533 MB reserved
containers   1
images       2
labels       ssd, fast
docker       20.10.24
api          1.41
system       Debian
kernel       6.1
storage      overlay2
lacks  It cannot limit swap.
lacks  It has no quota.
";
    assert_eq!(engine::one(&view), expected);
    let expected = "\
ENGINE  ADDRESS               HEALTH                    CPUS   MEMORY MB  CONTAINERS  DOCKER    LABELS
e1      http://10.0.0.5:2375  down: connection refused  0.5/2  64/1533    1           20.10.24  ssd, fast";
    assert_eq!(engine::list(&[view], None), expected);
}

#[test]
fn the_pool_in_figures() {
    let mut info =
        pierhead_wire::ClusterInfo { id: "c1".to_owned(), version: "0.1.0".to_owned(), ..Default::default() };
    let expected = "\
engines     0
cpus        0: 0 reserved, 0 in use
memory      0 MB: 0 reserved, 0 in use
containers  0
images      0
cluster     c1
version     0.1.0

No engines yet. Try: pierhead engine add http://10.0.0.5:2375
";
    assert_eq!(cluster::info(&info), expected);
    (info.engine_count, info.cpus, info.reserved_cpus, info.used_cpus) = (2, 4.0, 1.0, 0.25);
    let text = cluster::info(&info);
    assert!(text.contains("cpus        4: 1 reserved (25 %), 0.25 in use\n") && !text.contains("No engines"), "{text}");
}

#[test]
fn an_operation_in_full_and_in_a_row() {
    let view: pierhead_wire::OperationView = read(
        r#"{"id":"op1","title":"scale web to 2","state":"failed","verdicts":[
        {"slot":0,"state":"done","container":"0123456789abcdef","engine":"e1"},{"slot":1,"state":"pending"},
        {"slot":2,"state":"failed","message":"exited"}],"error":{"code":"not_started","message":"it exited"},
        "actor":"clare","app":"web","created_at":"2026-01-01T00:00:00.000Z","deadline":"2026-01-01T00:05:00.000Z",
        "ended_at":"2026-01-01T00:01:00.000Z"}"#,
    );
    let expected = "\
id       op1
what     scale web to 2
state    failed
why      it exited
app      web
actor    clare
created  2026-01-01T00:00:00.000Z
ended    2026-01-01T00:01:00.000Z

SLOT  STATE    ENGINE  CONTAINER     MESSAGE
0     done     e1      0123456789ab  -
1     pending  -       -             -
2     failed   -       -             exited";
    assert_eq!(operation::one(&view, None), expected);
    let running = pierhead_wire::OperationView { ended_at: None, ..view.clone() };
    assert!(operation::one(&running, None).contains("deadline  2026-01-01T00:05:00.000Z\n"));
    let expected = "\
OPERATION  STATE    WHAT            APP  ACTOR  AGE  PROGRESS
op1        failed   scale web to 2  web  clare  4s   -
op1        running  scale web to 2  web  clare  4s   1/3 done, 1 failed, slot 1 copies shop:1: 3 of 8 layers";
    let mut running = pierhead_wire::OperationView { state: "running".to_owned(), ..running };
    running.verdicts[1].message = "copies shop:1: 3 of 8 layers".to_owned();
    assert_eq!(operation::list(&[view, running], FOUR_SECONDS_LATER, None), expected);
}

#[test]
fn events_and_accounts_in_rows() {
    let events = read::<Vec<pierhead_wire::EventView>>(
        r#"[{"id":"2","type":"add-account","time":"2026-01-01T00:00:00.000Z","message":"name=clare","tags":["security"],
        "actor":"admin"},{"id":"1","type":"die","time":"2026-01-01T00:00:00.000Z","message":"id=714e","tags":["Docker"]}]"#,
    );
    let expected = "\
TIME                      TYPE         ACTOR  MESSAGE     TAGS
2026-01-01T00:00:00.000Z  add-account  admin  name=clare  security
2026-01-01T00:00:00.000Z  die          -      id=714e     Docker";
    assert_eq!(event::list(&events, None), expected);
    let accounts = read::<Vec<pierhead_wire::AccountView>>(
        r#"[{"id":"1","username":"clare","role":{"name":"user"},"created_at":"2026-01-01T00:00:00.000Z"}]"#,
    );
    let expected = "\
USER   ROLE  NAME  STATE  CREATED                   ID
clare  user  -     -      2026-01-01T00:00:00.000Z  1";
    assert_eq!(account::list(&accounts, None), expected);
}

#[test]
fn what_survives_and_what_does_not() {
    let none = read(r#"{"engine":"e1","survives":true,"slots":0,"homeless":[]}"#);
    assert_eq!(cluster::survival(&none, None), "Nothing of the pool runs on e1; it would not be missed.");
    let all = read(r#"{"engine":"e1","survives":true,"slots":3,"homeless":[]}"#);
    assert_eq!(cluster::survival(&all, None), "Without e1 the other hosts would carry all 3 of its slots.");
    let one = read(r#"{"engine":"e1","survives":true,"slots":1,"homeless":[]}"#);
    assert_eq!(cluster::survival(&one, None), "Without e1 the other hosts would carry its only slot.");
    let lost = r#"{"engine":"e1","survives":false,"slots":1,"homeless":[{"app":"web","slot":0,"reason":"no room"}]}"#;
    assert!(cluster::survival(&read(lost), None).starts_with("Without e1, its only slot would find no place:\n"));
    let some =
        read(r#"{"engine":"e1","survives":false,"slots":3,"homeless":[{"app":"web","slot":2,"reason":"no room"}]}"#);
    let expected = "\
Without e1, 1 of its 3 slots would find no place:

APP  SLOT  WHY
web  2     no room";
    assert_eq!(cluster::survival(&some, None), expected);
}

#[test]
fn a_rebalance_before_it_is_made() {
    let plan = r#"{"moves":[{"app":"web","slot":2,"from":"e1","to":"e2"}],
        "engines":[{"id":"e1","before":40.0,"after":70.25},{"id":"e2","before":100.0,"after":70.0}]}"#;
    let expected = "\
APP  SLOT  FROM  TO
web  2     e1    e2

ENGINE  SCORE NOW  SCORE AFTER
e1      40         70.25
e2      100        70";
    assert_eq!(cluster::rebalance(&read(plan), None), expected);
    let nothing = read(r#"{"moves":[],"engines":[]}"#);
    assert_eq!(cluster::rebalance(&nothing, None), "No move would even out the load of the hosts any further.");
    let little = read(r#"{"moves":[],"engines":[],"least_gain":2.0,"left_out_gain":1.25}"#);
    let text = cluster::rebalance(&little, None);
    assert!(text.contains("raise the lowest score by 1.25 points") && text.ends_with("from 2 on."), "{text}");
}

#[test]
fn moves_of_several_apps_are_told_apart() {
    let operation = r#"{"id":"op1","title":"drain e1 of 2 slots","state":"running","actor":"admin","app":"",
        "created_at":"2026-01-01T00:00:00.000Z","deadline":"2026-01-01T00:05:00.000Z",
        "verdicts":[{"slot":0,"app":"web","state":"done","engine":"e2","message":"moved to host e2"},
        {"slot":0,"app":"db","state":"pending","engine":"e1","message":"waits for its turn"}]}"#;
    let operation: pierhead_wire::OperationView = read(operation);
    let text = operation::one(&operation, None);
    assert!(text.contains("web/0  done") && text.contains("db/0   pending"), "{text}");
    assert_eq!(crate::progress::describe(&operation, "moved"), "1/2 moved, slot 0 of db waits for its turn");
}
