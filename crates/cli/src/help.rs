//! `help`: a command, or a topic that concerns them all.

use crate::dispatch::Definition;
use crate::{CliError, Output};
use clap::Args;

/// What stands below the list of commands in the help.
pub const AFTER_HELP: &str = "\
Exit codes:
  0    done
  1    refused or failed
  2    wrong usage
  3    not found
  4    no room, or in conflict with what is there
  5    not logged in, or not allowed
  6    unreachable, or timed out
  130  interrupted by Ctrl-C

Commands that destroy ask at a terminal; scripts say --yes.
With --json the server's answer is printed; errors always go to standard error.
More: pierhead help COMMAND, and pierhead help exit-codes, json, environment or short-names";

const EXIT_CODES: &str = "\
Every command ends with one of these:

  0    done; also when the reader of the output went away, as head does
  1    the controller refused, or what was begun failed: the message says why
  2    the command line is wrong; nothing was asked of a controller
  3    something that was named is not there: an app, a container, an image, ...
  4    no host has room for it, or it is in conflict with what is there
  5    not logged in, not allowed, or the controller's certificate is not trusted
  6    no controller answers, or it took longer than it may; a change may still go on,
       and 'pierhead operation ls' tells
  130  interrupted by Ctrl-C; a change that was begun goes on

A command that names several things does all that it can. If some fail it ends with the code of the first that did.";

const JSON: &str = "\
With --json commands print JSON on standard output: one document for each answer. Only what is a text or a script of its
own stays as it is: logs, completion, man.

  lists       an array, also if it is empty
  one thing   an object
  a change    what came of it; or, where that is nothing, what was done:
              {\"done\": \"removed rack-1\"}
  run         an array of the containers
  several     a command that names several things prints a document for each
  streams     'events --follow' prints one object on each line, and 'top' one each second

Errors are one object on one line of standard error: code (for programs), message (for people), exit_code, and field,
hint, operation and subject where there is one. A remark that is no error is an object with 'note'.
The server's fields are printed as they came, also those that this version does not know.";

const ENVIRONMENT: &str = "\
  PIERHEAD_URL         controllers, a comma list, as --url
  PIERHEAD_TOKEN       the token to use, as --token; it is not saved
  PIERHEAD_CA_FILE     authorities of the controllers' certificates, as --ca-file
  PIERHEAD_CONFIG_DIR  folder of the saved log-in, as --config-dir
  XDG_CONFIG_HOME      its parent folder if --config-dir is not given [default: ~/.config]

A flag counts more than a variable, and a variable more than what 'pierhead login' saved. A saved token is sent only to
the controllers that gave it.";

const SHORT_NAMES: &str = "\
Common commands have short names, which take the same options:

  containers, container ID     container ls, container show ID
  stop ID, start ID            container stop ID, container start ID
  restart ID, destroy ID       container restart ID, container rm ID
  log ID                       logs ID
  engines, engine ID           engine ls, engine show ID
  eadd --id ID --addr URL      engine add URL --id ID
  edelete ID                   engine rm ID
  clusterinfo                  cluster info
  accounts, account            account ls
  aadd --name NAME             account add NAME
  adelete NAME                 account rm NAME
  apps, images, registries,    app ls, image ls, registry ls,
  roles, tokens, operations    role ls, token ls, operation ls
  h, -h, -v                    help, --help, version

destroy, edelete and adelete ask at a terminal only: a script needs no --yes for them.";

const TOPICS: [(&str, &str); 4] =
    [("exit-codes", EXIT_CODES), ("json", JSON), ("environment", ENVIRONMENT), ("short-names", SHORT_NAMES)];

/// What `help` takes.
#[derive(Debug, Clone, Default, Args)]
pub struct HelpArgs {
    /// A command with its subcommands, or exit-codes, json, environment, short-names
    #[arg(value_name = "COMMAND")]
    pub topic: Vec<String>,
}

/// Prints the help.
pub(crate) fn help(args: &HelpArgs, definition: Definition, out: &mut Output) -> Result<(), CliError> {
    let text = match args.topic.as_slice() {
        [topic] => match TOPICS.iter().find(|(name, _)| name == topic) {
            Some((_, text)) => (*text).to_owned(),
            None => of_command(&args.topic, definition)?,
        },
        words => of_command(words, definition)?,
    };
    if out.is_json() {
        let topic = args.topic.join(" ");
        return out.json(&serde_json::json!({ "topic": topic, "help": text }).to_string());
    }
    out.text(&text)
}

fn of_command(words: &[String], definition: Definition) -> Result<String, CliError> {
    let mut whole = definition();
    whole.build();
    let mut command = &mut whole;
    for word in words {
        command = command.find_subcommand_mut(word).ok_or_else(|| {
            CliError::usage(format!("there is no command {}", words.join(" ")), "what there is: pierhead help")
        })?;
    }
    Ok(command.render_long_help().to_string())
}
