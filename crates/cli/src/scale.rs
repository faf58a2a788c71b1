//! `scale`: how many containers of an app run.

use crate::flags::parse_size;
use crate::follow::ChangeArgs;
use crate::names;
use crate::target::{Target, neither};
use crate::{CliError, Output};
use clap::Args;
use pierhead_client::Client;

/// What `scale` takes.
#[derive(Debug, Clone, Args)]
pub struct ScaleArgs {
    /// App, or the id of one of its containers
    #[arg(value_name = "APP|ID", add = names::apps_and_containers())]
    pub target: String,
    /// How many shall run
    #[arg(value_name = "N", value_parser = parse_size, allow_negative_numbers = true)]
    pub count: u32,
    /// How it is waited for.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Scales the app of that name, or the app of that container.
pub(crate) async fn scale(args: &ScaleArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let (word, count, change) = (args.target.as_str(), args.count, ChangeArgs::begin());
    let started = match Target::find(client, word).await? {
        Target::App => client.scale_app(word, count, &change).await?,
        Target::Container => {
            client.scale_container(word, count, &change).await.map_err(|error| neither(word, error))?
        }
    };
    args.change.conclude(client, started, "as wanted", &format!("scaled {word} to {count}"), out).await
}
