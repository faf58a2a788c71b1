//! `workspace files` and `workspace cp`: what is in a workspace's folders, and files in both directions.

mod local;

use crate::workspace::OneWorkspace;
use crate::{CliError, Output, render};
use clap::Args;
use local::{Unpacked, copies_of, receive, unpack};
use pierhead_client::{Client, ClientError, FileAt};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What stands for standard input or output.
const STREAM: &str = "-";

/// What `workspace files` takes.
#[derive(Debug, Clone, Args)]
pub struct WorkspaceFilesArgs {
    /// Which.
    #[command(flatten)]
    pub workspace: OneWorkspace,
    /// The folder; % is written %25, and a byte that is no UTF-8 % and its two hexadecimal digits
    #[arg(value_name = "PATH", default_value = "/")]
    pub path: String,
    /// In which of its containers [default: the first]
    #[arg(long, short = 'c', value_name = "NAME")]
    pub container: Option<String>,
}

/// What `workspace cp` takes.
#[derive(Debug, Clone, Args)]
pub struct WorkspaceCpArgs {
    /// What is copied: a path here, or WORKSPACE:/PATH; - for standard input
    #[arg(value_name = "FROM")]
    pub from: String,
    /// Where to: WORKSPACE:/PATH, or a path here; - for standard output
    #[arg(value_name = "TO")]
    pub to: String,
    /// Folders too, with all that is in them
    #[arg(long, short = 'r')]
    pub recursive: bool,
    /// In which of the workspace's containers [default: the first]
    #[arg(long, short = 'c', value_name = "NAME")]
    pub container: Option<String>,
}

/// A place in a workspace.
struct Far {
    workspace: String,
    container: Option<String>,
    path: String,
}

impl Far {
    fn at(&self) -> FileAt<'_> {
        FileAt { workspace: &self.workspace, container: self.container.as_deref(), path: &self.path }
    }

    fn with(&self, path: String) -> Self {
        Self { workspace: self.workspace.clone(), container: self.container.clone(), path }
    }

    /// What is called so in this folder.
    fn join(&self, name: &str) -> Self {
        self.with(format!("{}/{name}", self.path.trim_end_matches('/')))
    }

    /// The last part of its path.
    fn name(&self) -> &str {
        self.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }
}

/// Lists a folder.
pub(crate) async fn files(args: &WorkspaceFilesArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let workspace = args.workspace.id(client).await?;
    let at = FileAt { workspace: &workspace, container: args.container.as_deref(), path: &args.path };
    let folder = client.list_files(at).await?;
    if out.is_json() {
        return out.json(folder.json());
    }
    if folder.entries.is_empty() {
        return out.text("Nothing is in it");
    }
    let table = render::file::files(&folder.entries, out.width(), out.now());
    out.text(&table)?;
    if folder.has_more {
        out.note(&format!("there are more than these {}", folder.entries.len()));
    }
    Ok(())
}

/// Copies files in one of both directions.
pub(crate) async fn copy(args: &WorkspaceCpArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let far = async |word: &str| -> Result<Option<Far>, CliError> {
        let Some((id, path)) = word.split_once(':').filter(|(id, _)| !id.contains(['/', '.'])) else { return Ok(None) };
        let workspace = OneWorkspace { id: id.to_owned() }.id(client).await?;
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        Ok(Some(Far { workspace, container: args.container.clone(), path }))
    };
    let hint = "pierhead workspace cp FILE WORKSPACE:/PATH, or WORKSPACE:/PATH FILE";
    match (far(&args.from).await?, far(&args.to).await?) {
        (None, Some(to)) => send(Path::new(&args.from), &to, args.recursive, client, out).await,
        (Some(from), None) => fetch(&from, Path::new(&args.to), args.recursive, client, out).await,
        (None, None) => Err(CliError::usage("neither of both is in a workspace", hint)),
        (Some(_), Some(_)) => Err(CliError::usage("both are in workspaces; one must be here", hint)),
    }
}

async fn send(from: &Path, to: &Far, recursive: bool, client: &Client, out: &mut Output) -> Result<(), CliError> {
    if from == Path::new(STREAM) {
        let input = out.take_input();
        return told(client.write_file(to.at(), None, input, None, |_| {}).await?.json(), &to.path, out);
    }
    let unreadable = |source| CliError::ReadFile { path: from.to_owned(), source };
    let about = fs::metadata(from).map_err(unreadable)?;
    let name = from.canonicalize().map_err(unreadable)?.file_name().map(local::encoded).unwrap_or_default();
    let to = if is_folder(to, client).await? { to.join(&name) } else { to.with(to.path.clone()) };
    if !about.is_dir() {
        return told(&send_file(from, &to, client).await?, &to.path, out);
    }
    if !recursive {
        return Err(CliError::usage(format!("{} is a folder", from.display()), "pierhead workspace cp -r copies it"));
    }
    client.make_folder(to.at(), true).await?;
    let copies = copies_of(from).map_err(unreadable)?;
    for left_out in &copies.left_out {
        out.note(&format!("left out, since it is no file or folder: {}", left_out.display()));
    }
    for (folder, path) in &copies.folders {
        let at = to.join(path);
        client.make_folder(at.at(), true).await.map_err(|error| of_file(error, folder))?;
    }
    for (file, path) in &copies.files {
        send_file(file, &to.join(path), client).await?;
    }
    out.done(&format!("copied {} files to {}", copies.files.len(), to.path))
}

async fn send_file(from: &Path, to: &Far, client: &Client) -> Result<String, CliError> {
    let unreadable = |source| CliError::ReadFile { path: from.to_owned(), source };
    let file = File::open(from).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    // A pipe that has a name has no size.
    let size = about.is_file().then_some(about.len());
    let source: Box<dyn Read + Send> = Box::new(file);
    let sent = client.write_file(to.at(), local::mode(&about), source, size, |_| {}).await;
    Ok(sent.map_err(|error| of_file(error, from))?.json().to_owned())
}

fn of_file(error: ClientError, path: &Path) -> CliError {
    match error {
        ClientError::Refused { status, mut body } => {
            body.message = format!("{}: {}", path.display(), body.message);
            ClientError::Refused { status, body }.into()
        }
        error => error.into(),
    }
}

fn told(json: &str, path: &str, out: &mut Output) -> Result<(), CliError> {
    if out.is_json() { out.json(json) } else { out.done(&format!("copied to {path}")) }
}

/// Whether something shall be copied into it, not to it.
async fn is_folder(to: &Far, client: &Client) -> Result<bool, CliError> {
    if to.path.ends_with('/') {
        return Ok(true);
    }
    match client.list_files(to.at()).await {
        Ok(_) => Ok(true),
        Err(ClientError::Refused { body, .. }) if ["no_such_file", "not_a_folder"].contains(&body.code.as_str()) => {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

async fn fetch(from: &Far, to: &Path, recursive: bool, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let to_folder = |name: &str| if to.is_dir() { to.join(local::decoded(name)) } else { to.to_owned() };
    if recursive {
        let name = if from.name().is_empty() { "files" } else { from.name() };
        let to = to_folder(name);
        let stream = client.read_file(from.at(), Some("tar")).await?;
        let Unpacked { files, left_out } = unpack(stream, to.clone()).await?;
        for link in left_out {
            out.note(&format!("left out, since it leads out of the folder or is no file: {link}"));
        }
        return out.done(&format!("copied {files} files to {}", to.display()));
    }
    let mut stream = client.read_file(from.at(), None).await?;
    if to == Path::new(STREAM) {
        while let Some(bytes) = stream.next().await? {
            out.bytes(&bytes)?;
        }
        return Ok(());
    }
    let to: PathBuf = to_folder(from.name());
    receive(stream, &to).await?;
    out.done(&format!("copied to {}", to.display()))
}
