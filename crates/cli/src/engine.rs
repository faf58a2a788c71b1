//! `engine`: the Docker hosts of the pool.

use crate::flags::parse_amount;
use crate::follow::ChangeArgs;
use crate::listing::ListArgs;
use crate::names;
use crate::output::{Confirm, WithoutTerminal};
use crate::{CliError, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::Client;
use pierhead_model::{EngineId, Timestamp, is_label};
use pierhead_wire::{EngineRequest, EngineView, JoinTokenRequest, RegistryAuthRequest, parse_timestamp};
use std::path::{Path, PathBuf};

/// `engine` and its commands; an id alone shows that engine, nothing at all lists them.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct EngineArgs {
    /// Engine to show
    #[arg(value_name = "ID", add = names::engines())]
    pub id: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<EngineCommand>,
}

/// What can be done with engines.
#[derive(Debug, Clone, Subcommand)]
pub enum EngineCommand {
    /// List engines
    #[command(visible_alias = "list")]
    Ls(ListArgs),
    /// Show one engine, its health and what it lacks
    #[command(alias = "inspect")]
    Show {
        /// Its id
        #[arg(add = names::engines())]
        id: String,
    },
    /// Add a Docker host to the pool
    Add(Box<EngineAddArgs>),
    /// Remove a Docker host from the pool
    Rm(EngineRmArgs),
    /// Print the command that adds a host by itself: paste it there
    JoinCommand(JoinCommandArgs),
    /// Take in a host that waits for approval; 'engine rm' refuses it
    Approve {
        /// Its id
        #[arg(add = names::engines())]
        id: String,
    },
    /// Shut out the agent of a host until it joins again; what runs there stays
    Revoke(EngineRevokeArgs),
    /// Place nothing new on a host; what runs there stays
    Cordon {
        /// Its id
        #[arg(add = names::engines())]
        id: String,
    },
    /// Put a host back into service
    Uncordon {
        /// Its id
        #[arg(add = names::engines())]
        id: String,
    },
    /// Cordon a host and move what runs there to others, one container of an app at a time
    Drain(EngineDrainArgs),
}

/// What `engine add` takes.
#[derive(Debug, Clone, Args)]
pub struct EngineAddArgs {
    /// Where its API answers: http://10.0.0.5:2375, https://HOST:2376, unix:///var/run/docker.sock
    #[arg(value_name = "ADDRESS", required_unless_present = "addr")]
    pub address: Option<String>,
    /// The same as a flag
    #[arg(long, value_name = "ADDRESS", conflicts_with = "address")]
    pub addr: Option<String>,
    /// Its id [default: the digits of the address]
    #[arg(long)]
    pub id: Option<String>,
    /// Label to place by
    #[arg(long = "label", value_name = "LABEL")]
    pub labels: Vec<String>,
    /// Certificate of the authority that signed the engine's own (PEM)
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// Our certificate for it (PEM)
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The key of our certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Cores that replace what it reports
    #[arg(long, value_name = "CORES", value_parser = parse_amount)]
    pub cpus: Option<f64>,
    /// Memory in MB that replaces what it reports
    #[arg(long, value_name = "MB", value_parser = parse_amount)]
    pub memory: Option<f64>,
    /// Factor on the cores that may be reserved
    #[arg(long, value_name = "FACTOR", value_parser = parse_amount)]
    pub over_commit_cpus: Option<f64>,
    /// Factor on the memory that may be reserved
    #[arg(long, value_name = "FACTOR", value_parser = parse_amount)]
    pub over_commit_memory: Option<f64>,
    /// Registry that pulls of this host log in to
    #[arg(long, value_name = "HOST", requires = "registry_username")]
    pub registry: Option<String>,
    /// User name there; the password is asked for, or read with --registry-password-stdin
    #[arg(long, value_name = "NAME")]
    pub registry_username: Option<String>,
    /// Read the password of the registry from standard input
    #[arg(long, requires = "registry_username")]
    pub registry_password_stdin: bool,
}

/// What `engine join-command` takes.
#[derive(Debug, Clone, Args)]
pub struct JoinCommandArgs {
    /// How long it is good: 10m, 1h, 7d [default: 1h]
    #[arg(long, value_name = "TIME")]
    pub expires_in: Option<String>,
    /// Label to place by, for the host that joins
    #[arg(long = "label", value_name = "LABEL")]
    pub labels: Vec<String>,
    /// What the host shall be called [default: its own name]
    #[arg(long)]
    pub id: Option<String>,
    /// The host needs no approval, where hosts have to wait for it
    #[arg(long)]
    pub approved: bool,
}

/// What `engine revoke` takes.
#[derive(Debug, Clone, Args)]
pub struct EngineRevokeArgs {
    /// Its id
    #[arg(add = names::engines())]
    pub id: String,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
}

/// What `engine drain` takes.
#[derive(Debug, Clone, Args)]
pub struct EngineDrainArgs {
    /// Its id
    #[arg(add = names::engines())]
    pub id: String,
    /// How it is waited for.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// What `engine rm` takes.
#[derive(Debug, Clone, Args)]
pub struct EngineRmArgs {
    /// Its id
    #[arg(add = names::engines())]
    pub id: String,
    /// Move what runs there to other hosts first; if that fails, it is not removed
    #[arg(long, conflicts_with = "leave")]
    pub drain: bool,
    /// Leave what runs there as it is; the pool makes it anew elsewhere
    #[arg(long)]
    pub leave: bool,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
}

/// Does one of them.
pub(crate) async fn engine(args: &EngineArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match (&args.command, &args.id) {
        (Some(EngineCommand::Ls(args)), _) => list(&args.of(client), out).await,
        (None, None) => list(client, out).await,
        (Some(EngineCommand::Show { id }), _) | (None, Some(id)) => show(id, client, out).await,
        (Some(EngineCommand::Add(args)), _) => add(args, client, out).await,
        (Some(EngineCommand::Rm(args)), _) => remove(args, WithoutTerminal::Refuse, client, out).await,
        (Some(EngineCommand::JoinCommand(args)), _) => join_command(args, client, out).await,
        (Some(EngineCommand::Approve { id }), _) => approve(id, client, out).await,
        (Some(EngineCommand::Revoke(args)), _) => revoke(args, client, out).await,
        (Some(EngineCommand::Cordon { id }), _) => {
            client.cordon_engine(id).await?;
            out.done(&format!("cordoned {id}; what runs there stays"))
        }
        (Some(EngineCommand::Uncordon { id }), _) => {
            client.uncordon_engine(id).await?;
            out.done(&format!("{id} is back in service"))
        }
        (Some(EngineCommand::Drain(args)), _) => drain(args, client, out).await,
    }
}

/// Lists engines.
pub(crate) async fn list(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let engines = client.engines().await?;
    if out.is_json() {
        return out.json(engines.json());
    }
    if engines.is_empty() {
        return out.text("No engines yet. Try: pierhead engine add http://10.0.0.5:2375");
    }
    let table = render::engine::list(&engines, out.width());
    out.text(&table)
}

async fn show(id: &str, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let engine = client.engine(id).await?;
    if out.is_json() { out.json(engine.json()) } else { out.text(&render::engine::one(&engine)) }
}

/// Adds an engine.
pub(crate) async fn add(args: &EngineAddArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let request = EngineRequest {
        id: args.id.clone(),
        addr: args.address.clone().or_else(|| args.addr.clone()),
        labels: (!args.labels.is_empty()).then(|| args.labels.clone()),
        ca_certificate: read(args.tls_ca.as_deref())?,
        ssl_certificate: read(args.tls_cert.as_deref())?,
        ssl_key: read(args.tls_key.as_deref())?,
        auth: registry_auth(args, out)?,
        capacity_cpus: args.cpus,
        capacity_memory: args.memory,
        over_commit_cpus: args.over_commit_cpus,
        over_commit_memory: args.over_commit_memory,
        ..EngineRequest::default()
    };
    let engine = client.add_engine(&request).await?;
    if out.is_json() {
        return out.json(engine.json());
    }
    out.text(&format!("added {} ({})", engine.id, engine.addr))
}

fn registry_auth(args: &EngineAddArgs, out: &mut Output) -> Result<Option<RegistryAuthRequest>, CliError> {
    let Some(username) = args.registry_username.clone() else { return Ok(None) };
    let password = crate::login::password(args.registry_password_stdin, "--registry-password-stdin", out)?;
    Ok(Some(RegistryAuthRequest { server: args.registry.clone().unwrap_or_default(), username, password }))
}

fn read(path: Option<&Path>) -> Result<Option<String>, CliError> {
    path.map(std::fs::read_to_string)
        .transpose()
        .map_err(|source| CliError::ReadFile { path: path.unwrap_or(Path::new("")).to_owned(), source })
}

/// Removes an engine.
pub(crate) async fn remove(
    args: &EngineRmArgs,
    without_terminal: WithoutTerminal,
    client: &Client,
    out: &mut Output,
) -> Result<(), CliError> {
    args.confirm.ask(&format!("Remove engine {} from the pool?", args.id), without_terminal, out)?;
    if args.drain || asks_to_drain(args, out)? {
        let started = client.drain_engine(&args.id, &ChangeArgs::begin()).await?;
        ChangeArgs::default().finish(client, started, "moved", out).await?;
    }
    client.remove_engine(&args.id).await?;
    out.done(&format!("removed {}", args.id))
}

async fn approve(id: &str, client: &Client, out: &mut Output) -> Result<(), CliError> {
    // Who may approve need not be one who may look.
    let before = client.engine(id).await.ok().and_then(|engine| engine.into_value().agent);
    client.approve_engine(id).await?;
    match before {
        Some(agent) if agent.waits_for_approval => out.done(&format!("approved {id}")),
        Some(agent) if agent.fingerprints.is_empty() => out.done(&format!(
            "{id} was not waiting for approval: it was revoked, and has to join again with: pierhead engine join-command"
        )),
        Some(_) => out.done(&format!("{id} was not waiting for approval; nothing has changed")),
        None => out.done(&format!("{id} does not wait for approval")),
    }
}

async fn join_command(args: &JoinCommandArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let request = JoinTokenRequest { expires_in: args.expires_in.clone(), approved: args.approved.then_some(true) };
    if let Some(message) = wrong_in(args, &request) {
        return Err(refused(message));
    }
    if let Some(id) = &args.id
        && let Ok(known) = client.engine(id).await
        && !is_shut_out(&known, out.now())
    {
        return Err(refused(format!(
            "--id {id} is the name of a host in the pool already: give another, or shut that one out first if this is \
             the same host (pierhead engine revoke {id})"
        )));
    }
    let made = client.make_join_token(&request).await?;
    if out.is_json() {
        return out.json(made.json());
    }
    // Alone on standard output, so that a script can take it from there.
    out.text(&command(args, &made.token))?;
    out.note(&format!(
        "run this as root on the new host, once and before {}; 'pierhead agent install' in place of 'pierhead agent' \
         makes it a service",
        made.expires_at
    ));
    Ok(())
}

/// What the host would be refused for when it joins, or the token now.
fn wrong_in(args: &JoinCommandArgs, request: &JoinTokenRequest) -> Option<String> {
    if let Some(Err(invalid)) = args.id.as_deref().map(EngineId::parse) {
        return Some(format!("--id: {invalid}"));
    }
    if let Some(bad) = args.labels.iter().find(|label| !is_label(label)) {
        let form = "must be 1 to 128 printable characters without space, comma, '|' and '!'";
        return Some(format!("--label {:?} {form}", bad.chars().take(128).collect::<String>()));
    }
    request.life().err().map(|invalid| invalid.message.replace("expires_in", "--expires-in"))
}

/// Whether a host may join again under the name of this one: its certificates are revoked, or have expired.
fn is_shut_out(engine: &EngineView, now: Timestamp) -> bool {
    let Some(agent) = &engine.agent else { return false };
    let end = agent.expires_at.as_deref().and_then(parse_timestamp);
    agent.fingerprints.is_empty() || end.is_some_and(|end| end <= now)
}

fn refused(message: String) -> CliError {
    CliError::Usage { message, hint: "pierhead engine join-command --help".to_owned() }
}

/// What is pasted on the new host.
fn command(args: &JoinCommandArgs, token: &str) -> String {
    let mut words = vec!["pierhead agent --join".to_owned(), token.to_owned()];
    for (flag, value) in args.id.iter().map(|id| ("--id", id)).chain(args.labels.iter().map(|it| ("--label", it))) {
        words.extend([flag.to_owned(), quoted(value)]);
    }
    words.join(" ")
}

/// A word as a shell takes it for itself.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:=/".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

async fn revoke(args: &EngineRevokeArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    args.confirm.ask(&format!("Shut out the agent of {}?", args.id), WithoutTerminal::Refuse, out)?;
    client.revoke_engine(&args.id).await?;
    out.done(&format!("revoked {0}; it is shut out until it joins again with: pierhead engine join-command", args.id))
}

/// A person who did not say what becomes of what runs there is asked.
fn asks_to_drain(args: &EngineRmArgs, out: &mut Output) -> Result<bool, CliError> {
    if args.leave || args.confirm.yes || !out.terminals().stdin {
        return Ok(false);
    }
    let question = "Drain it first, so that its containers move to other hosts? Otherwise they are left running. [y/N]";
    let answer = out.ask(question)?;
    Ok(matches!(answer.as_deref().map(str::trim), Some("y" | "Y" | "yes" | "Yes" | "YES")))
}

async fn drain(args: &EngineDrainArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let started = client.drain_engine(&args.id, &ChangeArgs::begin()).await?;
    let done = format!("drained {0}; nothing is placed there until: pierhead engine uncordon {0}", args.id);
    args.change.conclude(client, started, "moved", &done, out).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_means_one_thing_to_a_shell() {
        let args = |labels: &[&str], id: Option<&str>| JoinCommandArgs {
            expires_in: None,
            approved: false,
            labels: labels.iter().map(|&label| label.to_owned()).collect(),
            id: id.map(str::to_owned),
        };
        assert_eq!(command(&args(&[], None), "pj1-x"), "pierhead agent --join pj1-x");
        let many = command(&args(&["ssd", "a;b'c"], Some("web1")), "pj1-x");
        assert_eq!(many, r"pierhead agent --join pj1-x --id web1 --label ssd --label 'a;b'\''c'");
    }

    #[test]
    fn what_a_host_would_be_refused_for_gets_no_token() {
        let wrong = |id: Option<&str>, label: &str, expires_in: Option<&str>| {
            let (id, expires_in) = (id.map(str::to_owned), expires_in.map(str::to_owned));
            let request = JoinTokenRequest { expires_in: expires_in.clone(), approved: None };
            wrong_in(&JoinCommandArgs { expires_in, approved: false, labels: vec![label.to_owned()], id }, &request)
        };
        assert_eq!(wrong(Some("web-1"), "ssd", Some("10m")), None);
        assert!(wrong(Some("bad id/.."), "ssd", None).unwrap().starts_with("--id: "));
        assert!(wrong(None, "a b", None).unwrap().starts_with("--label \"a b\" must be"));
        assert!(wrong(None, "ssd", Some("soon")).unwrap().starts_with("--expires-in must be"));
    }
}
