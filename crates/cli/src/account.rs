//! `account`: who may log in.

use crate::listing::ListArgs;
use crate::login::new_password;
use crate::names;
use crate::output::{Confirm, WithoutTerminal};
use crate::{CliError, Connection, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::Client;
use pierhead_wire::{AccountRequest, LinkRequest, PasswordChange, RoleView};

/// `account` and its commands; nothing at all lists them.
#[derive(Debug, Clone, Args)]
pub struct AccountArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<AccountCommand>,
}

/// What can be done with accounts.
#[derive(Debug, Clone, Subcommand)]
pub enum AccountCommand {
    /// List accounts
    #[command(visible_alias = "list")]
    Ls(ListArgs),
    /// Add an account; its password is asked for
    Add(AccountAddArgs),
    /// Delete an account
    Rm(AccountRmArgs),
    /// Change a password: one's own, or as an administrator anybody's
    Passwd(PasswdArgs),
    /// Give an account another role
    SetRole(SetRoleArgs),
    /// Let nobody log in with an account any more; what it owns stays
    Suspend {
        /// User name
        #[arg(value_name = "NAME", add = names::accounts())]
        username: String,
    },
    /// Let a suspended account in again
    Resume {
        /// User name
        #[arg(value_name = "NAME", add = names::accounts())]
        username: String,
    },
    /// Show what everybody's workspaces used
    Usage,
    /// Make a link with which somebody logs in once
    Link(AccountLinkArgs),
}

/// What `account set-role` takes.
#[derive(Debug, Clone, Args)]
pub struct SetRoleArgs {
    /// User name
    #[arg(value_name = "NAME", add = names::accounts())]
    pub username: String,
    /// Role: admin, user, teacher, assistant, student, or one that was made
    #[arg(add = names::roles())]
    pub role: String,
}

/// What `account link` takes.
#[derive(Debug, Clone, Args)]
pub struct AccountLinkArgs {
    /// User name
    #[arg(value_name = "NAME", add = names::accounts())]
    pub username: String,
    /// For how many minutes it is good
    #[arg(long, default_value_t = 60)]
    pub minutes: u32,
}

/// What `account add` takes.
#[derive(Debug, Clone, Args)]
pub struct AccountAddArgs {
    /// User name
    #[arg(value_name = "NAME", required_unless_present = "flag_name")]
    pub username: Option<String>,
    /// The same as a flag
    #[arg(long = "name", id = "flag_name", value_name = "NAME", conflicts_with = "username")]
    pub flag_name: Option<String>,
    /// Id [default: made up]
    #[arg(long)]
    pub id: Option<String>,
    /// Role: admin, user, teacher, assistant, student, or one that was made
    #[arg(long, default_value = "user", add = names::roles())]
    pub role: String,
    /// Take over the apps and uploaded images that a deleted account of this name left
    #[arg(long)]
    pub inherit: bool,
    /// Password; others on this machine may see it here
    #[arg(long, conflicts_with = "password_stdin")]
    pub password: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    pub password_stdin: bool,
}

/// What `account rm` takes.
#[derive(Debug, Clone, Args)]
pub struct AccountRmArgs {
    /// User name
    #[arg(value_name = "NAME", add = names::accounts())]
    pub username: String,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
}

/// What `account passwd` takes.
#[derive(Debug, Clone, Args)]
pub struct PasswdArgs {
    /// User name [default: the one that is logged in]
    #[arg(value_name = "NAME", add = names::accounts())]
    pub username: Option<String>,
    /// Read the new password from standard input
    #[arg(long)]
    pub password_stdin: bool,
}

/// Does one of them.
pub(crate) async fn account(args: &AccountArgs, connection: &Connection, out: &mut Output) -> Result<(), CliError> {
    let client = connection.open()?;
    match &args.command {
        None => list(&client, out).await,
        Some(AccountCommand::Ls(args)) => list(&args.of(&client), out).await,
        Some(AccountCommand::Add(args)) => add(args, &client, out).await,
        Some(AccountCommand::Rm(args)) => remove(args, WithoutTerminal::Refuse, &client, out).await,
        Some(AccountCommand::Passwd(args)) => {
            let me = connection.saved()?.map(|login| login.username);
            change_password(args, me, &client, out).await
        }
        Some(AccountCommand::SetRole(args)) => set_role(args, &client, out).await,
        Some(AccountCommand::Suspend { username }) => {
            client.suspend_account(username).await?;
            out.done(&format!("suspended {username}"))
        }
        Some(AccountCommand::Resume { username }) => {
            client.resume_account(username).await?;
            out.done(&format!("{username} can log in again"))
        }
        Some(AccountCommand::Usage) => crate::usage::of_all(&client, out).await,
        Some(AccountCommand::Link(args)) => {
            let link = client.account_link(&args.username, &LinkRequest { minutes: Some(args.minutes) }).await?;
            crate::course::tell_link(&link, &args.username, out)
        }
    }
}

/// Lists accounts.
pub(crate) async fn list(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let accounts = client.accounts().await?;
    if out.is_json() {
        return out.json(accounts.json());
    }
    let table = render::account::list(&accounts, out.width());
    out.text(&table)
}

/// Adds an account.
pub(crate) async fn add(args: &AccountAddArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let username = args.username.clone().or_else(|| args.flag_name.clone()).unwrap_or_default();
    let secret = match &args.password {
        Some(given) => given.clone(),
        None => new_password(args.password_stdin, "--password-stdin", out)?,
    };
    let account = AccountRequest {
        id: args.id.clone(),
        username: Some(username.clone()),
        password: Some(secret),
        role: Some(RoleView { name: args.role.clone() }),
        inherit: args.inherit.then_some(true),
        ..AccountRequest::default()
    };
    client.add_account(&account).await?;
    out.done(&format!("added {username} ({})", args.role))
}

/// Deletes an account.
pub(crate) async fn remove(
    args: &AccountRmArgs,
    without_terminal: WithoutTerminal,
    client: &Client,
    out: &mut Output,
) -> Result<(), CliError> {
    args.confirm.ask(&format!("Delete the account {}?", args.username), without_terminal, out)?;
    client.delete_account(&args.username).await?;
    out.done(&format!("deleted {}", args.username))?;
    if let Some(left) = left_by(&args.username, client).await.filter(|_| !out.is_json()) {
        out.note(&left);
    }
    Ok(())
}

/// What an account leaves, in words; nothing if it is nothing, or can't be told.
async fn left_by(username: &str, client: &Client) -> Option<String> {
    let apps = client.apps().await.ok()?.iter().filter(|app| app.owner == username).count();
    let images = client.images().await.ok()?;
    let sent = images.iter().filter_map(|image| image.archive.as_ref());
    let images = sent.filter(|archive| archive.uploaded_by == username).count();
    (apps + images > 0).then(|| {
        format!(
            "{username} leaves apps ({apps}), uploaded images ({images}) and volumes, if there are any; a new account of \
             this name is added with --inherit only, and gets them"
        )
    })
}

async fn change_password(
    args: &PasswdArgs,
    me: Option<String>,
    client: &Client,
    out: &mut Output,
) -> Result<(), CliError> {
    let Some(username) = args.username.clone().or(me) else {
        return Err(CliError::usage("whose password?", "pierhead account passwd NAME"));
    };
    let secret = new_password(args.password_stdin, "--password-stdin", out)?;
    client.change_password(&PasswordChange { username: username.clone(), password: secret, current: None }).await?;
    out.done(&format!("changed the password of {username}"))
}

async fn set_role(args: &SetRoleArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    client.set_account_role(&args.username, &args.role).await?;
    out.done(&format!("{} has the role {} now", args.username, args.role))
}
