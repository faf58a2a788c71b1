//! `role`: what accounts may do.

use crate::listing::ListArgs;
use crate::names;
use crate::output::{Confirm, WithoutTerminal};
use crate::{CliError, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::Client;
use pierhead_wire::{PermissionsRequest, RoleRequest};

/// `role` and its commands; nothing at all lists them.
#[derive(Debug, Clone, Args)]
pub struct RoleArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<RoleCommand>,
}

/// What can be done with roles.
#[derive(Debug, Clone, Subcommand)]
pub enum RoleCommand {
    /// List roles; that of admin names every permission
    #[command(visible_alias = "list")]
    Ls(ListArgs),
    /// Show one role, a permission in a line
    #[command(alias = "inspect")]
    Show {
        /// Its name
        #[arg(add = names::roles())]
        name: String,
    },
    /// Make a role
    Add(RolePermissionsArgs),
    /// Change what a role may do
    Set(RolePermissionsArgs),
    /// Delete a role that nobody has
    Rm(RoleRmArgs),
}

/// What `role add` and `role set` take.
#[derive(Debug, Clone, Args)]
pub struct RolePermissionsArgs {
    /// Its name
    #[arg(add = names::roles())]
    pub name: String,
    /// What it may do, all of it: permissions as 'role ls' shows them
    #[arg(value_name = "PERMISSION", value_delimiter = ',', add = names::permissions())]
    pub permissions: Vec<String>,
}

/// What `role rm` takes.
#[derive(Debug, Clone, Args)]
pub struct RoleRmArgs {
    /// Its name
    #[arg(add = names::roles())]
    pub name: String,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
}

/// Does one of them.
pub(crate) async fn role(args: &RoleArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        None => list(client, out).await,
        Some(RoleCommand::Ls(args)) => list(&args.of(client), out).await,
        Some(RoleCommand::Show { name }) => {
            let role = client.role(name).await?;
            if out.is_json() {
                return out.json(role.json());
            }
            let shown = render::account::role(&role);
            out.text(&shown)
        }
        Some(RoleCommand::Add(args)) => {
            let role = RoleRequest { name: args.name.clone(), permissions: args.permissions.clone() };
            client.add_role(&role).await?;
            out.done(&format!("added the role {}", args.name))
        }
        Some(RoleCommand::Set(args)) => {
            client.set_role(&args.name, &PermissionsRequest { permissions: args.permissions.clone() }).await?;
            out.done(&format!("changed the role {}", args.name))
        }
        Some(RoleCommand::Rm(args)) => {
            args.confirm.ask(&format!("Delete the role {}?", args.name), WithoutTerminal::Refuse, out)?;
            client.delete_role(&args.name).await?;
            out.done(&format!("deleted the role {}", args.name))
        }
    }
}

async fn list(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let roles = client.roles().await?;
    if out.is_json() {
        return out.json(roles.json());
    }
    let table = render::account::roles(&roles, out.width());
    out.text(&table)
}
