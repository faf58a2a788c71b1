use super::*;
use crate::environment::{EnvironmentCommand, Visible};
use crate::terminal::GuestRole;
use crate::workspace::WorkspaceCommand;
use clap::CommandFactory;
use clap::error::ErrorKind;

fn parse(line: &str) -> ClientCommand {
    let words = std::iter::once("pierhead").chain(line.split_whitespace());
    Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}")).command
}

fn refused(line: &str) -> clap::Error {
    let words = std::iter::once("pierhead").chain(line.split_whitespace());
    Cli::try_parse_from(words).expect_err(line)
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn the_originals_own_run_is_understood() {
    let ClientCommand::Run(args) = parse("run --name httpd --port tcp/::80 --memory 100 --pull false") else {
        panic!("not a run")
    };
    assert_eq!(
        (args.name.as_deref(), args.image.as_deref(), args.pull.as_deref()),
        (Some("httpd"), None, Some("false"))
    );
    let image = args.description.describe("httpd");
    assert_eq!((image.memory, image.bind_ports[0].port.clone()), (Some(100.0), None));
    assert_eq!((image.bind_ports[0].proto.as_str(), image.bind_ports[0].host_ip.as_str()), ("tcp", ""));
}

#[test]
fn an_empty_name_is_no_name() {
    for flag in ["--app", "--name", "--count"] {
        let error = Cli::try_parse_from(["pierhead", "run", "httpd", flag, ""]).expect_err(flag);
        assert_eq!(error.kind(), ErrorKind::ValueValidation, "{flag}");
        assert!(error.to_string().contains(flag), "{flag}: {error}");
    }
    assert_eq!(Cli::try_parse_from(["pierhead", "run", " "]).expect_err("a blank").kind(), ErrorKind::ValueValidation);
}

#[test]
fn every_flag_reaches_the_description() {
    let line = "run httpd:2 --app web -n 3 --cpus 0.5 --memory 64 --cpuset 0-1 -p 8080:80 -p 53:53/udp --publish-all \
        --label ssd --label !old --type multi -e A=b -e C=d=e --hostname h --domainname d.lan --entrypoint /bin/sh \
        --entrypoint -c --volume db:/data --link db:mysql --restart on-failure:3 --network none --user-data k=v1 \
        --user-data k=v2 --single-writer --pull -d --timeout 60 -- one --two";
    let ClientCommand::Run(args) = parse(line) else { panic!("not a run") };
    let expected = serde_json::json!({
        "name": "httpd:2", "cpus": 0.5, "cpuset": "0-1", "memory": 64.0, "entrypoint": ["/bin/sh", "-c"],
        "args": ["one", "--two"], "environment": {"A": "b", "C": "d=e"}, "hostname": "h", "domainname": "d.lan",
        "type": "multi", "labels": ["ssd", "!old"],
        "bind_ports": [
            {"proto": "tcp", "host_ip": "", "port": 8080, "container_port": 80},
            {"proto": "udp", "host_ip": "", "port": 53, "container_port": 53}
        ],
        "user_data": {"k": ["v1", "v2"]}, "volumes": ["db:/data"], "links": {"db": "mysql"},
        "restart_policy": {"name": "on-failure", "maximum_retry_count": 3}, "publish": true, "network_mode": "none",
        "single_writer": true
    });
    assert_eq!(serde_json::to_value(args.description.describe("httpd:2")).unwrap(), expected);
    assert_eq!((args.app.as_deref(), args.count, args.pull.as_deref()), (Some("web"), Some(3), Some("true")));
    assert_eq!((args.change.detach, args.change.timeout), (true, Some(60)));
}

#[test]
fn the_originals_commands_are_there() {
    for line in [
        "login",
        "containers",
        "container 714e",
        "run --name httpd",
        "destroy 714e",
        "stop 714e",
        "start 714e",
        "restart 714e",
        "scale 714e 4",
        "log 714e",
        "engines",
        "engine 1921687101",
        "eadd --id e1 --addr http://10.0.0.5:2375",
        "edelete e1",
        "clusterinfo",
        "accounts",
        "account",
        "aadd --id a1 --name clare --password pw --role user",
        "adelete clare",
        "events 5",
        "version",
        "help",
        "h",
        "help run",
        "completion bash",
    ] {
        parse(line);
    }
    assert_eq!(refused("-v").kind(), ErrorKind::DisplayVersion);
    assert_eq!(refused("-h").kind(), ErrorKind::DisplayHelp);
}

#[test]
fn a_noun_alone_or_with_an_id_is_enough() {
    assert!(
        matches!(parse("container"), ClientCommand::Container(args) if args.id.is_none() && args.command.is_none())
    );
    assert!(matches!(parse("engine e1"), ClientCommand::Engine(args) if args.id.as_deref() == Some("e1")));
    assert!(matches!(parse("app ls"), ClientCommand::App(args) if args.id_is_free()));
    assert!(matches!(parse("operation op1"), ClientCommand::Operation(args) if args.id.as_deref() == Some("op1")));
}

impl crate::app::AppArgs {
    fn id_is_free(&self) -> bool {
        self.name.is_none() && matches!(self.command, Some(crate::app::AppCommand::Ls(_)))
    }
}

#[test]
fn nonsense_is_refused_before_anything_is_asked() {
    for line in [
        "run httpd -p 0",
        "run httpd -p x:80",
        "run httpd --env NOVALUE",
        "run httpd --restart sometimes",
        "run httpd --cpus NaN",
        "run httpd --cpus -1",
        "run httpd -n -1",
        "run httpd --timeout 0",
        "run httpd --privileged",
        "scale web",
        "scale web -1",
        "scale web many",
        "container stop",
        "explain",
        "explain web --image httpd",
        "engine add",
        "engine add http://a --addr http://b",
        "account add",
        "events many",
        "nonsense",
    ] {
        assert_eq!(refused(line).exit_code(), 2, "{line}");
    }
}

#[test]
fn global_flags_stand_anywhere_and_secrets_are_not_in_the_help() {
    let words = ["pierhead", "container", "ls", "--json", "--url", "http://a:1", "--token", "t"];
    let connection = Cli::try_parse_from(words).unwrap().connection;
    assert!(
        connection.json && connection.url.as_deref() == Some("http://a:1") && connection.token.as_deref() == Some("t")
    );
    let help = Cli::command().render_long_help().to_string();
    assert!(help.contains("Exit codes:") && help.contains("PIERHEAD_TOKEN"), "{help}");
    assert!(!help.contains("destroy 714e") && !help.contains("clusterinfo"), "the original's names are hidden");
}

#[test]
fn a_list_is_cut_at_one_to_a_thousand_entries() {
    for good in ["1", "1000"] {
        parse(&format!("app ls --limit {good}"));
    }
    for bad in ["0", "1001", "-1", "x"] {
        assert_eq!(refused(&format!("app ls --limit={bad}")).kind(), ErrorKind::ValueValidation, "{bad}");
    }
}

#[test]
fn top_is_of_one_thing_or_of_all() {
    let ClientCommand::Top(args) = parse("stats --engine host-1 -s memory -1") else { panic!("not top") };
    assert!(args.engine.as_deref() == Some("host-1") && args.container.is_none() && args.once);
    assert_eq!(refused("top 4659 --engine host-1").kind(), ErrorKind::ArgumentConflict);
    let error = refused("top --sort colour");
    assert!(error.to_string().contains("cpu, memory, rx, tx, read, write, name"), "{error}");
}

#[test]
fn what_workspaces_need_is_asked_for_before_anything_else() {
    for line in [
        "workspace open",
        "workspace open lab --save x-1",
        "workspace open lab --wait soon",
        "workspace open lab --wait -1",
        "workspace show",
        "workspace start",
        "workspace extend mine -5",
        "workspace extend mine 1.5",
        "workspace extend mine 99999999999",
        "workspace share mine",
        "workspace share mine bob --as owner",
        "workspace preview mine",
        "workspace preview mine 0",
        "workspace preview mine 65536",
        "workspace preview mine http",
        "workspace ls --limit 0",
        "workspace exec",
        "workspace exec -c",
        "environment create",
        "environment create lab --startup true",
        "environment create lab -f a.json --image alpine",
        "environment create lab --visibility everybody",
        "environment rm",
        "environment ls --limit 1001",
        "save show",
        "save environment x-1",
        "save changes --since x-1",
        "save rm",
        "terminal end",
        "terminal share looking",
        "terminal share looking bob --as owner",
        "logs",
        "logs web --tail few",
        "logs web --tail -1",
        "top --once=yes",
    ] {
        assert_eq!(refused(line).exit_code(), 2, "{line}");
    }
    let range = refused("workspace preview mine 65536").to_string();
    assert!(range.contains("<PORT>") && range.contains("1..=65535"), "{range}");
    let roles = refused("workspace share mine bob --as owner").to_string();
    assert!(roles.contains("viewer") && roles.contains("driver"), "{roles}");
}

#[test]
fn what_is_not_said_of_a_workspace_is_the_gentler_choice() {
    let of = |line: &str| match parse(line) {
        ClientCommand::Workspace(args) => args.command.unwrap(),
        _ => panic!("{line}"),
    };
    let WorkspaceCommand::Rm(args) = of("workspace rm mine") else { panic!("not an end") };
    assert!(!args.discard && !args.confirm.yes && !args.waiting.no_wait && args.waiting.wait == 600, "{args:?}");
    let WorkspaceCommand::Share(args) = of("workspace share mine bob") else { panic!("not a share") };
    assert_eq!(args.role, GuestRole::Viewer);
    let WorkspaceCommand::Extend(args) = of("workspace extend mine") else { panic!("no extension") };
    assert_eq!(args.minutes, 60);
    let WorkspaceCommand::Exec(args) = of("workspace exec -it mine -c db -- psql -c x") else { panic!("no program") };
    assert!(args.interactive && args.tty && args.container.as_deref() == Some("db"), "{args:?}");
    assert_eq!(args.command, ["psql", "-c", "x"], "what stands behind is the program's");
    let ClientCommand::Environment(args) = parse("environment create lab") else { panic!("no environment") };
    assert!(matches!(args.command, Some(EnvironmentCommand::Create(args)) if args.visibility == Visible::Private));
}

#[test]
fn a_token_may_begin_with_a_hyphen() {
    let cli = Cli::try_parse_from(["pierhead", "--token", "-Wsecret", "app", "ls", "--json"]).unwrap();
    assert_eq!((cli.connection.token.as_deref(), cli.connection.json), (Some("-Wsecret"), true));
}
