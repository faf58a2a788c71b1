//! Names of what is in the pool, for shells that complete them: asked for quickly, or not at all.

use crate::{CliError, Connection};
use clap::{Args, FromArgMatches};
use clap_complete::{ArgValueCandidates, CompletionCandidate};
use pierhead_client::{Client, TokensOf};
use std::future::Future;
use std::time::Duration;

/// How long a shell waits for names.
const DEADLINE: Duration = Duration::from_millis(300);

/// A name, and what tells it apart from others.
type Named = Vec<(String, String)>;

pub(crate) fn apps() -> ArgValueCandidates {
    candidates(|client| async move { all_apps(&client).await })
}

pub(crate) fn containers() -> ArgValueCandidates {
    candidates(|client| async move { all_containers(&client).await })
}

pub(crate) fn apps_and_containers() -> ArgValueCandidates {
    candidates(|client| async move {
        let (apps, containers) = tokio::join!(all_apps(&client), all_containers(&client));
        Ok(apps?.into_iter().chain(containers?).collect())
    })
}

pub(crate) fn terminals() -> ArgValueCandidates {
    candidates(|client| async move {
        let terminals = client.terminals(None).await?.into_value();
        let running = terminals.into_iter().filter(|terminal| terminal.state == "running");
        Ok(running.map(|terminal| (terminal.id, terminal.name)).collect())
    })
}

pub(crate) fn environments() -> ArgValueCandidates {
    candidates(|client| async move {
        let environments = client.environments().await?.into_value();
        Ok(environments.into_iter().map(|environment| (environment.id, environment.owner)).collect())
    })
}

pub(crate) fn workspaces() -> ArgValueCandidates {
    candidates(|client| async move {
        let workspaces = client.workspaces().await?.into_value();
        let there = workspaces.into_iter().filter(|workspace| workspace.phase != "ended");
        Ok(there.map(|workspace| (workspace.id, workspace.name)).collect())
    })
}

pub(crate) fn saves() -> ArgValueCandidates {
    candidates(|client| async move {
        let saves = client.saves().await?.into_value();
        Ok(saves.into_iter().map(|save| (save.id, save.name)).collect())
    })
}

pub(crate) fn labs() -> ArgValueCandidates {
    candidates(|client| async move {
        let labs = client.labs().await?.into_value();
        Ok(labs.into_iter().map(|lab| (lab.id, lab.title)).collect())
    })
}

pub(crate) fn engines() -> ArgValueCandidates {
    candidates(|client| async move {
        let engines = client.engines().await?.into_value();
        Ok(engines.into_iter().map(|engine| (engine.id, engine.addr)).collect())
    })
}

pub(crate) fn accounts() -> ArgValueCandidates {
    candidates(|client| async move {
        let accounts = client.accounts().await?.into_value();
        Ok(accounts.into_iter().map(|account| (account.username, account.role.name)).collect())
    })
}

pub(crate) fn courses() -> ArgValueCandidates {
    candidates(|client| async move {
        let courses = client.courses().await?.into_value();
        Ok(courses.into_iter().map(|course| (course.id, course.title)).collect())
    })
}

pub(crate) fn roles() -> ArgValueCandidates {
    candidates(|client| async move {
        let roles = client.roles().await?.into_value();
        Ok(roles.into_iter().map(|role| (role.name, String::new())).collect())
    })
}

/// Permissions, as the role that has them all names them.
pub(crate) fn permissions() -> ArgValueCandidates {
    candidates(|client| async move {
        let admin = client.role("admin").await?.into_value();
        Ok(admin.permissions.into_iter().map(|permission| (permission, String::new())).collect())
    })
}

/// Images that were sent in.
pub(crate) fn images() -> ArgValueCandidates {
    candidates(|client| async move {
        let images = client.images().await?.into_value();
        let archives = images.into_iter().filter_map(|image| Some((image.id, image.archive?)));
        Ok(archives.flat_map(|(id, archive)| archive.tags.into_iter().map(move |tag| (tag, id.clone()))).collect())
    })
}

pub(crate) fn registries() -> ArgValueCandidates {
    candidates(|client| async move {
        let registries = client.registries().await?.into_value();
        Ok(registries.into_iter().map(|registry| (registry.host, registry.username)).collect())
    })
}

pub(crate) fn tokens() -> ArgValueCandidates {
    candidates(|client| async move {
        let tokens = client.tokens(TokensOf::Me).await?.into_value();
        Ok(tokens.into_iter().map(|token| (token.id, token.name)).collect())
    })
}

pub(crate) fn operations() -> ArgValueCandidates {
    candidates(|client| async move {
        let operations = client.operations().await?.into_value();
        Ok(operations.into_iter().map(|operation| (operation.id, operation.title)).collect())
    })
}

async fn all_apps(client: &Client) -> Result<Named, CliError> {
    let apps = client.apps().await?.into_value();
    Ok(apps.into_iter().map(|app| (app.name, app.image.name)).collect())
}

async fn all_containers(client: &Client) -> Result<Named, CliError> {
    let containers = client.containers(true).await?.into_value();
    let named = |container: pierhead_wire::ContainerView| {
        (crate::render::short(&container.id), container.name.trim_start_matches('/').to_owned())
    };
    Ok(containers.into_iter().map(named).collect())
}

/// What `ask` finds within the deadline; nothing if anything goes wrong.
fn candidates<F>(ask: impl Fn(Client) -> F + Send + Sync + 'static) -> ArgValueCandidates
where
    F: Future<Output = Result<Named, CliError>>,
{
    ArgValueCandidates::new(move || {
        let names = within_deadline(&ask).unwrap_or_default();
        names.into_iter().filter(|(name, _)| is_plain(name)).map(candidate).collect::<Vec<_>>()
    })
}

fn within_deadline<F>(ask: &impl Fn(Client) -> F) -> Option<Named>
where
    F: Future<Output = Result<Named, CliError>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let client = connection(std::env::args().collect()).open().ok()?;
    let answer = runtime.block_on(async { tokio::time::timeout(DEADLINE, ask(client)).await });
    // A look-up of a host's name that hangs must not hold the shell up.
    runtime.shutdown_background();
    answer.ok()?.ok()
}

fn candidate((name, about): (String, String)) -> CompletionCandidate {
    let about = crate::escape::escape(&about).into_owned();
    CompletionCandidate::new(name).help((!about.is_empty()).then(|| about.into()))
}

/// Whether a shell takes a name as it is.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '@'))
}

/// The connection that the words on the command line and the environment name.
fn connection(words: Vec<String>) -> Connection {
    let flags = Connection::augment_args(clap::Command::new("pierhead").ignore_errors(true).disable_help_flag(true));
    let written = words.iter().position(|word| word == "--").map_or(0, |at| at + 1);
    let mut chosen = vec!["pierhead".to_owned()];
    let mut rest = words[written.min(words.len())..].iter();
    while let Some(word) = rest.next() {
        if ["--url=", "--token=", "--config-dir=", "--ca-file="].iter().any(|flag| word.starts_with(flag)) {
            chosen.push(word.clone());
        } else if ["--url", "--token", "--config-dir", "--ca-file"].contains(&word.as_str()) {
            chosen.extend([Some(word), rest.next()].into_iter().flatten().cloned());
        }
    }
    flags
        .try_get_matches_from(chosen)
        .ok()
        .and_then(|found| Connection::from_arg_matches(&found).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Connection {
        connection(line.split(' ').map(str::to_owned).collect())
    }

    #[test]
    fn flags_that_were_typed_already_count() {
        let found = of("pierhead -- pierhead app show --url http://a:1 --token=t we");
        assert_eq!((found.url.as_deref(), found.token.as_deref()), (Some("http://a:1"), Some("t")));
        assert_eq!(of("pierhead -- pierhead --url").config_dir, of("pierhead").config_dir, "a flag without its value");
    }

    #[test]
    fn names_that_a_shell_would_obey_are_left_out() {
        for name in ["web", "registry.lan:5000", "größe", "a_b-c"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", "a b", "a;b", "$(x)", "a\n", "`x`", "a'b", "\u{1b}[2J"] {
            assert!(!is_plain(name), "{name:?}");
        }
    }
}
