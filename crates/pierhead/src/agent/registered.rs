//! `pierhead agent --etcd`: a host whose engine listens in the network, and which is known by its key in etcd. No tunnel,
//! no certificate, no list of what is allowed: whoever reaches the engine's port can do anything there.

use super::HostArgs;
use crate::etcd::{EtcdAccess, registry};
use anyhow::{Context, Result, bail};
use clap::Args;
use pierhead_controller::HostInRegistry;
use pierhead_engine::{Docker, DockerOptions, Engine};
use pierhead_model::{Endpoint, RegisteredSize};
use pierhead_store::EtcdSettings;
use std::net::UdpSocket;
use std::path::Path;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How long the registration outlives this program.
const TTL: Duration = Duration::from_secs(5);
/// The wait before the engine is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// Where engines listen unless something else is said.
const ENGINE_PORT: u16 = 2375;

/// Flags of a host that registers itself in etcd.
#[derive(Debug, Clone, Args)]
pub(super) struct RegisterArgs {
    /// Register this host in etcd, such as `http://a:2379,http://b:2379`, and open no tunnel: its engine listens itself
    #[arg(long = "etcd", env = "PIERHEAD_AGENT_ETCD", value_name = "URL")]
    pub etcd: Option<String>,
    /// Where this host's engine listens, for --etcd [default: the address that etcd is reached from, port 2375]
    #[arg(long, value_name = "ADDRESS:PORT")]
    advertise: Option<String>,
    #[command(flatten)]
    access: EtcdAccess,
}

impl RegisterArgs {
    /// The cluster to register in; nothing for a host that calls its controllers.
    ///
    /// # Errors
    /// If flags of both kinds of host are mixed.
    pub fn cluster(&self, host: &HostArgs, has_command: bool) -> Result<Option<&str>> {
        let Some(cluster) = self.etcd.as_deref() else {
            if self.advertise.is_some() {
                bail!("--advertise is for --etcd: a host that calls its controllers has --address");
            }
            return Ok(None);
        };
        if has_command {
            bail!("--etcd goes without a subcommand: doctor and install are for hosts that call their controllers");
        }
        let others = [
            ("--join", host.join.is_some()),
            ("--controller", !host.controllers.is_empty()),
            ("--id", host.id.is_some()),
            ("--label", !host.labels.is_empty()),
            ("--address", host.address.is_some()),
            ("--forbid", !host.forbid.is_empty()),
            ("--docker-socket", host.docker_socket != Path::new(super::DOCKER_SOCKET)),
            ("--state-dir", host.state_dir != Path::new(super::STATE_DIR)),
        ];
        match others.iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => bail!("--etcd and {flag} exclude each other: {}", why_not(flag)),
            None => Ok(Some(cluster)),
        }
    }

    /// Keeps this host registered until a signal says to stop.
    pub async fn run(&self, cluster: &str) -> Result<()> {
        let mut terminate = signal(SignalKind::terminate()).context("waiting for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("waiting for SIGINT")?;
        let settings = self.access.settings(cluster).context("--etcd")?;
        let at = self.endpoint(&settings)?;
        tracing::info!(%at, etcd = %settings.address(), "this host registers itself, once its engine and etcd answer");
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        tokio::pin!(stop);
        let size = tokio::select! {
            () = &mut stop => return Ok(()),
            size = size(&at) => size,
        };
        loop {
            let registry = tokio::select! {
                () = &mut stop => return Ok(()),
                registry = registry(settings.clone()) => registry,
            };
            let mut is_over = false;
            let over = async {
                (&mut stop).await;
                is_over = true;
            };
            HostInRegistry::new(registry, at.clone(), size, TTL)?.run(over).await;
            if is_over {
                return Ok(());
            }
        }
    }

    fn endpoint(&self, settings: &EtcdSettings) -> Result<Endpoint> {
        let text = match &self.advertise {
            Some(text) => text.clone(),
            None => own_address(settings).context("this host's own address is not found; give --advertise")?,
        };
        Endpoint::parse(&text)
            .with_context(|| format!("--advertise {text:?} must be ADDRESS:PORT, such as 192.168.7.101:2375"))
    }
}

/// The address from which this host reaches the cluster; nothing for one that others do not reach.
fn own_address(settings: &EtcdSettings) -> Option<String> {
    let ip = settings.address().members().find_map(|member| {
        let wildcard = if member.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
        let socket = UdpSocket::bind(wildcard).ok()?;
        // Of UDP this sends nothing: it only asks for the way.
        socket.connect(member).ok()?;
        Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
    })?;
    Some(std::net::SocketAddr::new(ip, ENGINE_PORT).to_string())
}

/// The size of the host as its engine tells it, as soon as that answers where it is said to.
async fn size(at: &Endpoint) -> RegisteredSize {
    let mut told = String::new();
    loop {
        let asked = Docker::connect(&at.address(), DockerOptions::default());
        let facts = match asked {
            Ok(engine) => engine.facts().await,
            Err(error) => Err(error),
        };
        match facts {
            Ok(facts) => {
                let cpus = u32::try_from(facts.capacity.cpu_millis.div_ceil(1000)).unwrap_or(u32::MAX);
                return RegisteredSize { cpus: cpus.max(1), memory_mb: facts.capacity.memory_mb.max(1) };
            }
            Err(error) => {
                let reason = error.to_string();
                if reason != told {
                    tracing::warn!(error = reason, at = %at, "this host's engine does not answer there; it is asked again");
                    told = reason;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Why a host that is registered in etcd has no use for a flag.
fn why_not(flag: &str) -> &'static str {
    match flag {
        "--id" => "a host that is registered in etcd is named after the address of its engine, --advertise",
        "--join" | "--controller" => "a host that is registered in etcd calls no controller: they call its engine",
        "--label" | "--address" => {
            "of a host that is registered in etcd only the address of its engine is told, --advertise"
        }
        "--forbid" => "whoever reaches the engine's own port is not stopped by anything here",
        "--docker-socket" => "the engine is reached at its address, --advertise",
        _ => "a host that is registered in etcd keeps nothing",
    }
}

#[cfg(test)]
mod tests {
    use crate::agent::AgentArgs;
    use clap::Parser;

    fn args(words: &[&str]) -> AgentArgs {
        #[derive(Parser)]
        struct Flags {
            #[command(flatten)]
            agent: AgentArgs,
        }
        Flags::parse_from([&["agent"], words].concat()).agent
    }

    fn cluster(words: &[&str]) -> Result<Option<String>, String> {
        let args = args(words);
        let found = args.register.cluster(&args.host, args.command.is_some());
        found.map(|cluster| cluster.map(str::to_owned)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_host_is_registered_or_calls_and_not_both() {
        assert_eq!(cluster(&[]), Ok(None));
        let both = ["--etcd", "http://a:2379", "--advertise", "10.0.0.5:2375"];
        assert_eq!(cluster(&both), Ok(Some("http://a:2379".to_owned())));
        assert!(cluster(&[&both[..], &["--id", "a"]].concat()).unwrap_err().contains("named after the address"));
        for (words, flag) in [
            (&["--join", "pj1-x"][..], "--join"),
            (&["--controller", "a:1"], "--controller"),
            (&["--id", "a"], "--id"),
            (&["--label", "a"], "--label"),
            (&["--address", "10.0.0.5"], "--address"),
            (&["--forbid", "host-paths"], "--forbid"),
            (&["--docker-socket", "/x"], "--docker-socket"),
            (&["--state-dir", "/x"], "--state-dir"),
        ] {
            let refused = cluster(&[&both, words].concat()).unwrap_err();
            assert!(refused.contains(&format!("--etcd and {flag} exclude each other")), "{refused}");
        }
        assert!(cluster(&["--advertise", "10.0.0.5:2375"]).unwrap_err().contains("--advertise is for --etcd"));
        assert!(cluster(&["--etcd", "http://a:2379", "doctor"]).unwrap_err().contains("without a subcommand"));
    }

    #[test]
    fn the_address_is_said_or_found_and_has_a_port() {
        let endpoint = |words: &[&str]| {
            let args = args(words).register;
            let settings = args.access.settings(args.etcd.as_deref().unwrap()).unwrap();
            args.endpoint(&settings).map(|at| at.to_string()).map_err(|error| format!("{error:#}"))
        };
        let said = endpoint(&["--etcd", "http://127.0.0.1:2379", "--advertise", "10.0.0.5:2376"]);
        assert_eq!(said.as_deref(), Ok("10.0.0.5:2376"));
        for bad in ["10.0.0.5", "10.0.0.5:", "http://10.0.0.5:2375", "0.0.0.0:2375"] {
            let refused = endpoint(&["--etcd", "http://127.0.0.1:2379", "--advertise", bad]).unwrap_err();
            assert!(refused.contains("must be ADDRESS:PORT"), "{refused}");
        }
        // Nobody else reaches this machine at its loopback.
        let refused = endpoint(&["--etcd", "http://127.0.0.1:2379"]).unwrap_err();
        assert!(refused.contains("give --advertise"), "{refused}");
    }
}
