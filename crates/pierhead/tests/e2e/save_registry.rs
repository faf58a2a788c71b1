//! Saves in a real registry that asks for a password: the second place of a pool of one host.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use pierhead_devhosts::{Host, sample};
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::program::{Background, Ended, program};
use crate::raw;
use crate::valve::Valve;
use crate::wait::{PATIENCE, until};

const SECRET: &str = "canary-of-the-registry";

/// In the namespace of the only host. By the same name, on the loopback, it is reached by the engine, which talks without TLS
/// to it there, and by the controller.
struct Registry {
    port: u16,
    dir: PathBuf,
    host: Host,
    _way: Valve,
    process: Option<Background>,
}

impl Registry {
    fn start(bed: &Bed, controllers: TcpListener) -> Self {
        let (port, host) = (controllers.local_addr().unwrap().port(), bed.hosts[0].clone());
        let dir = bed.place.beside("registry");
        fs::create_dir(&dir).unwrap();
        let made = Command::new("htpasswd").args(["-Bbn", "pool", SECRET]).output().unwrap();
        fs::write(dir.join("htpasswd"), made.stdout).unwrap();
        let path = |name: &str| dir.join(name).display().to_string();
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\nhttp: {{addr: \":{port}\"}}\nauth: {{htpasswd: {{realm: test, path: {}}}}}\n",
            path("data"),
            path("htpasswd"),
        );
        fs::write(dir.join("config.yml"), config).unwrap();
        let way = Valve::on(controllers, SocketAddr::from((host.address(), port)));
        let mut registry = Self { port, dir, host, _way: way, process: None };
        registry.up();
        registry
    }

    fn up(&mut self) {
        let pid = self.host.pid().unwrap().expect("the engine runs").to_string();
        let log = fs::File::create(self.dir.join("log")).unwrap();
        let mut command = Command::new("nsenter");
        command.args(["--net", "--target", &pid, "docker-registry", "serve"]).arg(self.dir.join("config.yml"));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(Stdio::from(log));
        self.process = Some(Background::start(&mut command));
        let listens = || {
            let mut asked = Command::new("nsenter");
            let asks = format!("exec 3<>/dev/tcp/127.0.0.1/{}", self.port);
            asked.args(["--net", "--target", &pid, "bash", "-c", &asks]);
            asked.stderr(Stdio::null()).status().unwrap().success()
        };
        until("the registry listens", PATIENCE, listens);
    }

    fn down(&mut self) {
        self.process = None;
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How many images it has by their digests, and may give to who asks.
    fn kept(&self) -> usize {
        let of = ["-path", "*/save/_manifests/revisions/*", "-name", "link"];
        let found = Command::new("find").arg(self.dir.join("data")).args(of).output();
        String::from_utf8(found.unwrap().stdout).unwrap().lines().count()
    }

    /// The tags of the saves that it holds.
    fn tags(&self) -> Vec<String> {
        let found =
            Command::new("find").arg(self.dir.join("data")).args(["-path", "*/_manifests/tags/*", "-prune"]).output();
        let found = String::from_utf8(found.unwrap().stdout).unwrap();
        let mut tags: Vec<String> =
            found.lines().filter_map(|path| Some(path.rsplit_once('/')?.1.to_owned())).collect();
        tags.sort();
        tags
    }
}

fn account(bed: &Bed, registry: &Registry, verb: &str, password: &str) {
    let mut command = program();
    command.env("PIERHEAD_URL", bed.text("url")).env("PIERHEAD_TOKEN", bed.text("token"));
    command.args(["registry", verb, &registry.address(), "--username", "pool", "--password-stdin"]);
    let ended = Ended::with_input(&mut command, &format!("{password}\n"));
    assert_eq!(ended.code, 0, "{ended:?}");
}

fn named(bed: &Bed, name: &str) -> Value {
    let all = bed.json(&["save", "ls"]);
    all.as_array().unwrap().iter().find(|save| save["name"] == name).cloned().unwrap_or(Value::Null)
}

fn saved(bed: &Bed, workspace: &str, name: &str) -> Value {
    bed.ok(&["workspace", "save", workspace, "--name", name]);
    named(bed, name)
}

fn says(bed: &Bed, id: &str, script: &str) -> String {
    let ended = bed.run(&["workspace", "exec", id, "--", "sh", "-c", script]);
    assert_eq!(ended.code, 0, "{script}: {ended:?}");
    ended.stdout
}

/// The names of the host's images.
fn names(bed: &Bed) -> Vec<String> {
    let (_, listed) = raw::ask(bed.hosts[0].docker_host(), "GET", "/images/json", None);
    let tags = |image: &Value| image["RepoTags"].as_array().cloned().unwrap_or_default();
    let all = listed.as_array().unwrap().iter().flat_map(tags);
    all.filter_map(|tag| tag.as_str().map(str::to_owned)).collect()
}

#[test]
fn a_pool_of_one_host_has_its_saves_in_a_registry_too() {
    let controllers = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let place = format!("http://{}/school", controllers.local_addr().unwrap());
    let bed = Bed::up_in(1, &["--agents"], &[("PIERHEAD_SAVE_REGISTRY", &place)]);
    let mut registry = Registry::start(&bed, controllers);
    let file = bed.place.beside("files.json");
    let description = json!({ "containers": [{ "image": sample::IMAGE }], "idle_minutes": 0 });
    fs::write(&file, description.to_string()).unwrap();
    bed.ok(&["environment", "create", "files", "-f", file.to_str().unwrap()]);
    let id = bed.json(&["workspace", "open", "files", "--name", "mine"])["id"].as_str().unwrap().to_owned();
    says(&bed, &id, "mkdir -p /tmp/made && head -c 1000000 /dev/urandom >/tmp/made/large && echo one >/tmp/made/one");
    let made = says(&bed, &id, "cat /tmp/made/* | md5sum");

    // Without an account, and then with a wrong password: told in words, and the save has only its host.
    let alone = saved(&bed, &id, "alone");
    assert_eq!((alone["state"].as_str(), alone.get("registry")), (Some("single-copy"), None), "{alone}");
    let told = |words: &str| bed.ok(&["events", "200"]).contains(words);
    assert!(told("denies it without an account"), "{}", bed.ok(&["events", "200"]));
    account(&bed, &registry, "add", "not the password");
    assert_eq!(saved(&bed, &id, "denied")["state"], "single-copy");
    account(&bed, &registry, "set", SECRET);
    let first = saved(&bed, &id, "first");
    assert_eq!(
        (first["state"].as_str(), first["copies"].as_array().map(Vec::len)),
        (Some("complete"), Some(1)),
        "{first}"
    );
    assert!(told("it takes saves again"));
    for name in ["alone", "denied"] {
        until("the others go there too", PATIENCE, || named(&bed, name)["state"] == "complete");
    }
    let tag = |save: &Value| format!("{}-main", save["id"].as_str().unwrap());
    let mut expected = ["alone", "denied", "first"].map(|name| tag(&named(&bed, name)));
    expected.sort();
    assert_eq!(registry.tags(), expected);
    assert!(
        bed.ok(&["save", "show", first["id"].as_str().unwrap()]).contains(&format!("{}/school/", registry.address()))
    );

    // The host loses the image behind everybody's back.
    let image = format!("pierhead/save:{}", tag(&first));
    bed.ok(&["workspace", "rm", &id, "--discard", "--yes"]);
    raw::call(&bed.hosts[0], "DELETE", &format!("/images/{image}?force=1"), None);
    let save = first["id"].as_str().unwrap();
    let again = bed.json(&["workspace", "open", "--save", save, "--name", "again"])["id"].as_str().unwrap().to_owned();
    assert_eq!(says(&bed, &again, "cat /tmp/made/* | md5sum"), made);
    let names = names(&bed);
    assert!(names.contains(&image) && !names.iter().any(|name| name.starts_with(&registry.address())), "{names:?}");

    // The registry ends, and comes back.
    registry.down();
    let away = saved(&bed, &again, "away");
    assert_eq!(away["state"], "single-copy", "{away}");
    registry.up();
    assert_eq!(saved(&bed, &again, "back")["state"], "complete");
    until("that goes there too", PATIENCE, || named(&bed, "away")["state"] == "complete");

    // What is deleted here is deleted there: at once if it is there, and else at one of the next looks, as after a deletion.
    assert_eq!(registry.kept(), registry.tags().len());
    let [alone, denied, away, back] = ["alone", "denied", "away", "back"].map(|name| named(&bed, name));
    let delete = |save: &Value| bed.ok(&["save", "rm", save["id"].as_str().unwrap(), "--yes"]);
    delete(&alone);
    until("it is gone there", PATIENCE, || !registry.tags().contains(&tag(&alone)));
    registry.down();
    delete(&denied);
    until("it is told", PATIENCE, || told("save-registry-keeps"));
    assert_eq!(named(&bed, "denied"), Value::Null);
    assert!(registry.tags().contains(&tag(&denied)));
    registry.up();
    delete(&away);
    let mut left = [tag(&first), tag(&back)];
    left.sort();
    until("both are gone there", PATIENCE, || registry.tags() == left);
    assert_eq!(registry.kept(), left.len(), "nothing of them is there by its digest");
    let everything = bed.ok(&["events", "1000", "--json"]);
    assert!(!everything.contains(SECRET) && everything.contains("save-registry-away"), "{everything}");
}
