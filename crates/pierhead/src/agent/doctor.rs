//! What is wrong on a host, in words: its place in the pool, its engine, and the way to its controllers.

use super::{HostArgs, moment};
use anyhow::{Result, bail};
use pierhead_agent::{EngineState, Gate, INTERVAL, Identity, LoadMeter, Pulse, Standing, Terms, Timing, in_words};
use pierhead_controller::fingerprint;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// How far two clocks may be apart, in milliseconds.
const MOST_SKEW: u64 = 30_000;
/// How long after its moment a renewal may be late, in milliseconds: it is tried again at least once a minute.
const LATE: u64 = 180_000;

/// What was found, in the order in which it is told.
#[derive(Debug, Default, serde::Serialize)]
struct Found {
    #[serde(rename = "ok")]
    good: Vec<String>,
    #[serde(rename = "problems")]
    bad: Vec<String>,
    /// What goes on working, and could be better.
    lacks: Vec<String>,
}

/// Looks, tells, and fails if anything keeps the host from its work.
pub(super) async fn doctor(args: &HostArgs, json: bool) -> Result<()> {
    let found = look(args).await;
    println!("{}", told(&found, json)?);
    match found.bad.len() {
        0 => Ok(()),
        1 => bail!("there is a problem"),
        count => bail!("there are {count} problems"),
    }
}

/// What was found, for people or for programs.
fn told(found: &Found, json: bool) -> Result<String> {
    if json {
        return Ok(serde_json::to_string_pretty(found)?);
    }
    let lines = |word: &'static str, lines: &[String]| -> Vec<String> {
        lines.iter().map(|line| format!("{word:<8} {line}")).collect()
    };
    let all = [lines("ok", &found.good), lines("lacks", &found.lacks), lines("problem", &found.bad)];
    Ok(all.concat().join("\n"))
}

async fn look(args: &HostArgs) -> Found {
    let mut found = Found::default();
    match Identity::read(&args.state_dir) {
        Ok(Some(identity)) => {
            look_at_directory(&args.state_dir, &mut found);
            look_at_pool(&identity, args, &mut found).await;
        }
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
    let now = moment();
    found.good.push(format!(
        "This host is {} in its pool; its certificate is {}.",
        identity.engine,
        fingerprint(&identity.certificate)
    ));
    if identity.expires_at <= now {
        return found.bad.push(
            "Its certificate has expired: the host was away for too long, or its clock is wrong. Compare 'date' with the \
             controller's, or join again with a new token from 'pierhead engine join-command'."
                .to_owned(),
        );
    }
    // A third of its life is left after the moment of its renewal.
    let issued = identity.renew_at.saturating_sub(2 * identity.expires_at.saturating_sub(identity.renew_at));
    if now + MOST_SKEW < issued {
        found.bad.push("This host's clock was set back before the moment at which it got its certificate.".to_owned());
    }
    found.good.push(format!(
        "Its certificate is good for {} more, and is renewed before.",
        span(identity.expires_at.saturating_sub(now) / 1000)
    ));
    if identity.renew_at + LATE < now {
        found.bad.push(
            "Its certificate should have been renewed: does the agent run, and does it reach the controller?"
                .to_owned(),
        );
    }
    let named = args.controllers().unwrap_or_default();
    for address in if named.is_empty() { &identity.controllers } else { &named } {
        match pierhead_agent::standing(identity, address, &Timing::default()).await {
            Ok(standing) => tell_standing(address, &standing, found),
            Err(error) => found.bad.push(format!("The controller at {address}: {}.", in_words(&error))),
        }
    }
}

/// A span of time in the largest unit of which there are two at least.
fn span(seconds: u64) -> String {
    let units = [(24 * 3600, "days"), (3600, "hours"), (60, "minutes")];
    let found = units.into_iter().find(|(unit, _)| seconds >= 2 * unit);
    let (unit, name) = found.unwrap_or((1, "seconds"));
    format!("{} {name}", seconds / unit)
}

fn tell_standing(address: &str, standing: &Standing, found: &mut Found) {
    found.good.push(format!("The controller at {address} can be called, and believes this host."));
    if standing.waits {
        found.bad.push(format!("This host waits for approval, by: pierhead engine approve {}.", standing.engine));
    }
    let apart = standing.now_ms.abs_diff(moment());
    if apart > MOST_SKEW {
        found.bad.push(format!(
            "The clocks of this host and of the controller at {address} are {} s apart: certificates may seem not to be \
             good yet, or any more. Let both take their time from the network.",
            apart / 1000
        ));
    }
}

/// Whether the directory of the host's key takes a file: a full disk is told here before it costs the next renewal.
fn look_at_directory(dir: &Path, found: &mut Found) {
    let probe = dir.join("doctor.new");
    let written = std::fs::write(&probe, [0; 4096]).and_then(|()| std::fs::remove_file(&probe));
    if let Err(error) = written {
        // Nothing is left of a file that was half written.
        let _absent = std::fs::remove_file(&probe);
        let why = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "its disk is full".to_owned(),
            ErrorKind::PermissionDenied => "this user may not; run this as root, as the agent".to_owned(),
            _ => error.to_string(),
        };
        found.bad.push(format!("Nothing can be written to {}: {why}.", dir.display()));
    }
}

#[cfg(test)]
mod tests;
