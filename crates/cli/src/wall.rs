//! `wall`: everybody whose work one may watch, who seems stuck first, and what is done for all of them. `hand`: who asks for
//! help.

use crate::top::Screen;
use crate::workspace::OneWorkspace;
use crate::{CliError, Output, names, render};
use clap::{Args, Subcommand};
use pierhead_client::{Change, Client, ClientError, Wait, WallOf};
use pierhead_wire::{HandView, MessageRequest, WallChangeRequest};
use std::time::Duration;
use tokio::time::sleep;

/// How often the wall is drawn anew.
const PACE: Duration = Duration::from_secs(2);

/// `wall` and its commands; nothing at all shows it.
#[derive(Debug, Clone, Args)]
pub struct WallArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<WallCommand>,
    /// Only workspaces of this environment
    #[arg(long, short = 'e', value_name = "ENVIRONMENT", global = true, add = names::environments())]
    pub environment: Option<String>,
    /// Only students of this course, at its labs
    #[arg(long, value_name = "COURSE", global = true, add = names::courses())]
    pub course: Option<String>,
    /// Only those who work at this lab
    #[arg(long, value_name = "LAB", global = true, add = names::labs())]
    pub lab: Option<String>,
    /// Print it once, as it is now, and end
    #[arg(long, short = '1')]
    pub once: bool,
}

/// What can be done for everybody.
#[derive(Debug, Clone, Subcommand)]
pub enum WallCommand {
    /// Tell all whom one leads something
    Tell {
        /// What they shall read
        #[arg(value_name = "TEXT")]
        text: String,
        /// A terminal of one's own, by its id, that all of them may look at
        #[arg(long, value_name = "TERMINAL")]
        terminal: Option<String>,
    },
    /// Put off the end of the workspaces of all whom one leads
    Extend {
        /// By how many minutes
        #[arg(long, value_name = "MINUTES", default_value_t = 30)]
        minutes: u32,
    },
    /// Save the workspaces of all whom one leads
    Save,
    /// Have the workspaces of all whom one leads stand still
    Pause,
    /// Let the workspaces of all whom one leads go on
    Resume,
    /// Save and stop the workspaces of all whom one leads
    Stop,
    /// Start the workspaces of all whom one leads
    Start,
}

/// `hand` and its commands; nothing at all shows the queue.
#[derive(Debug, Clone, Args)]
pub struct HandArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<HandCommand>,
}

/// What can be done with hands.
#[derive(Debug, Clone, Subcommand)]
pub enum HandCommand {
    /// Show the queue of raised hands
    #[command(visible_alias = "list")]
    Ls,
    /// Ask for help in a workspace
    Raise {
        /// Which.
        #[command(flatten)]
        workspace: OneWorkspace,
        /// What is asked
        #[arg(value_name = "QUESTION")]
        question: Option<String>,
    },
    /// Ask no longer, or answer
    Lower {
        /// The workspace, or who asks in it: as `hand ls` tells
        #[arg(value_name = "WORKSPACE", add = names::workspaces())]
        workspace: String,
    },
}

/// Shows the wall, or does something for everybody on it.
pub(crate) async fn wall(args: &WallArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let (change, minutes) = match &args.command {
        None => return show(args, client, out).await,
        Some(WallCommand::Tell { text, terminal }) => return tell(args, text, terminal.as_deref(), client, out).await,
        Some(WallCommand::Extend { minutes }) => ("extend", Some(*minutes)),
        Some(WallCommand::Save) => ("save", None),
        Some(WallCommand::Pause) => ("pause", None),
        Some(WallCommand::Resume) => ("resume", None),
        Some(WallCommand::Stop) => ("stop", None),
        Some(WallCommand::Start) => ("start", None),
    };
    let request = WallChangeRequest {
        change: change.to_owned(),
        minutes,
        environment: args.environment.clone(),
        course: args.course.clone(),
        lab: args.lab.clone(),
        workspaces: None,
    };
    let came = client.change_wall(&request, &Change::new(Wait::UntilEnded)).await?;
    if out.is_json() {
        return out.json(came.json());
    }
    let table = render::wall::outcomes(&came, out.width());
    out.text(&table)
}

async fn tell(
    args: &WallArgs,
    text: &str,
    terminal: Option<&str>,
    client: &Client,
    out: &mut Output,
) -> Result<(), CliError> {
    let request = MessageRequest {
        text: text.to_owned(),
        terminal: terminal.map(str::to_owned),
        environment: args.environment.clone(),
        course: args.course.clone(),
        lab: args.lab.clone(),
        workspaces: None,
    };
    let sent = client.send_message(&request, &Change::new(Wait::UntilEnded)).await?;
    if out.is_json() {
        return out.json(sent.json());
    }
    let people = sent.messages.first().and_then(|message| message.people).unwrap_or_default();
    out.text(&format!("Sent to {people}"))
}

async fn show(args: &WallArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let of =
        WallOf { environment: args.environment.as_deref(), course: args.course.as_deref(), lab: args.lab.as_deref() };
    let found = client.wall(&of).await?;
    if out.is_json() {
        return out.json(found.json());
    }
    if args.once || !out.terminals().stdout {
        let table = render::wall::people(&found, out.width());
        return out.text(&table);
    }
    out.stop_waiting();
    let (mut screen, mut last, mut note) = (Screen::default(), found, None);
    loop {
        let (width, _) = out.size();
        screen.draw(&render::wall::people(&last, width), note.as_deref(), out)?;
        sleep(PACE).await;
        match client.wall(&of).await {
            Ok(found) => (last, note) = (found, None),
            // Whoever looks wants to see what comes after a restart of the controller, too.
            Err(error @ ClientError::Unreachable { .. }) => note = Some(format!("{error}; trying again")),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Raises, lowers and lists hands.
pub(crate) async fn hand(args: &HandArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        None | Some(HandCommand::Ls) => {
            let hands = client.hands().await?;
            if out.is_json() {
                return out.json(hands.json());
            }
            if hands.hands.is_empty() {
                return out.text("No hand is up");
            }
            let table = render::wall::hands(&hands, out.width());
            out.text(&table)
        }
        Some(HandCommand::Raise { workspace, question }) => {
            let raised = client.raise_hand(&workspace.id(client).await?, question.as_deref()).await?;
            if out.is_json() { out.json(raised.json()) } else { out.text("The hand is up") }
        }
        Some(HandCommand::Lower { workspace }) => {
            let up = client.hands().await?;
            let id = match up.hands.iter().find(|hand| is_asked_for(hand, workspace)) {
                Some(hand) => hand.workspace.clone(),
                None => OneWorkspace { id: workspace.clone() }.id(client).await?,
            };
            client.lower_hand(&id).await?;
            if out.is_json() { out.json("{}") } else { out.text("The hand is down") }
        }
    }
}

/// Whether somebody who names a workspace or a person means this hand.
fn is_asked_for(hand: &HandView, named: &str) -> bool {
    [&hand.workspace, &hand.by, &hand.name].into_iter().any(|name| name == named)
}
