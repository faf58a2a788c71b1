//! `events`: what happened.

use crate::{CliError, Output, render};
use clap::Args;
use pierhead_client::Client;

/// What `events` takes.
#[derive(Debug, Clone, Args)]
pub struct EventsArgs {
    /// How many
    #[arg(value_name = "N", default_value_t = 20)]
    pub count: u32,
}

/// Lists the newest events, newest first.
pub(crate) async fn list(args: &EventsArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let events = client.events(args.count).await?;
    if out.is_json() {
        return out.json(events.json());
    }
    if events.is_empty() {
        return out.text("No events yet. Whatever changes is listed here.");
    }
    let table = render::event::list(&events, out.width());
    out.text(&table)
}
