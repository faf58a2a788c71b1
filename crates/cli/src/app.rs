//! `app`: desired state by name.

use crate::description::DescriptionArgs;
use crate::flags::parse_size;
use crate::follow::{ChangeArgs, Finished};
use crate::listing::ListArgs;
use crate::names;
use crate::output::{Confirm, WithoutTerminal};
use crate::several::each;
use crate::{CliError, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::Client;
use pierhead_wire::AppChange;

/// `app` and its commands; a name alone shows that app, nothing at all lists them.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AppArgs {
    /// App to show
    #[arg(value_name = "NAME", add = names::apps())]
    pub name: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<AppCommand>,
}

/// What can be done with apps.
#[derive(Debug, Clone, Subcommand)]
pub enum AppCommand {
    /// List apps
    #[command(visible_alias = "list")]
    Ls(ListArgs),
    /// Show an app and its slots
    #[command(alias = "inspect")]
    Show {
        /// Its name
        #[arg(add = names::apps())]
        name: String,
    },
    /// Make an app, or replace its description: its containers are replaced one by one
    Set(Box<AppSetArgs>),
    /// Set how many containers of an app run
    Scale(AppScaleArgs),
    /// Delete an app and destroy its containers
    #[command(alias = "destroy")]
    Rm(AppRmArgs),
    /// Say why its containers are where they are
    Explain {
        /// Its name
        #[arg(add = names::apps())]
        name: String,
    },
}

/// What `app set` takes.
#[derive(Debug, Clone, Args)]
pub struct AppSetArgs {
    /// Its name
    #[arg(add = names::apps())]
    pub name: String,
    /// Its image
    pub image: String,
    /// How many run [default: as many as before, or 1]
    #[arg(long, short = 'n', value_name = "N", value_parser = parse_size, allow_negative_numbers = true)]
    pub count: Option<u32>,
    /// The rest of the description.
    #[command(flatten)]
    pub description: DescriptionArgs,
    /// How it is waited for.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// What `app scale` takes.
#[derive(Debug, Clone, Args)]
pub struct AppScaleArgs {
    /// Its name
    #[arg(add = names::apps())]
    pub name: String,
    /// How many shall run
    #[arg(value_name = "N", value_parser = parse_size, allow_negative_numbers = true)]
    pub count: u32,
    /// How it is waited for.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// What `app rm` takes.
#[derive(Debug, Clone, Args)]
pub struct AppRmArgs {
    /// Names, one after another
    #[arg(required = true, value_name = "NAME", add = names::apps())]
    pub names: Vec<String>,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
    /// How it is waited for.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Does one of them.
pub(crate) async fn app(args: &AppArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match (&args.command, &args.name) {
        (Some(AppCommand::Ls(args)), _) => list(&args.of(client), out).await,
        (None, None) => list(client, out).await,
        (Some(AppCommand::Show { name }), _) | (None, Some(name)) => show(name, client, out).await,
        (Some(AppCommand::Set(args)), _) => set(args, client, out).await,
        (Some(AppCommand::Scale(args)), _) => scale(args, client, out).await,
        (Some(AppCommand::Rm(args)), _) => remove(args, client, out).await,
        (Some(AppCommand::Explain { name }), _) => crate::explain::print(&client.explain_app(name).await?, out),
    }
}

async fn list(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let apps = client.apps().await?;
    if out.is_json() {
        return out.json(apps.json());
    }
    if apps.is_empty() {
        return out.text("No apps yet. Try: pierhead run IMAGE --app NAME --count 3");
    }
    let table = render::app::list(&apps, out.now(), out.width());
    out.text(&table)
}

async fn show(name: &str, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let app = client.app(name).await?;
    if out.is_json() {
        return out.json(app.json());
    }
    let text = render::app::one(&app, out.width());
    out.text(&text)
}

async fn set(args: &AppSetArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let wanted = AppChange { image: args.description.describe(&args.image), replicas: args.count };
    let started = client.set_app(&args.name, &wanted, &ChangeArgs::begin()).await?;
    match args.change.finish(client, started, "running", out).await? {
        Finished::Detached => Ok(()),
        Finished::Answered { answer, .. } if out.is_json() => out.json(answer.json()),
        Finished::Answered { .. } | Finished::Followed(_) => show(&args.name, client, out).await,
    }
}

async fn scale(args: &AppScaleArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let started = client.scale_app(&args.name, args.count, &ChangeArgs::begin()).await?;
    let done = format!("scaled {} to {}", args.name, args.count);
    args.change.conclude(client, started, "as wanted", &done, out).await
}

async fn remove(args: &AppRmArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let question = format!("Delete {} and destroy all containers of it?", args.names.join(", "));
    args.confirm.ask(&question, WithoutTerminal::Refuse, out)?;
    each(&args.names, out, async |name, out| {
        let started = client.delete_app(name, &ChangeArgs::begin()).await?;
        args.change.conclude(client, started, "gone", &format!("deleted {name}"), out).await
    })
    .await
}
