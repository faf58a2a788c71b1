//! Labs of the pool: those that controllers keep.

use super::directory::Directory;
use super::folder_tar::FolderTar;
use super::unpack;
use crate::environment::Visible;
use crate::listing::ListArgs;
use crate::names;
use crate::output::{Confirm, WithoutTerminal};
use crate::{CliError, Output, render};
use clap::Args;
use pierhead_client::{Client, ClientError, LabBefore};
use pierhead_lab::{LAB_FILE, LabPath, Problems};
use pierhead_wire::{LabImagesView, LabRequest, LabSettings, LabView, PublishRequest};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Where a folder remembers which lab it is, and which draft it has seen.
const STATE: &str = ".pierhead-lab.json";

/// Which lab a folder is, and which draft it has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    lab: String,
    tree: String,
}

/// What `lab push` takes.
#[derive(Debug, Clone, Args)]
pub struct LabPushArgs {
    /// Folder of the lab
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Name of the lab [default: the one that the folder was pulled from or pushed to, else the folder's name]
    #[arg(long, value_name = "NAME", add = names::labs())]
    pub lab: Option<String>,
    /// Write over what others changed meanwhile
    #[arg(long)]
    pub force: bool,
    /// Publish it too
    #[arg(long)]
    pub publish: bool,
    /// What is new, for those who read the list of versions
    #[arg(long, value_name = "TEXT", default_value = "", requires = "publish")]
    pub note: String,
}

/// What `lab pull` takes.
#[derive(Debug, Clone, Args)]
pub struct LabPullArgs {
    /// Name of the lab
    #[arg(value_name = "LAB", add = names::labs())]
    pub lab: String,
    /// Folder to write, which must not be there yet [default: the name of the lab]
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Version: draft, newest or a number
    #[arg(long, value_name = "VERSION", default_value = "draft")]
    pub version: String,
}

/// What `lab publish` takes.
#[derive(Debug, Clone, Args)]
pub struct LabPublishArgs {
    /// Name of the lab
    #[arg(value_name = "LAB", add = names::labs())]
    pub lab: String,
    /// What is new, for those who read the list of versions
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub note: String,
}

/// What `lab diff` takes.
#[derive(Debug, Clone, Args)]
pub struct LabDiffArgs {
    /// Name of the lab
    #[arg(value_name = "LAB", add = names::labs())]
    pub lab: String,
    /// Version: draft, newest or a number [default: newest]
    #[arg(value_name = "FROM")]
    pub from: Option<String>,
    /// Version: draft, newest or a number [default: draft]
    #[arg(value_name = "TO")]
    pub to: Option<String>,
}

/// What `lab set` takes.
#[derive(Debug, Clone, Args)]
pub struct LabSetArgs {
    /// Name of the lab
    #[arg(value_name = "LAB", add = names::labs())]
    pub lab: String,
    /// Who may see what is published
    #[arg(long, value_enum)]
    pub visibility: Option<Visible>,
    /// Account that may write it beside its owner, in place of those who might; may be given several times, or as ''
    #[arg(long = "author", value_name = "ACCOUNT")]
    pub authors: Vec<String>,
    /// Account whose it is from now on
    #[arg(long, value_name = "ACCOUNT")]
    pub owner: Option<String>,
}

/// What `lab rm` takes.
#[derive(Debug, Clone, Args)]
pub struct LabRmArgs {
    /// Name of the lab
    #[arg(value_name = "LAB", add = names::labs())]
    pub lab: String,
    /// Forget only this version
    #[arg(long, value_name = "NUMBER")]
    pub version: Option<u32>,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
}

pub(super) async fn list(args: &ListArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let labs = args.of(client).labs().await?;
    if out.is_json() {
        return out.json(labs.json());
    }
    if labs.is_empty() {
        return out.text("No labs. Make one of a folder: pierhead lab push DIR");
    }
    let table = render::labs::list(&labs, out.width());
    out.text(&table)
}

pub(super) async fn show(id: &str, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let lab = client.lab(id).await?;
    if out.is_json() {
        return out.json(lab.json());
    }
    let outline = client.lab_outline(id, None).await?;
    let text = render::labs::one(&lab, &outline, out.width());
    out.text(&text)
}

pub(super) async fn push(args: &LabPushArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let mut problems = Problems::default();
    let opened = Directory::open(&args.dir, &LabPath::root(), &mut problems)?;
    let folder = opened.map_err(|error| CliError::usage(error.to_string(), "leave out what is no part of the lab"))?;
    let problems = problems.into_list();
    if let Some(first) = problems.first() {
        return Err(CliError::usage(first.to_string(), "a lab holds plain files and folders"));
    }
    if !folder.has(LAB_FILE) {
        let message = format!("{} has no {LAB_FILE}", args.dir.display());
        return Err(CliError::usage(message, "a lab of another platform: pierhead lab import DIR OUT, then push OUT"));
    }
    let state = state(&args.dir)?;
    let id = lab_name(args, state.as_ref())?;
    let known = state.filter(|state| state.lab == id).map(|state| state.tree);
    let (seen, is_new) = match client.lab(&id).await {
        Ok(lab) => (lab.draft.as_ref().map(|draft| draft.tree.clone()), false),
        Err(ClientError::Refused { status: 404, .. }) => {
            let made = client.add_lab(&LabRequest { id: id.clone(), title: None, visibility: None }).await?;
            (made.draft.as_ref().map(|draft| draft.tree.clone()), true)
        }
        Err(error) => return Err(error.into()),
    };
    let before = match (args.force, is_new, &known, &seen) {
        (true, ..) => LabBefore::Any,
        (false, true, _, Some(seen)) => LabBefore::Digest(seen),
        (false, _, Some(known), _) => LabBefore::Digest(known),
        _ => {
            let message = format!("lab {id} is there already, and this folder was never pulled from it");
            return Err(CliError::usage(message, "pull it first, or write over its draft with --force"));
        }
    };
    let source = FolderTar::of(&folder, |path| path.as_str() != STATE);
    let pushed = client.replace_lab_draft(&id, before, source, |_| ()).await?;
    remember(&args.dir, &pushed)?;
    if args.publish {
        return publish(&id, &args.note, pushed.draft.as_ref().map(|draft| draft.revision), client, out).await;
    }
    if out.is_json() {
        return out.json(pushed.json());
    }
    let revision = pushed.draft.as_ref().map_or(0, |draft| draft.revision);
    out.text(&format!("pushed lab {id}, revision {revision}: {}", pushed.title))
}

/// The name of the lab that a folder is.
fn lab_name(args: &LabPushArgs, state: Option<&State>) -> Result<String, CliError> {
    if let Some(name) = args.lab.clone().or_else(|| state.map(|state| state.lab.clone())) {
        return Ok(name);
    }
    let whole = args.dir.canonicalize();
    let whole = whole.map_err(|source| CliError::ReadFile { path: args.dir.clone(), source })?;
    let name = whole.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match pierhead_model::LabId::parse(name) {
        Ok(id) => Ok(id.to_string()),
        Err(error) => {
            Err(CliError::usage(format!("the folder's name is no name of a lab: {error}"), "name it: --lab NAME"))
        }
    }
}

fn state(dir: &Path) -> Result<Option<State>, CliError> {
    let path = dir.join(STATE);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(CliError::ReadFile { path, source }),
    };
    // One that can't be read says nothing.
    Ok(serde_json::from_slice(&text).ok())
}

fn remember(dir: &Path, lab: &LabView) -> Result<(), CliError> {
    let Some(draft) = &lab.draft else { return Ok(()) };
    let path = dir.join(STATE);
    let state = State { lab: lab.id.clone(), tree: draft.tree.clone() };
    let text = serde_json::to_string(&state).unwrap_or_default() + "\n";
    std::fs::write(&path, text).map_err(|source| CliError::WriteFile { path, source })
}

pub(super) async fn pull(args: &LabPullArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(&args.lab));
    super::target::must_be_free(&dir)?;
    // Asked first: what changes after it is refused by the next push, and not written over.
    let lab = client.lab(&args.lab).await?;
    let stream = client.lab_archive(&args.lab, &args.version).await?;
    let count = unpack::unpack(stream, &dir).await?;
    if args.version == "draft" {
        remember(&dir, &lab)?;
    }
    if out.is_json() {
        return out.json(&serde_json::json!({ "lab": args.lab, "dir": dir, "files": count }).to_string());
    }
    out.text(&format!("wrote {count} files to {}", dir.display()))
}

pub(super) async fn publish(
    id: &str,
    note: &str,
    revision: Option<u64>,
    client: &Client,
    out: &mut Output,
) -> Result<(), CliError> {
    let lab = client.publish_lab(id, &PublishRequest { note: note.to_owned(), revision }).await?;
    if out.is_json() {
        return out.json(lab.json());
    }
    let version = lab.versions.last().map_or(0, |version| version.number);
    out.text(&format!("lab {id} is published as version {version}: {}", lab.title))
}

pub(super) async fn diff(args: &LabDiffArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let diff = client.lab_diff(&args.lab, args.from.as_deref(), args.to.as_deref()).await?;
    if out.is_json() {
        return out.json(diff.json());
    }
    if diff.files.is_empty() {
        return out.text("nothing differs");
    }
    out.text(&render::labs::diff(&diff))
}

pub(super) async fn set(args: &LabSetArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let authors = args.authors.iter().filter(|author| !author.is_empty()).cloned().collect();
    let settings = LabSettings {
        visibility: args.visibility.map(Visible::word),
        authors: (!args.authors.is_empty()).then_some(authors),
        owner: args.owner.clone(),
    };
    if settings == LabSettings::default() {
        return Err(CliError::usage("nothing to change", "give --visibility, --author or --owner"));
    }
    let lab = client.set_lab(&args.lab, &settings).await?;
    if out.is_json() {
        return out.json(lab.json());
    }
    let authors =
        if lab.authors.is_empty() { String::new() } else { format!(", also written by {}", lab.authors.join(", ")) };
    out.text(&format!("lab {} of {} is {}{authors}", lab.id, lab.owner, lab.visibility))
}

pub(super) async fn history(id: &str, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let history = client.lab_history(id).await?;
    if out.is_json() {
        return out.json(history.json());
    }
    let table = render::labs::history(&history, out.width());
    out.text(&table)
}

pub(super) async fn restore(id: &str, revision: u64, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let lab = client.restore_lab_draft(id, revision).await?;
    if out.is_json() {
        return out.json(lab.json());
    }
    let now = lab.draft.as_ref().map_or(0, |draft| draft.revision);
    out.text(&format!("the draft of lab {id} is as it was in revision {revision}; it is revision {now} now"))
}

pub(super) async fn open(id: &str, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let workspace = client.open_lab_workspace(id).await?;
    if out.is_json() {
        return out.json(workspace.json());
    }
    let text =
        format!("workspace {} is {}; go in: pierhead workspace exec {}", workspace.id, workspace.phase, workspace.id);
    out.text(&text)
}

pub(super) async fn images(file: Option<&Path>, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let table = match file {
        None => client.lab_images().await?,
        Some(file) => {
            let text = std::fs::read(file).map_err(|source| CliError::ReadFile { path: file.to_owned(), source })?;
            let table: LabImagesView = serde_json::from_slice(&text).map_err(|error| {
                let hint = r#"it looks like {"images": {"ubuntu": {"image": "ubuntu:24.04"}}, "otherwise": {"environment": "shell"}}"#;
                CliError::usage(format!("{} is no table of images: {error}", file.display()), hint)
            })?;
            client.set_lab_images(&table).await?
        }
    };
    if out.is_json() {
        return out.json(table.json());
    }
    let text = render::labs::images(&table, out.width());
    out.text(&text)
}

pub(super) async fn remove(args: &LabRmArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let what = match args.version {
        Some(number) => format!("version {number} of the lab {}", args.lab),
        None => format!("the lab {} with all its versions", args.lab),
    };
    args.confirm.ask(&format!("Forget {what}?"), WithoutTerminal::Refuse, out)?;
    match args.version {
        Some(number) => client.delete_lab_version(&args.lab, number).await?,
        None => client.delete_lab(&args.lab).await?,
    }
    out.done(&format!("forgot {what}"))
}
