//! `explain`: why something is where it is, or nowhere.

use crate::description::DescriptionArgs;
use crate::flags::parse_count;
use crate::names;
use crate::target::{Target, neither};
use crate::{CliError, Output, render};
use clap::Args;
use pierhead_client::{Answer, Client};
use pierhead_wire::{ExplainRequest, ExplainView};

/// What `explain` takes.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// App, or the id of a container
    #[arg(value_name = "APP|ID", required_unless_present = "image", conflicts_with = "image", add = names::apps_and_containers())]
    pub target: Option<String>,
    /// Image of containers that are not there yet: where would they be placed?
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// How many of them [default: 1]
    #[arg(long, short = 'n', value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub count: Option<u32>,
    /// What they are.
    #[command(flatten)]
    pub description: DescriptionArgs,
}

/// Explains one of the three.
pub(crate) async fn explain(args: &ExplainArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    if args.target.is_some() && (args.count.is_some() || args.description != DescriptionArgs::default()) {
        return Err(CliError::usage(
            "what is there already has its description and count",
            "pierhead explain APP, or pierhead explain --image IMAGE with the flags of run",
        ));
    }
    let explanation = match (&args.image, &args.target) {
        (Some(image), _) => {
            let request = ExplainRequest { image: args.description.describe(image), count: args.count };
            client.explain(&request).await?
        }
        (None, Some(word)) => match Target::find(client, word).await? {
            Target::App => client.explain_app(word).await?,
            Target::Container => client.explain_container(word).await.map_err(|error| neither(word, error))?,
        },
        (None, None) => {
            return Err(CliError::usage("explain what?", "pierhead explain APP, or pierhead explain --image IMAGE"));
        }
    };
    print(&explanation, out)
}

/// Prints an explanation.
pub(crate) fn print(explanation: &Answer<ExplainView>, out: &mut Output) -> Result<(), CliError> {
    if out.is_json() {
        return out.json(explanation.json());
    }
    let text = render::explain::explanation(explanation, out.width());
    out.text(&text)
}
