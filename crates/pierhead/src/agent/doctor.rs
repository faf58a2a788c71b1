//! What is wrong on a host, in words: its place in the pool, its engine, and the way to its controllers.

use super::{HostArgs, moment};
use anyhow::{Result, bail};
use pierhead_agent::{Controller, EngineState, Gate, INTERVAL, Identity, LoadMeter, Pulse, Terms, Timing, try_call};
use std::error::Error;
use std::sync::Arc;

/// What was found, in the order in which it is told.
#[derive(Debug, Default)]
struct Found {
    good: Vec<String>,
    bad: Vec<String>,
    /// What goes on working, and could be better.
    lacks: Vec<String>,
}

/// Looks, tells, and fails if anything keeps the host from its work.
pub(super) async fn doctor(args: &HostArgs) -> Result<()> {
    let found = look(args).await;
    found.good.iter().for_each(|line| println!("ok       {line}"));
    found.lacks.iter().for_each(|line| println!("lacks    {line}"));
    found.bad.iter().for_each(|line| println!("problem  {line}"));
    match found.bad.len() {
        0 => Ok(()),
        1 => bail!("there is a problem"),
        count => bail!("there are {count} problems"),
    }
}

async fn look(args: &HostArgs) -> Found {
    let mut found = Found::default();
    match Identity::read(&args.state_dir) {
        Ok(Some(identity)) => look_at_pool(&identity, args, &mut found).await,
        Ok(None) => found.bad.push(format!(
            "This host is in no pool: {} holds no identity. Make a token with 'pierhead engine join-command'.",
            args.state_dir.display()
        )),
        Err(error) => found.bad.push(format!("{}.", in_words(&error))),
    }
    match Terms::open(&args.state_dir) {
        Ok(terms) => {
            let pulse = Pulse::new(INTERVAL, LoadMeter::source());
            let facts = Gate::new(&args.docker_socket, Arc::new(terms), pulse).facts().await;
            match facts.engine {
                EngineState::Answers { version, runtime, .. } => {
                    found.good.push(format!("The engine answers: Docker {version} with {runtime}."));
                    found.lacks.extend(facts.lacks);
                }
                EngineState::Away { .. } => found.bad.extend(facts.lacks),
            }
        }
        Err(error) => found.bad.push(format!("{}.", in_words(&error))),
    }
    found
}

async fn look_at_pool(identity: &Identity, args: &HostArgs, found: &mut Found) {
    found.good.push(format!("This host is {} in its pool.", identity.engine));
    let days = identity.expires_at.saturating_sub(moment()) / (24 * 3600 * 1000);
    if identity.expires_at <= moment() {
        found.bad.push("Its certificate has expired: join again with a new token.".to_owned());
    } else {
        found.good.push(format!("Its certificate is good for {days} more days, and is renewed before."));
    }
    let config = match identity.client_config() {
        Ok(config) => Arc::new(config),
        Err(error) => return found.bad.push(format!("Its certificate cannot be used: {}.", in_words(&error))),
    };
    let named = args.controllers().unwrap_or_default();
    for address in if named.is_empty() { &identity.controllers } else { &named } {
        match try_call(&Controller::at(address), Arc::clone(&config), &Timing::default()).await {
            Ok(()) => found.good.push(format!("The controller at {address} can be called.")),
            Err(error) => found.bad.push(format!("The controller at {address}: {}.", in_words(&error))),
        }
    }
}

fn in_words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        words = format!("{words}: {cause}");
        next = cause.source();
    }
    words
}
