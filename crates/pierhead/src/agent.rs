//! `pierhead agent`: what runs on a Docker host so that the host opens nothing to the network.

mod doctor;
mod install;
mod lock;
mod registered;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use pierhead_agent::{
    Agent, Controller, Controllers, Firewall, Forbid, Gate, Host, INTERVAL, Identity, JoinToken, Leases, LoadMeter,
    Pulse, Terminals, Terms, Timing, in_words, watch_engine,
};
use pierhead_controller::fingerprint;
use registered::RegisterArgs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The longest sleep before the clock is looked at again: it may be set, or the machine may sleep.
const LONGEST_NAP: Duration = Duration::from_secs(60);

/// Where a host's engine answers, and where its agent keeps what it must not lose.
const DOCKER_SOCKET: &str = "/var/run/docker.sock";
const STATE_DIR: &str = "/var/lib/pierhead-agent";

/// Flags of `pierhead agent`.
#[derive(Debug, Args)]
pub(crate) struct AgentArgs {
    /// Print what 'doctor' and 'install' say as JSON
    // One that is global under this name already is this one.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(flatten)]
    host: HostArgs,
    #[command(flatten)]
    register: RegisterArgs,
    #[command(subcommand)]
    command: Option<AgentCommand>,
}

#[derive(Debug, Subcommand)]
enum AgentCommand {
    /// Say what is wrong with this host, its engine and the way to its controllers
    Doctor,
    /// Join, and run from now on as a service of systemd
    Install {
        /// Print the unit and do nothing
        #[arg(long)]
        print: bool,
    },
}

#[derive(Debug, Clone, Args)]
struct HostArgs {
    /// Token to join with, from 'pierhead engine join-command'; not needed any more once the host has joined
    #[arg(long, env = "PIERHEAD_JOIN_TOKEN", value_name = "TOKEN", global = true, hide_env_values = true)]
    join: Option<String>,
    /// Where a controller takes agents, in place of what the token says; may be given several times
    #[arg(long = "controller", value_name = "HOST:PORT", global = true)]
    controllers: Vec<String>,
    /// What the host is called in the pool [default: its own name]
    #[arg(long, value_name = "ID", global = true)]
    id: Option<String>,
    /// Label to place by; may be given several times
    #[arg(long = "label", value_name = "LABEL", global = true)]
    labels: Vec<String>,
    /// Where the host's published ports answer [default: the address that it calls from]
    #[arg(long, value_name = "ADDRESS", global = true)]
    address: Option<String>,
    /// What no controller may do on this host: host-network, host-paths, other-containers, terminals, workspaces; several as a comma list
    #[arg(long, value_name = "WHAT", value_delimiter = ',', global = true)]
    forbid: Vec<Forbid>,
    /// Socket of the host's Docker engine
    #[arg(long, value_name = "FILE", default_value = DOCKER_SOCKET, global = true)]
    docker_socket: PathBuf,
    /// Directory of the host's key and of the latest leader's term
    #[arg(long, value_name = "DIR", default_value = STATE_DIR, global = true)]
    state_dir: PathBuf,
}

/// Does one command.
pub(crate) async fn agent(args: AgentArgs) -> Result<()> {
    let cluster = args.register.cluster(&args.host, args.command.is_some())?;
    match args.command {
        None => {
            crate::serve::start_log();
            match cluster {
                Some(cluster) => args.register.run(cluster).await,
                None => run(&args.host).await,
            }
        }
        Some(AgentCommand::Doctor) => doctor::doctor(&args.host, args.json).await,
        Some(AgentCommand::Install { print }) => install::install(&args.host, print, args.json).await,
    }
}

async fn run(args: &HostArgs) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("waiting for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("waiting for SIGINT")?;
    let _only_one = lock::take(&args.state_dir)?;
    // What an earlier run left is watched before anything else can fail.
    let leases = Leases::open(&args.state_dir, &args.docker_socket)?;
    let guarded = Arc::clone(&leases);
    let guard = tokio::spawn(async move { guarded.guard().await });
    let identity = args.identity().await?;
    let (controllers, shown) = (identity.controllers.join(" "), fingerprint(&identity.certificate));
    tracing::info!(engine = identity.engine, controllers, certificate = shown, "this host is in the pool");
    // What an earlier run left of terminals is ended meanwhile.
    let terminals = Terminals::open(&args.state_dir, &args.docker_socket)?;
    let terms = Arc::new(Terms::open(&args.state_dir)?);
    let pulse = Pulse::new(INTERVAL, LoadMeter::source()).with_engine(watch_engine(&args.docker_socket));
    let pulse = pulse.with_end(leases.farewell());
    let firewall = Firewall::default();
    let gate = Gate::new(&args.docker_socket, terms, pulse).guarded(firewall.clone());
    let labels = (!args.labels.is_empty()).then(|| args.labels.clone());
    let gate = gate.telling(labels, args.address.clone()).forbidding(args.forbid.iter().copied().collect());
    let calls = Controllers::new(identity.controllers.clone());
    let gate =
        Arc::new(gate.leased(Arc::clone(&leases)).introduced(calls.clone()).with_terminals(Arc::clone(&terminals)));
    let keeper = firewall.clone();
    let is_guarded = !args.forbid.contains(&Forbid::Workspaces);
    let keeper = is_guarded.then(|| tokio::spawn(async move { keeper.keep().await }));
    // An engine that hangs must not keep the host from calling.
    let looked_at = Arc::clone(&gate);
    tokio::spawn(async move { looked_at.facts().await.lacks.iter().for_each(|lack| tracing::warn!("{lack}")) });
    let (tls, config) = watch::channel(Arc::new(identity.client_config()?));
    let controllers = identity.controllers.iter().map(|address| Controller::at(address)).collect();
    let agent = Agent::new(controllers, config, gate, Timing::default()).calling(&calls);
    let mut calling = std::pin::pin!(agent.run());
    tokio::select! {
        () = &mut calling => {}
        () = keep_fresh(identity, args, tls, calls.subscribe()) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    // Nobody will be there to do so when the lease ends.
    guard.abort();
    tokio::select! {
        // Nobody would be there to keep the terminals either.
        ((), ()) = async { tokio::join!(leases.give_up(), terminals.end_all()) } => {}
        // Meanwhile the controllers are told.
        () = async { (&mut calling).await; std::future::pending().await } => {}
    }
    if let Some(keeper) = keeper {
        keeper.abort();
        firewall.leave(&args.docker_socket).await;
    }
    tracing::info!("stopped; containers run on, but for those that must not run twice in the pool");
    Ok(())
}

/// Renews the certificate at two thirds of its life, and keeps which controllers there are, for ever.
async fn keep_fresh(
    mut identity: Identity,
    args: &HostArgs,
    tls: watch::Sender<Arc<rustls::ClientConfig>>,
    mut calls: watch::Receiver<Vec<String>>,
) {
    loop {
        let wait = identity.renew_at.saturating_sub(moment());
        if wait > 0 {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(wait).min(LONGEST_NAP)) => {}
                Ok(()) = calls.changed() => {
                    identity.controllers.clone_from(&calls.borrow_and_update());
                    tracing::info!(controllers = identity.controllers.join(" "), "the host was told of all controllers");
                    if let Err(error) = identity.keep(&args.state_dir) {
                        tracing::warn!(error = in_words(&error), "which controllers there are can't be kept");
                    }
                }
            }
            continue;
        }
        match renewed(&identity, args).await {
            Ok((next, config)) => {
                tracing::info!("this host has a new certificate");
                identity = next;
                tls.send_replace(config);
            }
            Err(error) if identity.expires_at <= moment() => {
                let error = format!("{error:#}");
                tracing::error!(
                    error,
                    "this host's certificate has expired: it was away for too long, or its clock is wrong; join again \
                     with a new token from 'pierhead engine join-command'"
                );
                tokio::time::sleep(LONGEST_NAP).await;
            }
            Err(error) => {
                let pause = Duration::from_millis(identity.expires_at.saturating_sub(identity.renew_at) / 10);
                tracing::warn!(error = format!("{error:#}"), "the certificate could not be renewed; it is tried again");
                tokio::time::sleep(pause.clamp(Duration::from_millis(100), LONGEST_NAP)).await;
            }
        }
    }
}

async fn renewed(identity: &Identity, args: &HostArgs) -> Result<(Identity, Arc<rustls::ClientConfig>)> {
    let next = pierhead_agent::renew(identity, &Timing::default()).await;
    let next = next.map_err(|error| anyhow::anyhow!(in_words(&error)))?;
    // The old one counts until the new one is shown: it must not be shown before it is kept.
    next.keep(&args.state_dir)?;
    let config = next.client_config()?;
    Ok((next, Arc::new(config)))
}

impl HostArgs {
    /// What this host is in its pool: what it was, or what it becomes with the token.
    async fn identity(&self) -> Result<Identity> {
        let known = Identity::read(&self.state_dir)?;
        let token = self.join.as_deref().map(str::parse::<JoinToken>).transpose().context("--join")?;
        let mut identity = match (known, token) {
            // The command that was pasted may be run again: its token is used up, and not needed.
            (Some(known), None) => known,
            (Some(known), Some(token)) if known.joined_with == mark(&token) => known,
            (_, Some(token)) => self.joined(token).await?,
            (None, None) => bail!(
                "this host is in no pool: {} holds no identity; give --join with what 'pierhead engine join-command' \
                 prints",
                self.state_dir.display()
            ),
        };
        let controllers = self.controllers()?;
        if !controllers.is_empty() {
            identity.controllers = controllers;
        }
        Ok(identity)
    }

    async fn joined(&self, token: JoinToken) -> Result<Identity> {
        let address = self.controllers()?.first().cloned().unwrap_or_else(|| token.address.clone());
        let token = JoinToken { address, ..token };
        let host = Host {
            id: self.id.clone(),
            name: Some(rustix::system::uname().nodename().to_string_lossy().into_owned()),
            address: self.address.clone(),
            labels: self.labels.clone(),
        };
        // A host that cannot keep its key must not use up the token.
        std::fs::create_dir_all(&self.state_dir).with_context(|| self.state_dir.display().to_string())?;
        let joined = pierhead_agent::join(&token, &host, &Timing::default()).await;
        let mut joined = joined.map_err(|error| anyhow::anyhow!("this host did not join: {}", in_words(&error)))?;
        joined.joined_with = mark(&token);
        Terms::forget(&self.state_dir)?;
        joined.keep(&self.state_dir)?;
        tracing::info!(engine = joined.engine, "this host has joined the pool");
        Ok(joined)
    }

    /// The controllers that were named, each `host:port`.
    fn controllers(&self) -> Result<Vec<String>> {
        let bare = |text: &String| {
            let address = text.strip_prefix("https://").unwrap_or(text).trim_end_matches('/').to_owned();
            let has_port =
                address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
            if has_port { Ok(address) } else { bail!("--controller {text:?} must be HOST:PORT") }
        };
        self.controllers.iter().map(bare).collect()
    }
}

/// By what one knows a token again without keeping it.
fn mark(token: &JoinToken) -> String {
    fingerprint(token.secret.as_bytes())
}

/// This moment in milliseconds since 1970.
fn moment() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn args(words: &[&str]) -> AgentArgs {
        #[derive(Parser)]
        struct Flags {
            #[command(flatten)]
            agent: AgentArgs,
        }
        Flags::parse_from([&["agent"], words].concat()).agent
    }

    #[test]
    fn controllers_are_hosts_with_a_port() {
        let told = args(&["--controller", "https://pool.lan:7443/", "--controller", "[fd00::1]:1"]);
        assert_eq!(told.host.controllers().unwrap(), ["pool.lan:7443", "[fd00::1]:1"]);
        for bad in ["pool.lan", ":1", "pool.lan:x", "https://pool.lan"] {
            let refused = args(&["--controller", bad]).host.controllers().unwrap_err().to_string();
            assert!(refused.contains("must be HOST:PORT"), "{refused}");
        }
    }

    #[tokio::test]
    async fn without_a_token_and_an_identity_it_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().display().to_string();
        let refused = args(&["--state-dir", &state]).host.identity().await.unwrap_err().to_string();
        assert!(refused.contains("engine join-command"), "{refused}");
        let half = args(&["--state-dir", &state, "--join", "pj1-abc"]).host.identity().await.unwrap_err();
        assert!(format!("{half:#}").contains("not all of one"), "{half:#}");
    }
}
