//! `workspace`: environments that somebody works in.

use crate::exec::{ExecArgs, exec};
use crate::file::{WorkspaceCpArgs, WorkspaceFilesArgs, copy, files};
use crate::listing::ListArgs;
use crate::names;
use crate::output::{Confirm, WithoutTerminal};
use crate::preview::{WorkspacePreviewArgs, ports, preview};
use crate::terminal::GuestRole;
use crate::{CliError, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::{Answer, Change, Client, ClientError, Wait};
use pierhead_wire::{WorkspaceRequest, WorkspaceView};
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// How often it is asked how far a workspace is.
const PACE: Duration = Duration::from_millis(300);

/// `workspace` and its commands; nothing at all lists them.
#[derive(Debug, Clone, Args)]
pub struct WorkspaceArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<WorkspaceCommand>,
}

/// What can be done with workspaces.
#[derive(Debug, Clone, Subcommand)]
pub enum WorkspaceCommand {
    /// List workspaces: one's own, and those that one is a guest of
    #[command(visible_alias = "list")]
    Ls(WorkspaceLsArgs),
    /// Show one workspace: where it is, until when, who may come
    #[command(alias = "inspect")]
    Show(OneWorkspace),
    /// Open an environment, or a copy of a save, and wait until it is ready
    Open(WorkspaceOpenArgs),
    /// Run a program in a workspace, a shell if none is named
    Exec(WorkspaceExecArgs),
    /// Save a workspace and stop it
    Stop(WaitingArgs),
    /// Start a workspace where it was, or from a save
    Start(WorkspaceStartArgs),
    /// Save a workspace, which runs on
    Save(WorkspaceSaveArgs),
    /// Begin a workspace anew, from its environment; it is saved before
    Reset(WorkspaceResetArgs),
    /// Put off the end of a workspace
    Extend(WorkspaceExtendArgs),
    /// Let an account come to a workspace
    Share(WorkspaceShareArgs),
    /// Let an account not come any more
    Unshare(WorkspaceUnshareArgs),
    /// List the ports on which something listens in a workspace, and those that its environment declares
    Ports(OneWorkspace),
    /// Print the address at which a browser sees a port of a workspace; it is good once, for 30 s
    Preview(WorkspacePreviewArgs),
    /// List a folder of a workspace
    Files(WorkspaceFilesArgs),
    /// Copy files into a workspace or out of it
    Cp(WorkspaceCpArgs),
    /// Save a workspace and end it; its saves stay
    #[command(visible_alias = "end")]
    Rm(WorkspaceRmArgs),
}

/// A workspace.
#[derive(Debug, Clone, Args)]
pub struct OneWorkspace {
    /// Its id, or its name
    #[arg(value_name = "WORKSPACE", add = names::workspaces())]
    pub id: String,
}

/// What `workspace ls` takes.
#[derive(Debug, Clone, Default, Args)]
pub struct WorkspaceLsArgs {
    /// How many.
    #[command(flatten)]
    pub first: ListArgs,
    /// Those that have ended, too
    #[arg(long, short = 'a')]
    pub all: bool,
}

/// What `workspace open` takes.
#[derive(Debug, Clone, Args)]
pub struct WorkspaceOpenArgs {
    /// The environment
    #[arg(value_name = "ENVIRONMENT", required_unless_present = "save", add = names::environments())]
    pub environment: Option<String>,
    /// A save of which it is a copy, in place of an environment
    #[arg(long, value_name = "SAVE", conflicts_with = "environment")]
    pub save: Option<String>,
    /// What it is called
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// How long.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// How long a command waits.
#[derive(Debug, Clone, Default, Args)]
pub struct Waiting {
    /// Do not wait until it is done
    #[arg(long)]
    pub no_wait: bool,
    /// Give up waiting after so many seconds; it goes on
    #[arg(long, value_name = "SECONDS", default_value = "600")]
    pub wait: u64,
}

/// What `workspace stop` takes.
#[derive(Debug, Clone, Args)]
pub struct WaitingArgs {
    /// Which.
    #[command(flatten)]
    pub workspace: OneWorkspace,
    /// How long.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// What `workspace start` takes.
#[derive(Debug, Clone, Args)]
pub struct WorkspaceStartArgs {
    /// Which.
    #[command(flatten)]
    pub workspace: OneWorkspace,
    /// The save that it begins from [default: where it was]
    #[arg(long, value_name = "SAVE")]
    pub save: Option<String>,
    /// How long.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// What `workspace save` takes.
#[derive(Debug, Clone, Args)]
pub struct WorkspaceSaveArgs {
    /// Which.
    #[command(flatten)]
    pub workspace: OneWorkspace,
    /// What the save is called
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// How long.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// What `workspace reset` takes.
#[derive(Debug, Clone, Args)]
pub struct WorkspaceResetArgs {
    /// Which.
    #[command(flatten)]
    pub workspace: OneWorkspace,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
    /// How long.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// What `workspace extend` takes.
#[derive(Debug, Clone, Args)]
pub struct WorkspaceExtendArgs {
    /// Which.
    #[command(flatten)]
    pub workspace: OneWorkspace,
    /// By how many minutes
    #[arg(value_name = "MINUTES", default_value = "60")]
    pub minutes: u32,
}

/// What `workspace share` takes.
#[derive(Debug, Clone, Args)]
pub struct WorkspaceShareArgs {
    /// Which.
    #[command(flatten)]
    pub workspace: OneWorkspace,
    /// The account
    #[arg(value_name = "ACCOUNT", add = names::accounts())]
    pub account: String,
    /// As what they may come
    #[arg(long = "as", value_name = "ROLE", value_enum, default_value_t)]
    pub role: GuestRole,
}

/// What `workspace unshare` takes.
#[derive(Debug, Clone, Args)]
pub struct WorkspaceUnshareArgs {
    /// Which.
    #[command(flatten)]
    pub workspace: OneWorkspace,
    /// The account
    #[arg(value_name = "ACCOUNT", add = names::accounts())]
    pub account: String,
}

/// What `workspace rm` takes.
#[derive(Debug, Clone, Args)]
pub struct WorkspaceRmArgs {
    /// Which.
    #[command(flatten)]
    pub workspace: OneWorkspace,
    /// Let go what is in it, without saving it
    #[arg(long)]
    pub discard: bool,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
    /// How long.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// What `workspace exec` takes.
#[derive(Debug, Clone, Args)]
pub struct WorkspaceExecArgs {
    /// Which.
    #[command(flatten)]
    pub workspace: OneWorkspace,
    /// In which of its containers [default: the first]
    #[arg(long, short = 'c', value_name = "NAME")]
    pub container: Option<String>,
    /// Pass standard input on
    #[arg(long, short = 'i')]
    pub interactive: bool,
    /// With a terminal: keys as they are typed, sizes, colours
    #[arg(long, short = 't')]
    pub tty: bool,
    /// As whom it runs: a name or number, or user:group
    #[arg(long, short = 'u', value_name = "USER")]
    pub user: Option<String>,
    /// Program and its arguments [default: the best shell of the container]
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<String>,
}

/// Does one of them.
pub(crate) async fn workspace(args: &WorkspaceArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let Some(command) = &args.command else { return list(&WorkspaceLsArgs::default(), client, out).await };
    match command {
        WorkspaceCommand::Ls(args) => list(args, client, out).await,
        WorkspaceCommand::Show(args) => {
            let found = args.find(client).await?;
            if out.is_json() { out.json(found.json()) } else { out.text(&render::workspace::one(&found)) }
        }
        WorkspaceCommand::Open(args) => open(args, client, out).await,
        WorkspaceCommand::Exec(args) => run(args, client, out).await,
        WorkspaceCommand::Stop(args) => {
            let stopped = client.stop_workspace(&args.workspace.id(client).await?).await?;
            args.waiting.until(&["saved"], stopped, client, out).await
        }
        WorkspaceCommand::Start(args) => {
            let started = client.start_workspace(&args.workspace.id(client).await?, args.save.as_deref()).await?;
            args.waiting.until(&["ready", "idle"], started, client, out).await
        }
        WorkspaceCommand::Save(args) => save(args, client, out).await,
        WorkspaceCommand::Reset(args) => {
            let question = format!("Begin {} anew? What is in it is saved before.", args.workspace.id);
            args.confirm.ask(&question, WithoutTerminal::Refuse, out)?;
            let id = args.workspace.id(client).await?;
            let reset = client.reset_workspace(&id).await?;
            args.waiting.until(&["ready", "idle"], reset, client, out).await
        }
        WorkspaceCommand::Extend(args) => {
            let extended = client.extend_workspace(&args.workspace.id(client).await?, args.minutes).await?;
            let ends_at = extended.ends_at.clone().unwrap_or_default();
            if out.is_json() {
                return out.json(extended.json());
            }
            out.text(&format!("{} runs until {ends_at}", extended.id))
        }
        WorkspaceCommand::Share(args) => {
            let role = match args.role {
                GuestRole::Viewer => "viewer",
                GuestRole::Driver => "driver",
            };
            client.share_workspace(&args.workspace.id(client).await?, &args.account, role).await?;
            out.done(&format!("{} may come to {} as a {role}", args.account, args.workspace.id))
        }
        WorkspaceCommand::Unshare(args) => {
            client.unshare_workspace(&args.workspace.id(client).await?, &args.account).await?;
            out.done(&format!("{} may not come to {} any more", args.account, args.workspace.id))
        }
        WorkspaceCommand::Ports(workspace) => ports(workspace, client, out).await,
        WorkspaceCommand::Preview(args) => preview(args, client, out).await,
        WorkspaceCommand::Files(args) => files(args, client, out).await,
        WorkspaceCommand::Cp(args) => copy(args, client, out).await,
        WorkspaceCommand::Rm(args) => end(args, client, out).await,
    }
}

async fn list(args: &WorkspaceLsArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let workspaces = args.first.of(client).workspaces().await?;
    if out.is_json() {
        return out.json(workspaces.json());
    }
    let shown: Vec<WorkspaceView> =
        workspaces.into_value().into_iter().filter(|workspace| args.all || workspace.phase != "ended").collect();
    if shown.is_empty() {
        return out.text("No workspaces. Open one: pierhead workspace open ENVIRONMENT");
    }
    let table = render::workspace::list(&shown, out.now(), out.width());
    out.text(&table)
}

async fn open(args: &WorkspaceOpenArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let request =
        WorkspaceRequest { environment: args.environment.clone(), save: args.save.clone(), name: args.name.clone() };
    let opened = client.open_workspace(&request, &Change::new(Wait::UntilEnded)).await?;
    args.waiting.until(&["ready", "idle"], opened, client, out).await
}

async fn save(args: &WorkspaceSaveArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let before = args.workspace.find(client).await?;
    let asked = client.save_workspace(&before.id, args.name.as_deref()).await?;
    let (number, earlier) = (asked.saves_asked, asked.last_save.clone());
    // The newest save until this one is over: that of somebody else, which was under way, may end before it. And whether this
    // one had begun by then.
    let seen = RefCell::new((earlier.clone(), false));
    let is_done = |now: &WorkspaceView| {
        let has_begun = now.saves_taken >= number;
        let is_over = match now.phase.as_str() {
            "ended" => false,
            "saved" | "failed" => true,
            // Controllers of earlier versions tell no numbers.
            _ if number == 0 => {
                let has_failed = now.message != before.message && !now.message.is_empty();
                now.phase != "saving" && (now.last_save != earlier || has_failed)
            }
            // The next one may be under way already.
            "saving" => seen.borrow().1 && now.last_save != seen.borrow().0,
            _ => has_begun,
        };
        if !is_over {
            seen.replace((now.last_save.clone(), has_begun));
        }
        is_over
    };
    let now = args.waiting.wait_for(is_done, asked, client, out).await?;
    // Who stopped it meanwhile saved all.
    let until = if now.phase == "saved" { earlier } else { seen.take().0 };
    if out.is_json() {
        return out.json(now.json());
    }
    match &now.last_save {
        Some(save) if now.last_save != until => out.text(&format!("{} is saved as {save}", now.id)),
        _ if args.waiting.no_wait => out.text(&format!("{} is being saved", now.id)),
        _ => Err(CliError::Terminal(format!("{} could not be saved: {}", now.id, now.message))),
    }
}

async fn end(args: &WorkspaceRmArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let words = if args.discard { "What is in it is lost." } else { "What is in it is saved before." };
    args.confirm.ask(&format!("End {}? {words}", args.workspace.id), WithoutTerminal::Refuse, out)?;
    let id = args.workspace.id(client).await?;
    client.end_workspace(&id, args.discard).await?;
    let now = client.workspace(&id).await?;
    args.waiting.wait_for(|now| now.phase == "ended", now, client, out).await?;
    out.done(&format!("ended {id}"))
}

async fn run(args: &WorkspaceExecArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let found = args.workspace.find(client).await?.into_value();
    let wanted =
        found.containers.iter().find(|container| args.container.as_ref().is_none_or(|name| container.name == *name));
    let none = || match &args.container {
        Some(name) => CliError::NotFound(format!("{} has no container {name}", found.id)),
        None => CliError::NotFound(format!("{} has no container", found.id)),
    };
    let id = wanted.ok_or_else(none)?.id.clone();
    let asleep = || {
        CliError::Terminal(format!("{0} does not run, it is {1}: pierhead workspace start {0}", found.id, found.phase))
    };
    let exec_args = ExecArgs {
        target: id.ok_or_else(asleep)?,
        interactive: args.interactive,
        tty: args.tty,
        user: args.user.clone(),
        workdir: None,
        name: None,
        command: args.command.clone(),
    };
    exec(&exec_args, client, out).await
}

impl OneWorkspace {
    /// The workspace of an id, or of a name if only one that has not ended is called so.
    async fn find(&self, client: &Client) -> Result<Answer<WorkspaceView>, CliError> {
        let word = &self.id;
        match client.workspace(word).await {
            Err(ClientError::Refused { status: 404, .. }) => {}
            found => return Ok(found?),
        }
        let all = client.workspaces().await?.into_value();
        let called: Vec<&WorkspaceView> =
            all.iter().filter(|workspace| workspace.name == *word && workspace.phase != "ended").collect();
        match called.as_slice() {
            [one] => Ok(client.workspace(&one.id).await?),
            [] => Err(CliError::NotFound(format!("there is no workspace {word:?}"))),
            several => Err(CliError::usage(
                format!("{word:?} may be any of {} workspaces", several.len()),
                "give its id: pierhead workspace ls",
            )),
        }
    }

    pub(crate) async fn id(&self, client: &Client) -> Result<String, CliError> {
        Ok(self.find(client).await?.into_value().id)
    }
}

impl Waiting {
    /// Waits until a workspace is what it shall be, and shows it.
    async fn until(
        &self,
        phases: &[&str],
        asked: Answer<WorkspaceView>,
        client: &Client,
        out: &mut Output,
    ) -> Result<(), CliError> {
        let now = self.wait_for(|now| phases.contains(&now.phase.as_str()), asked, client, out).await?;
        if out.is_json() {
            return out.json(now.json());
        }
        out.text(&render::workspace::line(&now))
    }

    async fn wait_for(
        &self,
        is_done: impl Fn(&WorkspaceView) -> bool,
        asked: Answer<WorkspaceView>,
        client: &Client,
        out: &mut Output,
    ) -> Result<Answer<WorkspaceView>, CliError> {
        let (mut now, mut told) = (asked, String::new());
        let end = Instant::now() + Duration::from_secs(self.wait);
        while !self.no_wait && !is_done(&now) {
            let line = render::workspace::line(&now);
            if line != told && !out.is_json() {
                out.note(&line);
                told = line;
            }
            if now.phase == "ended" {
                return Err(CliError::Terminal(format!("{} has ended meanwhile", now.id)));
            }
            if Instant::now() >= end {
                let (id, phase) = (&now.id, &now.phase);
                let words = format!("{id} is {phase} after {} s; it goes on: pierhead workspace show {id}", self.wait);
                return Err(CliError::Terminal(words));
            }
            tokio::time::sleep(PACE).await;
            now = client.workspace(&now.id).await?;
        }
        Ok(now)
    }
}
