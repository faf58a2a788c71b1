//! What a command is about, so that advice fits it.

use crate::ClientCommand;

/// What a command is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Subject {
    /// An app.
    App,
    /// A container.
    Container,
    /// An app, or one of its containers.
    AppOrContainer,
    /// A host.
    Engine,
    /// An account.
    Account,
    /// A role.
    Role,
    /// A token.
    Token,
    /// An image.
    Image,
    /// The account at a registry.
    Registry,
    /// A change that takes time.
    Operation,
    /// A terminal.
    Terminal,
    /// What workspaces are made from.
    Environment,
    /// A workspace.
    Workspace,
    /// A save of one.
    Save,
    /// A lab.
    Lab,
    /// A course, and the work in it.
    Course,
    /// The log-in.
    Login,
    /// Anything else.
    #[default]
    Other,
}

impl Subject {
    pub(crate) fn of(command: &ClientCommand) -> Self {
        match command {
            ClientCommand::Run(_) | ClientCommand::App(_) => Self::App,
            ClientCommand::Scale(_) | ClientCommand::Logs(_) | ClientCommand::Exec(_) | ClientCommand::Explain(_) => {
                Self::AppOrContainer
            }
            ClientCommand::Attach(_) | ClientCommand::Terminal(_) => Self::Terminal,
            ClientCommand::Environment(_) => Self::Environment,
            ClientCommand::Workspace(_) | ClientCommand::Wall(_) | ClientCommand::Hand(_) => Self::Workspace,
            ClientCommand::Save(_) => Self::Save,
            ClientCommand::Lab(_) => Self::Lab,
            ClientCommand::Course(_)
            | ClientCommand::Roster(_)
            | ClientCommand::Submit(_)
            | ClientCommand::Work(_)
            | ClientCommand::Grade(_)
            | ClientCommand::Recording(_) => Self::Course,
            ClientCommand::Container(_)
            | ClientCommand::Containers(_)
            | ClientCommand::Destroy(_)
            | ClientCommand::Stop(_)
            | ClientCommand::Start(_)
            | ClientCommand::Restart(_) => Self::Container,
            ClientCommand::Top(args) if args.container.is_some() => Self::Container,
            ClientCommand::Top(_)
            | ClientCommand::Engine(_)
            | ClientCommand::Engines
            | ClientCommand::Eadd(_)
            | ClientCommand::Edelete(_)
            | ClientCommand::Cluster(_) => Self::Engine,
            ClientCommand::Account(_)
            | ClientCommand::Accounts
            | ClientCommand::Aadd(_)
            | ClientCommand::Adelete(_) => Self::Account,
            ClientCommand::Role(_) => Self::Role,
            ClientCommand::Token(_) => Self::Token,
            ClientCommand::Image(_) => Self::Image,
            ClientCommand::Registry(_) => Self::Registry,
            ClientCommand::Operation(_) => Self::Operation,
            ClientCommand::Login(_) => Self::Login,
            _ => Self::Other,
        }
    }

    /// The commands that list what there is of it.
    pub(crate) fn lists(self) -> &'static str {
        match self {
            Self::App => "pierhead app ls",
            Self::Container => "pierhead container ls --all",
            Self::AppOrContainer => "pierhead app ls, pierhead container ls --all",
            Self::Engine => "pierhead engine ls",
            Self::Account => "pierhead account ls",
            Self::Role => "pierhead role ls",
            Self::Token => "pierhead token ls",
            Self::Image => "pierhead image ls",
            Self::Registry => "pierhead registry ls",
            Self::Operation => "pierhead operation ls",
            Self::Terminal => "pierhead terminal ls --all",
            Self::Environment => "pierhead environment ls",
            Self::Workspace => "pierhead workspace ls, pierhead environment ls, pierhead save ls",
            Self::Save => "pierhead save ls",
            Self::Lab => "pierhead lab ls",
            Self::Course => "pierhead course ls, pierhead course students COURSE, pierhead work ls COURSE",
            Self::Login | Self::Other => "pierhead app ls, pierhead container ls --all, pierhead engine ls",
        }
    }

    /// What to do about one that is there already, or was changed meanwhile.
    pub(crate) fn if_it_exists(self) -> &'static str {
        match self {
            Self::App | Self::Container | Self::AppOrContainer => {
                "choose another name with --app, or change what is there: pierhead app set NAME IMAGE, pierhead scale NAME N"
            }
            Self::Engine => {
                "choose another id with --id, or remove the host that is there first: pierhead engine ls, pierhead engine rm ID"
            }
            Self::Account => {
                "choose another name, or change that account: pierhead account set-role NAME ROLE, pierhead account passwd NAME"
            }
            Self::Role => "choose another name, or change that role: pierhead role set NAME PERMISSION",
            Self::Token => "choose another name; what there is: pierhead token ls",
            Self::Image => "choose another tag; what there is: pierhead image ls",
            Self::Registry => "change the account that is there: pierhead registry set HOST --username NAME",
            Self::Operation => "look at what became of it: pierhead operation ls",
            Self::Terminal => "look at it: pierhead terminal show TERMINAL",
            Self::Environment => "choose another name, or change that environment: pierhead environment set NAME",
            Self::Workspace => "look at how it stands: pierhead workspace show WORKSPACE",
            Self::Lab => "look at what there is: pierhead lab ls, pierhead lab show LAB",
            Self::Course => "look at how it stands: pierhead course show COURSE, pierhead work ls COURSE",
            Self::Save => "look at what there is: pierhead save ls, pierhead environment ls, pierhead workspace ls",
            Self::Login | Self::Other => "look at what is there, and try again",
        }
    }
}
