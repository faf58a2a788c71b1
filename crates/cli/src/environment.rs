//! `environment`: what workspaces are made from.

use crate::listing::ListArgs;
use crate::names;
use crate::output::{Confirm, WithoutTerminal};
use crate::{CliError, Output, render};
use clap::{Args, Subcommand, ValueEnum};
use pierhead_client::Client;
use pierhead_wire::{EnvironmentChange, EnvironmentContainerDescription, EnvironmentDescription, EnvironmentRequest};
use std::io::Read;
use std::path::{Path, PathBuf};

/// `environment` and its commands; nothing at all lists them.
#[derive(Debug, Clone, Args)]
pub struct EnvironmentArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<EnvironmentCommand>,
}

/// What can be done with environments.
#[derive(Debug, Clone, Subcommand)]
pub enum EnvironmentCommand {
    /// List the environments that one may open
    #[command(visible_alias = "list")]
    Ls(ListArgs),
    /// Show one environment; with --json also in the form that create and set read
    #[command(alias = "inspect")]
    Show {
        /// Its name
        #[arg(value_name = "ENVIRONMENT", add = names::environments())]
        id: String,
    },
    /// Describe an environment: from a file, or of one image
    #[command(visible_alias = "add")]
    Create(EnvironmentCreateArgs),
    /// Change an environment: a new version, or who may open it
    Set(EnvironmentSetArgs),
    /// Forget an environment; its workspaces and saves stay
    Rm(EnvironmentRmArgs),
}

/// Who may open an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Visible {
    /// Its owner
    Private,
    /// Everybody
    Shared,
}

impl Visible {
    pub(crate) fn word(self) -> String {
        match self {
            Self::Private => "private",
            Self::Shared => "shared",
        }
        .to_owned()
    }
}

/// Where a description comes from.
#[derive(Debug, Clone, Default, Args)]
pub struct DescriptionArgs {
    /// File with the description, as JSON; - for standard input
    #[arg(long, short = 'f', value_name = "FILE", conflicts_with_all = ["image", "startup"])]
    pub file: Option<PathBuf>,
    /// Image of its only container
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// Script that is run at every start of its only container
    #[arg(long, value_name = "SCRIPT", requires = "image")]
    pub startup: Option<String>,
}

/// What `environment create` takes.
#[derive(Debug, Clone, Args)]
pub struct EnvironmentCreateArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Its description.
    #[command(flatten)]
    pub description: DescriptionArgs,
    /// Who may open it
    #[arg(long, value_enum, default_value = "private")]
    pub visibility: Visible,
}

/// What `environment set` takes.
#[derive(Debug, Clone, Args)]
pub struct EnvironmentSetArgs {
    /// Its name
    #[arg(value_name = "ENVIRONMENT", add = names::environments())]
    pub id: String,
    /// Its description.
    #[command(flatten)]
    pub description: DescriptionArgs,
    /// Who may open it
    #[arg(long, value_enum)]
    pub visibility: Option<Visible>,
}

/// What `environment rm` takes.
#[derive(Debug, Clone, Args)]
pub struct EnvironmentRmArgs {
    /// Its name
    #[arg(value_name = "ENVIRONMENT", add = names::environments())]
    pub id: String,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
}

/// Does one of them.
pub(crate) async fn environment(args: &EnvironmentArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        None => list(client, out).await,
        Some(EnvironmentCommand::Ls(args)) => list(&args.of(client), out).await,
        Some(EnvironmentCommand::Show { id }) => {
            let found = client.environment(id).await?;
            if out.is_json() { out.json(found.json()) } else { out.text(&render::workspace::environment(&found)) }
        }
        Some(EnvironmentCommand::Create(args)) => create(args, client, out).await,
        Some(EnvironmentCommand::Set(args)) => {
            let description = args.description.read(out)?;
            let change = EnvironmentChange { visibility: args.visibility.map(Visible::word), description };
            let changed = client.set_environment(&args.id, &change).await?;
            if out.is_json() {
                return out.json(changed.json());
            }
            out.text(&format!(
                "environment {} is of version {} and {}",
                changed.id, changed.version, changed.visibility
            ))
        }
        Some(EnvironmentCommand::Rm(args)) => {
            let question = format!("Forget the environment {}?", args.id);
            args.confirm.ask(&question, WithoutTerminal::Refuse, out)?;
            client.delete_environment(&args.id).await?;
            out.done(&format!("forgot the environment {}", args.id))
        }
    }
}

async fn list(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let environments = client.environments().await?;
    if out.is_json() {
        return out.json(environments.json());
    }
    if environments.is_empty() {
        return out.text("No environments. Describe one: pierhead environment create NAME --image IMAGE");
    }
    let table = render::workspace::environments(&environments, out.width());
    out.text(&table)
}

async fn create(args: &EnvironmentCreateArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    // Without any word about it, it is the default image.
    let one = || EnvironmentDescription {
        containers: vec![EnvironmentContainerDescription::default()],
        ..EnvironmentDescription::default()
    };
    let description = args.description.read(out)?.unwrap_or_else(one);
    let visibility = Some(args.visibility.word());
    let request = EnvironmentRequest { name: args.name.clone(), visibility, description };
    let added = client.add_environment(&request).await?;
    if out.is_json() {
        return out.json(added.json());
    }
    out.text(&format!("environment {} is there; open it: pierhead workspace open {}", added.id, added.id))
}

impl DescriptionArgs {
    /// The description, if any part of it is given.
    fn read(&self, out: &mut Output) -> Result<Option<EnvironmentDescription>, CliError> {
        if let Some(path) = &self.file {
            return parse(path, &text_of(path, out)?).map(Some);
        }
        let Some(image) = &self.image else { return Ok(None) };
        let container = EnvironmentContainerDescription {
            image: image.clone(),
            startup: self.startup.clone(),
            ..EnvironmentContainerDescription::default()
        };
        Ok(Some(EnvironmentDescription { containers: vec![container], ..EnvironmentDescription::default() }))
    }
}

fn text_of(path: &Path, out: &mut Output) -> Result<String, CliError> {
    let unreadable = |source| CliError::ReadFile { path: path.to_owned(), source };
    if path == Path::new("-") {
        let mut text = String::new();
        out.take_input().read_to_string(&mut text).map_err(unreadable)?;
        return Ok(text);
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

/// A description, or an environment as `environment show --json` prints it.
fn parse(path: &Path, text: &str) -> Result<EnvironmentDescription, CliError> {
    let refuse = |error: serde_json::Error| {
        let words = format!("{} is no description of an environment: {error}", path.display());
        CliError::usage(words, "it looks like what this prints: pierhead environment show NAME --json")
    };
    let value: serde_json::Value = serde_json::from_str(text).map_err(refuse)?;
    let description = value.get("description").unwrap_or(&value).clone();
    serde_json::from_value(description).map_err(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_a_description_or_what_show_printed() {
        let path = Path::new("env.json");
        let plain = r#"{"containers":[{"image":"alpine"}],"idle_minutes":5}"#;
        let shown = format!(r#"{{"id":"a","version":3,"description":{plain}}}"#);
        let parsed = parse(path, plain).unwrap();
        assert_eq!(parsed.idle_minutes, Some(5));
        assert_eq!(parse(path, &shown).unwrap(), parsed);
        for bad in ["", "[]", "{}", r#"{"containers":[],"colour":1}"#] {
            assert!(parse(path, bad).unwrap_err().to_string().starts_with("env.json is no description"), "{bad}");
        }
    }

    #[test]
    fn an_image_alone_is_a_description() {
        let (nothing, nowhere) = (Box::new(std::io::empty()), || Box::new(std::io::sink()));
        let mut out = Output::new(nowhere(), nowhere(), nothing, crate::Terminals::default());
        let args = DescriptionArgs { image: Some("alpine".to_owned()), startup: Some("true".to_owned()), file: None };
        let description = args.read(&mut out).unwrap().unwrap();
        assert_eq!(description.containers[0].startup.as_deref(), Some("true"));
        assert_eq!(DescriptionArgs::default().read(&mut out).unwrap(), None);
    }
}
