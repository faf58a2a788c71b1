//! The controllers of a pool: one with a store of its own, or several that share an etcd.

use super::Wish;
use super::agents::free_address;
use super::pool::{DevServer, ready, write_private};
use anyhow::{Context, Result};
use pierhead_devhosts::{Pool, Service};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The first controller's name among the pool's services, and what those of the others begin with.
pub(super) const CONTROLLER: &str = "controller";

/// Controllers that answer.
pub(super) struct Controllers {
    pub servers: Vec<DevServer>,
    /// Where each takes agents, if any do.
    pub agent_listeners: Vec<SocketAddr>,
}

/// The name of a controller among the pool's services, by its number from 1.
pub(super) fn name(number: usize) -> String {
    if number == 1 { CONTROLLER.to_owned() } else { format!("{CONTROLLER}-{number}") }
}

/// Whether a service is a controller.
pub(super) fn is_one(service: &str) -> bool {
    let rest = service.strip_prefix(CONTROLLER);
    rest.is_some_and(|rest| {
        rest.is_empty() || rest.strip_prefix('-').is_some_and(|number| number.parse::<u8>().is_ok())
    })
}

/// Where a controller keeps its own.
pub(super) fn data_dir(pool: &Pool, name: &str) -> Result<PathBuf> {
    Ok(pool.service_dir(name)?.join("data"))
}

/// Starts them, one after another: the first makes what the others share.
pub(super) async fn start(pool: &Pool, wish: Wish, password: &str) -> Result<Controllers> {
    let mut all = Controllers { servers: Vec::new(), agent_listeners: Vec::new() };
    for number in 1..=wish.controllers {
        let listen = if wish.agents { Some(free_address(pool)?) } else { None };
        all.servers.push(start_one(pool, &name(number), password, listen).await?);
        all.agent_listeners.extend(listen);
    }
    Ok(all)
}

async fn start_one(pool: &Pool, name: &str, password: &str, listen: Option<SocketAddr>) -> Result<DevServer> {
    let data_dir = data_dir(pool, name)?;
    let shared = pool.service_dir(CONTROLLER)?;
    let password_file = shared.join("password");
    write_private(&password_file, password)?;
    let program = std::env::current_exe().context("the path of this program")?;
    let path = |path: &Path| path.display().to_string();
    let mut argv = vec![path(&program), "serve".to_owned()];
    let mut flag = |flag: &str, value: String| argv.extend([flag.to_owned(), value]);
    flag("--listen", "127.0.0.1:0".to_owned());
    flag("--data-dir", path(&data_dir));
    flag("--admin-password-file", path(&password_file));
    if let Some(listen) = listen {
        flag("--agent-listen", listen.to_string());
        flag("--preview-listen", "127.0.0.1:0".to_owned());
    }
    if let Some(store) = store(pool)? {
        flag("--store", store);
        flag("--secret-key-file", path(&shared.join("secret.key")));
        flag("--blobs", path(&shared.join("blobs")));
    }
    let pid = pool.spawn(&Service { name: name.to_owned(), argv, ..Service::default() })?;
    let url = ready(&data_dir).await.with_context(|| format!("starting {name}"))?;
    Ok(DevServer { url, pid: Some(pid) })
}

/// The pool's etcd as the store of its controllers, if it has one.
fn store(pool: &Pool) -> Result<Option<String>> {
    let urls: Vec<String> = pool.etcd()?.iter().map(|member| member.url().replace("http://", "")).collect();
    Ok((!urls.is_empty()).then(|| format!("etcd://{}", urls.join(","))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_are_known_by_their_names() {
        assert_eq!([name(1), name(2), name(9)], ["controller", "controller-2", "controller-9"]);
        assert!((1..=9).all(|number| is_one(&name(number))));
        for other in ["controllers", "controller-", "controller-x", "agent-host-1", "etcd-1"] {
            assert!(!is_one(other), "{other}");
        }
    }
}
