//! A workspace in which somebody works, and what must be in it: a database's files, in an image that declares a volume for
//! them.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use pierhead_devhosts::{Host, sample};
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::raw;
use crate::wait::{PATIENCE, until, until_some};

/// Saves, moves of images and starts, on a busy machine.
pub const LONG: Duration = Duration::from_secs(120);

/// As a database's image has it, on one host only.
const IMAGE: &str = "a-database:1";
/// Where all scripts run.
const DATA: &str = "/var/lib/mysql";

/// What a database and its users put there: tables of an owner of their own, names of all kinds, holes, links, and large
/// files; something of the image is deleted.
const FILL: &str = r#"
set -e; umask 027
$b mkdir -p lab '#innodb_temp' 'lab@0024x'; head -c 300000 /dev/urandom >ibdata1; $b truncate -s 8M ib_logfile0
printf end >>ib_logfile0; echo t >lab/db.opt; $b ln lab/db.opt lab/db.opt.same; $b ln ibdata1 'lab/one more'
printf x >"lab/$(printf 'tab\there\nnew \377 line')"; printf x >"lab/$($b printf 'n%.0s' $($b seq 240))"; $b mkfifo lab/pipe
$b ln -s ../../nowhere lab/dangling; : >lab/empty; echo s >lab/setuid; $b chown -R 999:998 .
$b chmod 4750 lab/setuid; $b chmod 1777 '#innodb_temp'; $b touch -d '2001-02-03 04:05:06' lab/db.opt
rm /bin/seq /bin/wc; head -c BYTES /dev/urandom >large; echo 0 >turns
"#;

/// What is to be as it was: of all files, what they are and what is in them, and which are one. (How many names one has is
/// told wrongly by a file system in layers, once one of them was written to.)
const LOOK: &str = r"
(cd /
$b find var/lib/mysql bin ! -type d -exec $b stat -c '%n|%F|%a|%u:%g|%s|%Y|%N' {} + | $b sort
$b find var/lib/mysql -type d -exec $b stat -c '%n|%F|%a|%u:%g' {} + | $b sort
$b find var/lib/mysql -type f -exec $b md5sum {} + | $b sort
cd var/lib/mysql; $b stat -c %i lab/db.opt lab/db.opt.same | $b sort -u | $b grep -c .
$b stat -c %i ibdata1 lab/one*more | $b sort -u | $b grep -c .) | $b cat -v
";

/// An image: on which host, under which name, and which.
pub type Image = (String, String, String);

pub struct Desk<'a> {
    pub bed: &'a Bed,
    pub id: String,
    /// What must be in it.
    pub content: String,
}

impl<'a> Desk<'a> {
    /// Opens one with so large a file in it.
    pub fn open(bed: &'a Bed, bytes: u64) -> Self {
        make_image(&bed.hosts[0]);
        let description = json!({
            "containers": [{ "image": IMAGE, "memory": 128, "cpus": 0.05, "cpu_limit": 1.0 }], "asks": { "root": true }, "idle_minutes": 0
        });
        let file = bed.place.pool().join("desk.json");
        fs::write(&file, description.to_string()).unwrap();
        bed.ok(&["environment", "create", "desk", "-f", file.to_str().unwrap()]);
        let opened = bed.json(&["workspace", "open", "desk", "--name", "mine"]);
        let mut desk = Self { bed, id: opened["id"].as_str().unwrap().to_owned(), content: String::new() };
        desk.works(&FILL.replace("BYTES", &bytes.to_string()));
        desk
    }

    /// What a script in it prints; nothing if it failed.
    pub fn exec(&self, script: &str) -> Option<String> {
        let script = format!("b=/bin/busybox; cd {DATA}; {script}");
        let ended = self.bed.run(&["workspace", "exec", &self.id, "--", "sh", "-c", &script]);
        (ended.code == 0).then_some(ended.stdout)
    }

    /// Somebody works in it.
    pub fn works(&mut self, script: &str) {
        assert!(self.exec(script).is_some(), "{script}: {}", self.show());
        self.content = self.exec(LOOK).expect("it can be looked at");
    }

    /// It holds what it held.
    pub fn is_whole(&self) {
        let (content, _) = until_some("it can be looked at", LONG, || self.exec(LOOK));
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let (is, was) = (lines(&content), lines(&self.content));
        let differs: (Vec<_>, Vec<_>) = (is.difference(&was).collect(), was.difference(&is).collect());
        assert!(content == self.content, "is, and was: {differs:#?}\n{}", self.show());
    }

    pub fn show(&self) -> Value {
        self.bed.json(&["workspace", "show", &self.id])
    }

    /// How it is; nothing while there is no controller to be asked.
    pub fn phase(&self) -> String {
        let shown = self.bed.run(&["workspace", "show", &self.id, "--json"]);
        let value: Value = serde_json::from_str(&shown.stdout).unwrap_or_default();
        value["phase"].as_str().unwrap_or_default().to_owned()
    }

    pub fn home(&self) -> String {
        self.show()["engine"].as_str().unwrap().to_owned()
    }

    pub fn save(&self, name: &str) -> Value {
        self.bed.ok(&["workspace", "save", &self.id, "--name", name]);
        self.saved(name).unwrap_or_else(|| panic!("no save {name}"))
    }

    /// The save of a name.
    pub fn saved(&self, name: &str) -> Option<Value> {
        self.bed.json(&["save", "ls"]).as_array().unwrap().iter().find(|save| save["name"] == name).cloned()
    }

    /// By the hosts' own lists: its containers on all that answer.
    pub fn containers(&self) -> usize {
        self.bed.hosts.iter().map(|host| self.on(host, "/containers/json?all=1").len()).sum()
    }

    /// Whether it is frozen somewhere.
    pub fn is_frozen(&self) -> bool {
        let all = self.bed.hosts.iter().flat_map(|host| self.on(host, "/containers/json"));
        all.into_iter().any(|container| container["State"] == "paused")
    }

    /// What a host that answers lists of it.
    pub fn on(&self, host: &Host, what: &str) -> Vec<Value> {
        let listed = listed(host, what);
        listed.into_iter().filter(|found| found["Labels"]["pierhead.workspace"] == *self.id).collect()
    }

    /// The images of its saves.
    pub fn images(&self) -> BTreeSet<Image> {
        let of = |host: &'a Host| {
            let tags = |image: Value| {
                let id = image["Id"].as_str().unwrap().to_owned();
                let tags = image["RepoTags"].as_array().cloned().unwrap_or_default();
                tags.into_iter().filter_map(|tag| tag.as_str().map(str::to_owned)).map(move |tag| (tag, id.clone()))
            };
            listed(host, "/images/json")
                .into_iter()
                .flat_map(tags)
                .map(move |(tag, id)| (host.name().to_owned(), tag, id))
        };
        let of_its_saves = |(_, tag, _): &Image| tag.starts_with("pierhead/sav") && tag.contains(&self.id);
        self.bed.hosts.iter().flat_map(of).filter(of_its_saves).collect()
    }

    /// Whether there is a new image: before it is one layer (0), or of one layer on one host or on two.
    pub fn is_new(&self, before: &BTreeSet<Image>, hosts: usize) -> bool {
        let now = self.images();
        let new: Vec<_> = now.difference(before).collect();
        let whole = new.iter().filter(|(_, tag, _)| tag.starts_with("pierhead/save:")).count();
        if hosts == 0 { !new.is_empty() } else { whole >= hosts }
    }

    /// The newest save is complete, and the hosts that are said to have it have it, by their own lists and the same.
    pub fn newest_save_is_complete(&self) {
        let last = self.show()["last_save"].as_str().expect("it was saved").to_owned();
        let shown = || self.bed.json(&["save", "show", &last]);
        until("it is complete", LONG, || shown()["state"] == "complete");
        let save = shown();
        let copies = save["copies"].as_array().unwrap();
        let images = self.images();
        let name = format!("pierhead/save:{last}-main");
        let ids: BTreeSet<&String> = images.iter().filter(|(_, tag, _)| *tag == name).map(|(.., id)| id).collect();
        assert_eq!(ids.len(), 1, "all hosts have the same: {images:?}");
        for copy in copies {
            assert!(images.iter().any(|(host, tag, _)| host == copy && *tag == name), "{copy} has {name}: {images:?}");
        }
        assert!(copies.len() > 1, "{save}");
        assert_eq!(layers_of(self.bed, &name), layers_of(self.bed, IMAGE) + 1, "one layer over the base: {save}");
    }

    /// It ends, and nothing of it is left.
    pub fn ends(&self) {
        self.bed.ok(&["workspace", "rm", &self.id, "--discard", "--yes"]);
        until("nothing of it is left", LONG, || {
            let on = |host: &Host| self.on(host, "/containers/json?all=1").len() + self.on(host, "/networks").len();
            self.bed.hosts.iter().map(on).sum::<usize>() == 0
        });
    }
}

/// What a host lists; nothing if it does not answer.
fn listed(host: &Host, what: &str) -> Vec<Value> {
    if !host.answers(PATIENCE) {
        return Vec::new();
    }
    let (_, listed) = raw::ask(host.docker_host(), "GET", what, None);
    listed.as_array().cloned().unwrap_or_default()
}

/// How many layers an image has, by the first host that has it.
fn layers_of(bed: &Bed, image: &str) -> usize {
    let found = bed.hosts.iter().find_map(|host| {
        let (status, told) = raw::ask(host.docker_host(), "GET", &format!("/images/{image}/json"), None);
        (status == 200).then(|| told["RootFS"]["Layers"].as_array().unwrap().len())
    });
    found.unwrap_or_else(|| panic!("no host has {image}"))
}

/// An image that declares a volume.
fn make_image(host: &Host) {
    let container =
        json!({ "Image": sample::IMAGE, "Cmd": ["/bin/sh", "-c", format!("mkdir -p {DATA}")], "Entrypoint": [] });
    let made = raw::call(host, "POST", "/containers/create?name=maker", Some(&container));
    raw::call(host, "POST", "/containers/maker/start", None);
    raw::call(host, "POST", "/containers/maker/wait", None);
    let (repo, tag) = IMAGE.split_once(':').unwrap();
    let config = json!({ "Volumes": { DATA: {} }, "Entrypoint": ["/bin/sh", "-c", "sleep 100000"], "Cmd": [] });
    let commit = format!("/commit?container={}&repo={repo}&tag={tag}", made["Id"].as_str().unwrap());
    raw::call(host, "POST", &commit, Some(&config));
    raw::call(host, "DELETE", "/containers/maker?force=true", None);
    let described = raw::call(host, "GET", &format!("/images/{IMAGE}/json"), None);
    assert!(described["Config"]["Volumes"].get(DATA).is_some(), "{described}");
}
