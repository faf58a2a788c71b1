//! `top`: what hosts and containers use, as it changes.

use crate::names;
use crate::render::stats::{self, SortKey};
use crate::{CliError, Output};
use clap::Args;
use pierhead_client::{Client, ClientError, StatsQuery};
use pierhead_wire::StatsView;
use std::time::Duration;
use tokio::time::sleep;

/// The pause before a feed that broke off is asked for again.
const PAUSE: Duration = Duration::from_secs(1);

/// What `top` takes.
#[derive(Debug, Clone, Args)]
pub struct TopArgs {
    /// Only this container
    #[arg(value_name = "CONTAINER", add = names::containers())]
    pub container: Option<String>,
    /// Only this engine and what runs on it
    #[arg(long, value_name = "ID", add = names::engines(), conflicts_with = "container")]
    pub engine: Option<String>,
    /// What the lines are sorted by
    #[arg(long, short = 's', value_name = "KEY", value_enum, default_value_t)]
    pub sort: SortKey,
    /// Print it once, as it is known now, and end
    #[arg(long, short = '1')]
    pub once: bool,
}

impl TopArgs {
    fn query(&self) -> StatsQuery {
        match (&self.container, &self.engine) {
            (Some(id), _) => StatsQuery::Container(id.clone()),
            (None, Some(id)) => StatsQuery::Engine(id.clone()),
            (None, None) => StatsQuery::All,
        }
    }
}

/// Prints what is used: again and again in place at a terminal or as lines of JSON, and once elsewhere.
pub(crate) async fn top(args: &TopArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let is_live = !args.once && (out.is_json() || out.terminals().stdout);
    if is_live {
        return follow(args, client, out).await;
    }
    let found = client.stats(&args.query()).await?;
    if out.is_json() {
        return out.json(found.json());
    }
    let text = stats::all(&found, args.sort, (out.width(), None));
    out.text(&text)
}

/// Goes on for ever; a feed that breaks off is asked for again.
async fn follow(args: &TopArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let query = args.query();
    let mut screen = Screen::default();
    let (mut has_begun, mut last) = (false, StatsView::default());
    loop {
        let mut feed = match client.follow_stats(&query).await {
            Ok(feed) => feed,
            // Whoever looks wants to see what comes after a restart of the controller, too.
            Err(error @ ClientError::Unreachable { .. }) if has_begun => {
                if !out.is_json() {
                    screen.draw_stats(&last, args.sort, Some(&format!("{error}; trying again")), out)?;
                }
                sleep(PAUSE).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        out.stop_waiting();
        has_begun = true;
        loop {
            match feed.next().await {
                Ok(Some((json, _))) if out.is_json() => out.json_line(&json)?,
                Ok(Some((_, stats))) => {
                    screen.draw_stats(&stats, args.sort, None, out)?;
                    last = stats;
                }
                Ok(None) | Err(ClientError::ReadLog { .. }) => break,
                Err(error) => return Err(error.into()),
            }
        }
        sleep(PAUSE).await;
    }
}

/// A text that is drawn anew in its place. What stood above it on the terminal stays, and the last one remains.
#[derive(Default)]
pub(crate) struct Screen {
    /// How many lines were drawn last.
    lines: usize,
}

impl Screen {
    fn draw_stats(
        &mut self,
        stats: &StatsView,
        sort: SortKey,
        note: Option<&str>,
        out: &mut Output,
    ) -> Result<(), CliError> {
        let (width, height) = out.size();
        let rest = height.map(|height| height.saturating_sub(u16::from(note.is_some())));
        self.draw(&stats::all(stats, sort, (width, rest)), note, out)
    }

    /// Draws a text, and what is to be noted above it. What does not fit on the terminal is left out.
    pub(crate) fn draw(&mut self, table: &str, note: Option<&str>, out: &mut Output) -> Result<(), CliError> {
        let (width, height) = out.size();
        let cut = |line: &str| line.chars().take(width.map_or(usize::MAX, usize::from)).collect::<String>();
        let note = note.map(|note| cut(&crate::escape::escape(note)));
        let most = height.map_or(usize::MAX, |height| usize::from(height.saturating_sub(1)).max(1));
        let lines = note.as_deref().into_iter().chain(table.lines().map(str::trim_end));
        let lines: Vec<&str> = lines.take(most).collect();
        // Up to the first line that was drawn, each line new up to its end, and nothing left below.
        let mut text = if self.lines > 0 { format!("\x1b[{}F", self.lines) } else { String::new() };
        for line in &lines {
            text.push_str(line);
            text.push_str("\x1b[K\n");
        }
        text.push_str("\x1b[J");
        self.lines = lines.len();
        out.bytes(text.as_bytes())
    }
}
