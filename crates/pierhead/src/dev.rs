//! `pierhead dev`: a whole pool on this machine, for demonstrations and tests.

mod agents;
mod controllers;
mod local;
mod pool;
mod show;
mod stop;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Flags of `pierhead dev`.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    #[command(subcommand)]
    command: DevCommand,
}

#[derive(Debug, Subcommand)]
enum DevCommand {
    /// Start Docker hosts and a controller that knows them, and leave them running
    Up(UpArgs),
    /// Remove every trace of a pool, however it ended
    Down(DirArgs),
    /// Show what of a pool runs
    Status(DirArgs),
    /// The same as up, with a sample app, in the foreground: Ctrl-C removes everything
    Run(UpArgs),
}

#[derive(Debug, Args)]
struct UpArgs {
    /// How many Docker hosts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=50))]
    hosts: u16,
    /// Reach the hosts through agents: no engine listens on the network
    #[arg(long)]
    agents: bool,
    /// Let workspaces of environments that ask for it be privileged on these hosts
    #[arg(long, requires = "agents")]
    privileged_workspaces: bool,
    /// Let their engines hold workspaces to quotas of disk: each host gets a disk of its own, with btrfs
    #[arg(long)]
    quotas: bool,
    /// How many members of an etcd cluster beside them, in which the controllers keep everything
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=9))]
    etcd: u8,
    /// How many controllers; more than one share that etcd
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=9))]
    controllers: u8,
    #[command(flatten)]
    dir: DirArgs,
}

impl UpArgs {
    fn wish(&self) -> Result<Wish> {
        if self.controllers > 1 && self.etcd == 0 {
            bail!("--controllers {} need an etcd that they share: give --etcd 1 or --etcd 3 too", self.controllers);
        }
        Ok(Wish {
            hosts: usize::from(self.hosts),
            agents: self.agents,
            privileged: self.privileged_workspaces,
            quotas: self.quotas,
            etcd: usize::from(self.etcd),
            controllers: usize::from(self.controllers),
        })
    }
}

/// What a pool shall consist of.
#[derive(Debug, Clone, Copy)]
struct Wish {
    hosts: usize,
    /// Whether the hosts are reached through agents.
    agents: bool,
    /// Whether workspaces may be privileged on them.
    privileged: bool,
    /// Whether their engines have quotas of disk.
    quotas: bool,
    /// How many members its etcd cluster has.
    etcd: usize,
    controllers: usize,
}

#[derive(Debug, Args)]
struct DirArgs {
    /// Directory of the pool [default: pierhead-dev in the directory for temporary files]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl DirArgs {
    fn dir(&self) -> PathBuf {
        self.dir.clone().unwrap_or_else(|| std::env::temp_dir().join("pierhead-dev"))
    }
}

/// Does one command.
pub(crate) async fn dev(args: DevArgs, json: bool) -> Result<()> {
    match args.command {
        DevCommand::Up(up) => {
            let pool = pool::up(&up.dir.dir(), up.wish()?).await?;
            show::pool(&pool, json)
        }
        DevCommand::Down(dir) => {
            let dir = dir.dir();
            if !pierhead_devhosts::has_traces(&dir)? {
                bail!("there is no pool in {}; name the directory of one with --dir", dir.display());
            }
            pierhead_devhosts::down(&dir)?;
            show::gone(&dir, json);
            Ok(())
        }
        DevCommand::Status(dir) => show::status(&dir.dir(), json),
        DevCommand::Run(up) => run(&up.dir.dir(), up.wish()?).await,
    }
}

async fn run(dir: &std::path::Path, wish: Wish) -> Result<()> {
    // From now on Ctrl-C ends the wait below, never the program in the middle of its work.
    let stop = stop::Stop::listen()?;
    if let Err(missing) = pierhead_devhosts::requirements() {
        eprintln!("Docker hosts of its own cannot be made here: {missing}");
        return local::run(stop).await;
    }
    let result = demonstrate(dir, wish, stop).await;
    eprintln!("Removing everything …");
    pierhead_devhosts::down(dir)?;
    eprintln!("Everything is gone.");
    result
}

async fn demonstrate(dir: &std::path::Path, wish: Wish, mut stop: stop::Stop) -> Result<()> {
    let started = async {
        let pool = pool::up(dir, wish).await?;
        let sample = pool::run_sample(&pool.client()?).await?;
        show::tour(&pool, &sample);
        anyhow::Ok(())
    };
    tokio::pin!(started);
    tokio::select! {
        result = &mut started => result?,
        () = stop.asked() => {
            // What is half-made can't be removed before it is made.
            eprintln!("Stopping as soon as the hosts are up …");
            return started.await;
        }
    }
    stop.asked().await;
    Ok(())
}
