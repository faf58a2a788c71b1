//! A pool with one host and one container in it, in which everything is run.

use crate::Home;
use anyhow::{Context, Result, bail};
use pierhead_bench::dev::Dev;
use pierhead_client::{Change, RunOptions, Started, Wait};
use pierhead_devhosts::sample;
use pierhead_wire::ImageDescription;

/// The limit of files that the pool and this program get: a socket is a file at both ends.
const FILES: u64 = 20_000;

pub(crate) struct Bed {
    pub dev: Dev,
    /// In words.
    pub home: &'static str,
    /// The process in which terminals live.
    pub pid: u32,
    /// The process that holds the sockets.
    pub controller: u32,
    /// The container.
    pub container: String,
    /// Where its engine answers: an address, or a socket where only the host's agent calls it.
    pub engine: String,
}

impl Bed {
    pub fn up(home: Home) -> Result<Self> {
        allow_files();
        let dev = Dev::up(1, home == Home::Agent)?;
        let image = ImageDescription {
            name: sample::IMAGE.to_owned(),
            cpus: Some(1.0),
            memory: Some(1024.0),
            ..ImageDescription::default()
        };
        let options = RunOptions { count: Some(1), app: Some("terminals".to_owned()), ..RunOptions::default() };
        let change = Change::new(Wait::UntilEnded);
        let container = match dev.runtime.block_on(dev.client.run(&image, &options, &change))? {
            Started::Ended { answer, .. } => answer.into_value().first().context("a container")?.id.clone(),
            Started::Running(_) => bail!("the container did not come up in time"),
        };
        let controller = dev.pid("controller")?;
        let (home, pid) = match home {
            Home::Controller => ("controller", controller),
            Home::Agent => ("agent", dev.pid("agent-host-1")?),
        };
        let host = dev.hosts.first().context("a host")?;
        let engine = host.docker_host().to_owned();
        Ok(Self { home, pid, controller, container, engine, dev })
    }
}

/// As many files as may be.
fn allow_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    let most = now.maximum.map_or(FILES, |maximum| maximum.min(FILES));
    // With fewer the crowd fails, and says so.
    let _less = setrlimit(Resource::Nofile, Rlimit { current: Some(most.max(now.current.unwrap_or(0))), ..now });
}
