//! `events`: what happened, and what happens.

use crate::flags::whole;
use crate::logs::moment;
use crate::names;
use crate::{CliError, Output, render};
use clap::Args;
use pierhead_client::{Client, ClientError, EventQuery};
use std::time::Duration;
use tokio::time::sleep;

/// The pause before a feed that broke off is asked for again.
const PAUSE: Duration = Duration::from_secs(1);

/// What `events` takes.
#[derive(Debug, Clone, Args)]
pub struct EventsArgs {
    /// How many
    #[arg(value_name = "N", default_value_t = 20, value_parser = whole(0, u32::MAX), allow_negative_numbers = true)]
    pub count: u32,
    /// Only of this type: run-container, die, gap, ...
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Only with this tag: cluster, security, Docker
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// Only of this engine
    #[arg(long, value_name = "ID", add = names::engines())]
    pub engine: Option<String>,
    /// Only of this container
    #[arg(long, value_name = "ID", add = names::containers())]
    pub container: Option<String>,
    /// Only of this app
    #[arg(long, value_name = "NAME", add = names::apps())]
    pub app: Option<String>,
    /// Only what this account did
    #[arg(long, value_name = "NAME", add = names::accounts())]
    pub actor: Option<String>,
    /// Only since then: 10m, 2h, 2026-11-21T22:10:00Z, 2026-11-21, seconds since 1970, or the id of an event
    #[arg(long, value_name = "TIME|ID")]
    pub since: Option<String>,
    /// Go on with what happens from now on, or since --since; oldest first
    #[arg(long, short = 'f')]
    pub follow: bool,
}

/// Lists the newest events, newest first, or prints them as they happen.
pub(crate) async fn events(args: &EventsArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let is_id = |text: &str| text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let since = match args.since.as_deref() {
        Some(text) if !is_id(text) => Some(moment(text, out.now())?),
        text => text.map(str::to_owned),
    };
    let query = EventQuery {
        count: (!args.follow).then_some(args.count),
        kind: args.kind.clone(),
        tag: args.tag.clone(),
        engine: args.engine.clone(),
        container: args.container.clone(),
        app: args.app.clone(),
        actor: args.actor.clone(),
        since,
        until: None,
    };
    if args.follow {
        return follow(&query, client, out).await;
    }
    let events = client.find_events(&query).await?;
    if out.is_json() {
        return out.json(events.json());
    }
    if events.is_empty() && args.count == 0 {
        return out.text("None were asked for: the number is how many to show.");
    }
    if events.is_empty() {
        let is_any = EventQuery { count: None, ..query } == EventQuery::default();
        return out.text(if is_any { "No events yet. Whatever changes is listed here." } else { "No such events." });
    }
    let table = render::event::list(&events, out.width());
    out.text(&table)
}

/// Goes on for ever; a feed that breaks off is taken up after the last event that came.
async fn follow(query: &EventQuery, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let mut last: Option<String> = None;
    let (mut has_begun, mut is_lost) = (false, false);
    loop {
        let mut feed = match client.follow_events(query, last.as_deref()).await {
            Ok(feed) => feed,
            // Whoever began to follow wants to see what comes after a restart of the controller, too.
            Err(error @ ClientError::Unreachable { .. }) if has_begun => {
                if !is_lost {
                    out.note(&format!("{error}; trying again"));
                    is_lost = true;
                }
                sleep(PAUSE).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        out.stop_waiting();
        (has_begun, is_lost) = (true, false);
        loop {
            match feed.next().await {
                Ok(Some((json, event))) => {
                    if out.is_json() {
                        out.json_line(&json)?;
                    } else {
                        out.text(&render::event::line(&event))?;
                    }
                    last = Some(event.id);
                }
                Ok(None) | Err(ClientError::ReadLog { .. }) => break,
                Err(error) => return Err(error.into()),
            }
        }
        sleep(PAUSE).await;
    }
}
