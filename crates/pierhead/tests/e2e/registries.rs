//! Pulls from a real registry that asks for a password.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use pierhead_devhosts::http::{Body, request};
use pierhead_devhosts::{Host, sample};
use pierhead_wire::{EngineRequest, RegistryAuthRequest};
use serde_json::json;

use crate::api::Api;
use crate::bed::Bed;
use crate::place::Place;
use crate::program::{Background, Ended, program, text_of};
use crate::raw;
use crate::wait::{PATIENCE, until};

const ADDRESS: &str = "127.0.0.1:5000";
const IMAGE: &str = "127.0.0.1:5000/team/shop:1";
const FIRST: &str = "first-secret-of-the-registry";
const SECOND: &str = "second-secret-of-the-registry";
const OWN: &str = "own-secret-of-the-host";

/// A registry on the loopback of one host, which engines talk to without TLS.
struct Registry {
    dir: PathBuf,
    host: Host,
    process: Option<Background>,
}

impl Registry {
    fn start(place: &Place, host: &Host) -> Self {
        let dir = place.beside("registry");
        fs::create_dir(&dir).unwrap();
        let path = |name: &str| dir.join(name).display().to_string();
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{ADDRESS}\"}}\nauth: {{htpasswd: {{realm: test, path: {}}}}}\n",
            path("data"),
            path("htpasswd"),
        );
        fs::write(dir.join("config.yml"), config).unwrap();
        let mut registry = Self { dir, host: host.clone(), process: None };
        registry.accounts(&[("pool", FIRST), ("own", OWN)]);
        registry.up();
        registry
    }

    /// Only these are let in from now on.
    fn accounts(&self, accounts: &[(&str, &str)]) {
        let line = |(name, password): &(&str, &str)| {
            let made = Command::new("htpasswd").args(["-Bbn", name, password]).output().unwrap();
            String::from_utf8(made.stdout).unwrap().trim().to_owned() + "\n"
        };
        fs::write(self.dir.join("htpasswd"), accounts.iter().map(line).collect::<String>()).unwrap();
    }

    fn up(&mut self) {
        let log = fs::File::create(self.dir.join("log")).unwrap();
        let pid = self.host.pid().unwrap().expect("the engine runs");
        let mut command = Command::new("nsenter");
        command.args(["--net", "--target", &pid.to_string(), "docker-registry", "serve"]);
        command.arg(self.dir.join("config.yml")).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(Stdio::from(log));
        self.process = Some(Background::start(&mut command));
        until("the registry listens", PATIENCE, || self.push(FIRST).contains("digest:"));
    }

    fn down(&mut self) {
        self.process = None;
    }

    /// Sends the sample there, and takes it away from the host; what the engine says of it.
    fn push(&self, password: &str) -> String {
        let engine = self.host.docker_host();
        let repository = IMAGE.trim_end_matches(":1");
        raw::call(&self.host, "POST", &format!("/images/{}/tag?repo={repository}&tag=1", sample::IMAGE), None);
        let auth = json!({ "username": "pool", "password": password, "serveraddress": ADDRESS }).to_string();
        let path = format!("/images/{repository}/push?tag=1");
        let told = request(engine, "POST", &path, Body::Json(&auth), PATIENCE).unwrap().text();
        self.forget_image();
        told
    }

    /// The host must pull it anew.
    fn forget_image(&self) {
        let (status, _) = raw::ask(self.host.docker_host(), "DELETE", &format!("/images/{IMAGE}?force=1"), None);
        assert!([200, 404].contains(&status), "{status}");
    }
}

fn run(bed: &Bed, app: &str) -> Ended {
    bed.run(&["run", IMAGE, "--app", app, "--cpus", "0.05", "--memory", "16", "--pull", "true"])
}

fn denied(bed: &Bed, app: &str, words: &str) {
    let ended = run(bed, app);
    assert_eq!(ended.code, 3, "{ended:?}");
    for part in [ADDRESS, "denies", words] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
}

fn runs(bed: &Bed, app: &str) {
    let ended = run(bed, app);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(raw::of_app(&bed.hosts, app).iter().all(raw::Listed::runs));
    bed.ok(&["app", "rm", app, "--yes"]);
}

fn set(bed: &Bed, verb: &str, password: &str) {
    let mut command = program();
    command.env("PIERHEAD_URL", bed.text("url")).env("PIERHEAD_TOKEN", bed.text("token"));
    command.args(["registry", verb, ADDRESS, "--username", "pool", "--password-stdin"]);
    let ended = Ended::with_input(&mut command, &format!("{password}\n"));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(!format!("{ended:?}").contains(password));
}

#[test]
fn pulls_are_made_with_the_account_that_is_for_them() {
    let bed = Bed::up(1);
    let host = &bed.hosts[0];
    let mut registry = Registry::start(&bed.place, host);

    denied(&bed, "nobody", "without an account");
    set(&bed, "add", "not the password");
    denied(&bed, "wrong", "to pool, the pool's account");
    let file = bed.place.beside("password");
    fs::write(&file, format!("{FIRST}\n")).unwrap();
    bed.ok(&["registry", "set", ADDRESS, "--username", "pool", "--password-file", &file.display().to_string()]);
    runs(&bed, "right");

    // A new password there, and then here: no restart of anything.
    registry.accounts(&[("pool", SECOND), ("own", OWN)]);
    registry.forget_image();
    denied(&bed, "changed", "to pool, the pool's account");
    set(&bed, "set", SECOND);
    runs(&bed, "changed-too");

    // The image is there: a registry that is down, or denies, does not keep it from running.
    registry.down();
    runs(&bed, "down");
    registry.forget_image();
    let ended = run(&bed, "down-and-gone");
    assert!(ended.code == 3 && ended.stderr.contains("connection refused"), "{ended:?}");
    assert!(ended.stderr.contains(IMAGE) && !ended.stderr.contains("denies"), "{}", ended.stderr);
    registry.accounts(&[("pool", FIRST), ("own", OWN)]);
    registry.up();

    // The pool's password is the old one now, but the host has an account of its own.
    denied(&bed, "pools", "to pool, the pool's account");
    let api = Api::new(bed.text("url"), Some(bed.text("token")));
    let own = RegistryAuthRequest { server: ADDRESS.to_owned(), username: "own".to_owned(), password: OWN.to_owned() };
    api.wait(api.client.remove_engine(host.name())).unwrap();
    let engine = EngineRequest {
        id: Some(host.name().to_owned()),
        addr: Some(host.docker_host().to_owned()),
        auth: Some(own),
        ..EngineRequest::default()
    };
    api.wait(api.client.add_engine(&engine)).unwrap();
    until("the host is back", PATIENCE, || api.health(host.name()).0 == "healthy");
    runs(&bed, "own");

    let told = [
        bed.ok(&["events", "1000", "--json"]),
        bed.ok(&["registry", "ls", "--json"]),
        bed.ok(&["registry", "show", ADDRESS]),
    ];
    let log = text_of(&bed.pool.service_dir("controller").unwrap().join("log"));
    for text in told.iter().chain([&log]) {
        assert!([FIRST, SECOND, OWN].iter().all(|secret| !text.contains(secret)), "{text}");
    }
    assert!(told[0].contains("change-registry"));
}
