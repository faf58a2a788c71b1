//! What every command takes that lists something.

use crate::flags::whole;
use clap::Args;
use pierhead_client::Client;

/// What `ls` takes.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ListArgs {
    /// Show only the first ones, so many [default: all]
    #[arg(long, value_name = "N", value_parser = whole(1_u16, 1000), allow_negative_numbers = true)]
    pub limit: Option<u16>,
}

impl ListArgs {
    /// A client that asks for no more than that.
    pub(crate) fn of(self, client: &Client) -> Client {
        client.at_most(self.limit)
    }
}
