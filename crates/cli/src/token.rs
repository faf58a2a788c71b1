//! `token`: what programs log in with.

use crate::listing::ListArgs;
use crate::names;
use crate::output::{Confirm, WithoutTerminal};
use crate::{CliError, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::{Client, TokensOf};
use pierhead_wire::TokenRequest;

/// `token` and its commands; nothing at all lists one's own.
#[derive(Debug, Clone, Args)]
pub struct TokenArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<TokenCommand>,
}

/// What can be done with tokens.
#[derive(Debug, Clone, Subcommand)]
pub enum TokenCommand {
    /// List tokens: one's own, or as an administrator anybody's
    #[command(visible_alias = "list")]
    Ls(TokenLsArgs),
    /// Make a token for a program; it is printed this once
    Add(TokenAddArgs),
    /// Revoke a token: whoever uses it is logged out at once
    Rm(TokenRmArgs),
}

/// What `token ls` takes.
#[derive(Debug, Clone, Default, Args)]
pub struct TokenLsArgs {
    /// How many.
    #[command(flatten)]
    pub first: ListArgs,
    /// Those of this account
    #[arg(long, value_name = "NAME", conflicts_with = "all", add = names::accounts())]
    pub account: Option<String>,
    /// Those of all accounts
    #[arg(long)]
    pub all: bool,
}

/// What `token add` takes.
#[derive(Debug, Clone, Args)]
pub struct TokenAddArgs {
    /// What it is for
    pub name: String,
    /// How long it is good: 90m, 12h, 30d, or never [default: 30d]
    #[arg(long, value_name = "TIME")]
    pub expires_in: Option<String>,
}

/// What `token rm` takes.
#[derive(Debug, Clone, Args)]
pub struct TokenRmArgs {
    /// Its id, as 'token ls' shows it
    #[arg(add = names::tokens())]
    pub id: String,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
}

/// Does one of them.
pub(crate) async fn token(args: &TokenArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        None => list(&TokenLsArgs::default(), client, out).await,
        Some(TokenCommand::Ls(args)) => list(args, client, out).await,
        Some(TokenCommand::Add(args)) => add(args, client, out).await,
        Some(TokenCommand::Rm(args)) => remove(args, client, out).await,
    }
}

async fn list(args: &TokenLsArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let of = match &args.account {
        Some(name) => TokensOf::Account(name),
        None if args.all => TokensOf::Everybody,
        None => TokensOf::Me,
    };
    let tokens = args.first.of(client).tokens(of).await?;
    if out.is_json() {
        return out.json(tokens.json());
    }
    if tokens.is_empty() {
        return out.text("No tokens. Make one for a program: pierhead token add NAME --expires-in 90d");
    }
    let table = render::account::tokens(&tokens, out.width());
    out.text(&table)
}

async fn add(args: &TokenAddArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let request = TokenRequest { name: args.name.clone(), expires_in: args.expires_in.clone() };
    if let Err(invalid) = request.parse() {
        let message = invalid.message.replace("expires_in", "--expires-in");
        return Err(CliError::usage(message, "pierhead token add --help"));
    }
    let made = client.create_token(&request).await?;
    if out.is_json() {
        return out.json(made.json());
    }
    // Alone on standard output, so that a script can take it from there.
    out.text(&made.token)?;
    let end = made.expires_at.as_ref().map_or_else(|| "until it is revoked".to_owned(), |end| format!("until {end}"));
    out.note(&format!("this is shown only once; it is good {end}. Revoke it with: pierhead token rm {}", made.id));
    Ok(())
}

async fn remove(args: &TokenRmArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    args.confirm.ask(&format!("Revoke the token {}?", args.id), WithoutTerminal::Refuse, out)?;
    client.revoke_token(&args.id).await?;
    out.done(&format!("revoked {}", args.id))
}
