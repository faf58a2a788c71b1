//! The commands as a tree.

use crate::Connection;
use crate::account::{AccountAddArgs, AccountArgs, AccountRmArgs};
use crate::app::AppArgs;
use crate::cluster::ClusterArgs;
use crate::completion::CompletionArgs;
use crate::container::{ContainerArgs, ContainerLsArgs, ContainerRmArgs, ContainerVerbArgs};
use crate::controller::ControllerArgs;
use crate::course::CourseArgs;
use crate::engine::{EngineAddArgs, EngineArgs, EngineRmArgs};
use crate::environment::EnvironmentArgs;
use crate::event::EventsArgs;
use crate::exec::{AttachArgs, ExecArgs};
use crate::explain::ExplainArgs;
use crate::help::{AFTER_HELP, HelpArgs};
use crate::image::ImageArgs;
use crate::lab::LabArgs;
use crate::login::LoginArgs;
use crate::logs::LogsArgs;
use crate::man::ManArgs;
use crate::operation::OperationArgs;
use crate::recording::RecordingArgs;
use crate::registry::RegistryArgs;
use crate::role::RoleArgs;
use crate::roster::RosterArgs;
use crate::run::RunArgs;
use crate::save::SaveArgs;
use crate::scale::ScaleArgs;
use crate::terminal::TerminalArgs;
use crate::token::TokenArgs;
use crate::top::TopArgs;
use crate::wall::{HandArgs, WallArgs};
use crate::work::{GradeArgs, SubmitArgs, WorkArgs};
use crate::workspace::WorkspaceArgs;
use clap::{ArgAction, Parser, Subcommand};

/// The command line of a program that is only a client.
#[derive(Debug, Parser)]
#[command(name = "pierhead", version, about = "Apps on plain Docker hosts", after_help = AFTER_HELP)]
#[command(disable_version_flag = true, disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Cli {
    /// Print the version
    #[arg(short = 'v', long, short_alias = 'V', action = ArgAction::Version, help_heading = None)]
    pub version: Option<bool>,
    /// Which controllers are asked.
    #[command(flatten)]
    pub connection: Connection,
    /// What is done.
    #[command(subcommand)]
    pub command: ClientCommand,
}

/// Every command that asks a controller.
#[derive(Debug, Clone, Subcommand)]
pub enum ClientCommand {
    /// Run containers of an image
    Run(Box<RunArgs>),
    /// Set how many containers of an app run
    Scale(ScaleArgs),
    /// Apps: what shall run, by name
    #[command(visible_alias = "apps")]
    App(AppArgs),
    /// Containers: list, show, start, stop, restart, destroy
    Container(ContainerArgs),
    /// Show what containers write
    #[command(alias = "log")]
    Logs(LogsArgs),
    /// Run a program in a container
    Exec(ExecArgs),
    /// Sit down at a terminal that somebody opened
    Attach(AttachArgs),
    /// Terminals in containers: list, share, record, end
    #[command(visible_alias = "terminals")]
    Terminal(TerminalArgs),
    /// Environments: what workspaces are made from
    #[command(visible_alias = "environments")]
    Environment(EnvironmentArgs),
    /// Workspaces: live environments, saved before every stop
    #[command(visible_alias = "workspaces")]
    Workspace(WorkspaceArgs),
    /// Show everybody whose work one may watch, who seems stuck first, live
    Wall(WallArgs),
    /// Raised hands: ask for help, see who asks, answer
    #[command(visible_alias = "hands")]
    Hand(HandArgs),
    /// Saves: the files of workspaces that were kept
    #[command(visible_alias = "saves")]
    Save(SaveArgs),
    /// Labs: documents that people work through; check, import, push, publish, start, test them
    #[command(visible_alias = "labs")]
    Lab(LabArgs),
    /// Courses: who gives and takes them, and their labs
    #[command(visible_alias = "courses")]
    Course(CourseArgs),
    /// The school's own list of people and courses
    Roster(RosterArgs),
    /// Hand in one's work at a lab of a course
    Submit(SubmitArgs),
    /// Work in courses: deadlines, extensions, what was handed in
    Work(WorkArgs),
    /// Grades: the gradebook, points and comments by hand, results
    #[command(visible_alias = "grades")]
    Grade(GradeArgs),
    /// Recordings of class work: whether yours may be kept, and those that are
    #[command(visible_alias = "recordings")]
    Recording(RecordingArgs),
    /// Show what hosts and containers use, live
    #[command(visible_alias = "stats")]
    Top(TopArgs),
    /// Say why something is where it is, or where it would be
    Explain(Box<ExplainArgs>),
    /// Engines: the Docker hosts of the pool
    Engine(EngineArgs),
    /// The pool as a whole
    Cluster(ClusterArgs),
    /// Controllers: those that keep the pool, and which of them leads
    #[command(visible_alias = "controllers")]
    Controller(ControllerArgs),
    /// Operations: changes that take time
    #[command(alias = "operations")]
    Operation(OperationArgs),
    /// What happened, newest first
    Events(EventsArgs),
    /// Images: send them in, see where they are, spread them
    #[command(visible_alias = "images")]
    Image(ImageArgs),
    /// Registries: the accounts that the pool pulls with
    #[command(visible_alias = "registries")]
    Registry(RegistryArgs),
    /// Accounts: who may log in
    Account(AccountArgs),
    /// Roles: what accounts may do
    #[command(visible_alias = "roles")]
    Role(RoleArgs),
    /// Tokens: what programs log in with
    #[command(visible_alias = "tokens")]
    Token(TokenArgs),
    /// Log in and keep the token
    Login(LoginArgs),
    /// Revoke the token and forget it
    Logout,
    /// Say who is logged in, where, what they may do, and until when
    Whoami,
    /// Print a script that completes commands, and names of what is in the pool
    Completion(CompletionArgs),
    /// Write manual pages
    Man(ManArgs),
    /// Print the version
    Version,
    /// Explain a command, or a topic: exit-codes, json, environment, short-names
    #[command(alias = "h")]
    Help(HelpArgs),
    /// The same as container ls
    #[command(hide = true)]
    Containers(ContainerLsArgs),
    /// The same as container rm
    #[command(hide = true)]
    Destroy(ContainerRmArgs),
    /// The same as container stop
    #[command(hide = true)]
    Stop(ContainerVerbArgs),
    /// The same as container start
    #[command(hide = true)]
    Start(ContainerVerbArgs),
    /// The same as container restart
    #[command(hide = true)]
    Restart(ContainerVerbArgs),
    /// The same as engine ls
    #[command(hide = true)]
    Engines,
    /// The same as engine add
    #[command(hide = true)]
    Eadd(Box<EngineAddArgs>),
    /// The same as engine rm
    #[command(hide = true)]
    Edelete(EngineRmArgs),
    /// The same as cluster info
    #[command(hide = true)]
    Clusterinfo,
    /// The same as account ls
    #[command(hide = true)]
    Accounts,
    /// The same as account add
    #[command(hide = true)]
    Aadd(AccountAddArgs),
    /// The same as account rm
    #[command(hide = true)]
    Adelete(AccountRmArgs),
}

#[cfg(test)]
mod tests;
