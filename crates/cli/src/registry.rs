//! `registry`: the pool's accounts at registries of images.

use crate::listing::ListArgs;
use crate::login::password;
use crate::names;
use crate::output::{Confirm, WithoutTerminal};
use crate::{CliError, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::Client;
use pierhead_wire::{RegistryChange, RegistryRequest};
use std::path::PathBuf;

/// `registry` and its commands; nothing at all lists them.
#[derive(Debug, Clone, Args)]
pub struct RegistryArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<RegistryCommand>,
}

/// What can be done with registries.
#[derive(Debug, Clone, Subcommand)]
pub enum RegistryCommand {
    /// List the pool's accounts at registries
    #[command(visible_alias = "list")]
    Ls(ListArgs),
    /// Show the account at one registry; never its password
    #[command(alias = "inspect")]
    Show {
        /// Host and port, as images name it (docker.io for images that name none)
        #[arg(add = names::registries())]
        host: String,
    },
    /// Give the pool an account at a registry; its password is asked for
    Add(RegistrySetArgs),
    /// Change the account at a registry; it counts from the next pull on
    Set(RegistrySetArgs),
    /// Forget the account at a registry
    Rm(RegistryRmArgs),
}

/// What `registry add` and `registry set` take.
#[derive(Debug, Clone, Args)]
pub struct RegistrySetArgs {
    /// Host and port, as images name it (docker.io for images that name none)
    #[arg(add = names::registries())]
    pub host: String,
    /// User name there
    #[arg(long, short = 'u', value_name = "NAME")]
    pub username: String,
    /// Read the password from standard input
    #[arg(long, conflicts_with = "password_file")]
    pub password_stdin: bool,
    /// Read the password from a file, without the end of its last line
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// What `registry rm` takes.
#[derive(Debug, Clone, Args)]
pub struct RegistryRmArgs {
    /// Host and port
    #[arg(add = names::registries())]
    pub host: String,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
}

/// Does one of them.
pub(crate) async fn registry(args: &RegistryArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        None => list(client, out).await,
        Some(RegistryCommand::Ls(args)) => list(&args.of(client), out).await,
        Some(RegistryCommand::Show { host }) => {
            let registry = client.registry(host).await?;
            if out.is_json() { out.json(registry.json()) } else { out.text(&render::image::registry(&registry)) }
        }
        Some(RegistryCommand::Add(args)) => {
            let RegistryChange { username, password } = account(args, out)?;
            let request = RegistryRequest { host: args.host.clone(), username, password };
            let added = client.add_registry(&request).await?;
            if out.is_json() {
                return out.json(added.json());
            }
            out.text(&format!("the pool pulls from {} as {}", added.host, added.username))
        }
        Some(RegistryCommand::Set(args)) => {
            client.set_registry(&args.host, &account(args, out)?).await?;
            out.done(&format!("the pool pulls from {} as {} from now on", args.host, args.username))
        }
        Some(RegistryCommand::Rm(args)) => {
            let question = format!("Forget the account at {}?", args.host);
            args.confirm.ask(&question, WithoutTerminal::Refuse, out)?;
            client.delete_registry(&args.host).await?;
            out.done(&format!("forgot the account at {}", args.host))
        }
    }
}

async fn list(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let registries = client.registries().await?;
    if out.is_json() {
        return out.json(registries.json());
    }
    if registries.is_empty() {
        return out.text("The pool has no account at any registry. Give it one: pierhead registry add HOST");
    }
    let table = render::image::registries(&registries, out.width());
    out.text(&table)
}

fn account(args: &RegistrySetArgs, out: &mut Output) -> Result<RegistryChange, CliError> {
    let password = match &args.password_file {
        Some(path) => from_file(path)?,
        None => password(args.password_stdin, "--password-stdin", out)?,
    };
    Ok(RegistryChange { username: args.username.clone(), password })
}

fn from_file(path: &PathBuf) -> Result<String, CliError> {
    let unreadable = |source| CliError::ReadFile { path: path.clone(), source };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    match text.trim_end_matches(['\n', '\r']) {
        "" => Err(CliError::usage(format!("{} holds no password", path.display()), "write the password into it")),
        password => Ok(password.to_owned()),
    }
}
