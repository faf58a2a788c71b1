//! A pool that `pierhead dev up` made, and the program as its user.

use pierhead_devhosts::{Host, Pool};
use serde_json::Value;

use crate::place::Place;
use crate::program::{Ended, program};

pub struct Bed {
    pub pool: Pool,
    pub hosts: Vec<Host>,
    /// What `dev up` said.
    pub told: Value,
    // The last to be dropped: it removes what the others describe.
    pub place: Place,
}

impl Bed {
    pub fn up(hosts: usize) -> Self {
        Self::up_with(hosts, &[])
    }

    pub fn up_with(hosts: usize, flags: &[&str]) -> Self {
        Self::up_in(hosts, flags, &[])
    }

    /// The same with variables, which the controller gets too.
    pub fn up_in(hosts: usize, flags: &[&str], env: &[(&str, &str)]) -> Self {
        let place = Place::new();
        let dir = place.pool();
        let mut up = program();
        up.args(["dev", "up", "--json", "--hosts", &hosts.to_string(), "--dir"])
            .arg(&dir)
            .args(flags)
            .envs(env.iter().copied());
        let ended = Ended::of(&mut up);
        assert_eq!(ended.code, 0, "{ended:?}");
        let pool = Pool::open(&dir).unwrap();
        let hosts = pool.hosts().unwrap();
        Self { told: ended.json(), pool, hosts, place }
    }

    pub fn text(&self, field: &str) -> &str {
        self.told[field].as_str().unwrap()
    }

    pub fn host(&self, name: &str) -> &Host {
        self.hosts.iter().find(|host| host.name() == name).unwrap()
    }

    /// Runs the program as the pool's administrator.
    pub fn run(&self, args: &[&str]) -> Ended {
        Ended::of(program().env("PIERHEAD_URL", self.text("url")).env("PIERHEAD_TOKEN", self.text("token")).args(args))
    }

    /// The same, and it must succeed: what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let ended = self.run(args);
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
        ended.stdout
    }

    /// The same, as JSON.
    pub fn json(&self, args: &[&str]) -> Value {
        let text = self.ok(&[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}: {text}"))
    }

    /// One engine as the pool lists it.
    pub fn engine(&self, name: &str) -> Value {
        let engines = self.json(&["engine", "ls"]);
        engines.as_array().unwrap().iter().find(|engine| engine["id"] == name).cloned().unwrap_or(Value::Null)
    }
}
