//! `pierhead store`: what is kept, moved from one place to another. No controller may run meanwhile.

use crate::etcd::EtcdAccess;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use pierhead_store::copy::{Census, Origin, copy, is_unfinished};
use pierhead_store::{Embedded, Error, Etcd, EtcdSettings, Store, leadership};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Flags of `pierhead store`.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Copy everything that is kept to another place, and check the copy. The controllers must be stopped; containers run on
    Migrate(Box<MigrateArgs>),
}

#[derive(Debug, Args)]
struct MigrateArgs {
    /// What to copy: a data directory, or an etcd cluster as `etcd://a:2379,b:2379/prefix`
    #[arg(long, value_name = "PLACE")]
    from: String,
    /// Where there is nothing yet: a data directory, or an etcd cluster
    #[arg(long, value_name = "PLACE")]
    to: String,
    /// Count what would be copied, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    access: EtcdAccess,
}

/// Does one command.
pub(crate) async fn store(args: StoreArgs, json: bool) -> Result<()> {
    match args.command {
        StoreCommand::Migrate(args) => migrate(*args, json).await,
    }
}

/// A place that a store may be at.
pub(crate) enum Place {
    Directory(PathBuf),
    Etcd(EtcdSettings),
}

impl Place {
    pub(crate) fn parse(flag: &str, text: &str, access: &EtcdAccess) -> Result<Self> {
        if text.starts_with("etcd://") {
            let settings = access.settings(text).with_context(|| format!("{flag} {text}"))?;
            return Ok(Self::Etcd(settings));
        }
        if text.is_empty() || text.contains("://") {
            bail!("{flag} {text:?} must be a directory, or etcd://HOST:PORT,HOST:PORT with or without a /PREFIX");
        }
        Ok(Self::Directory(PathBuf::from(text)))
    }

    pub(crate) async fn exists(&self) -> Result<bool, Error> {
        match self {
            Self::Directory(directory) => Ok(Embedded::exists(directory)),
            Self::Etcd(settings) => Etcd::exists(settings).await,
        }
    }

    pub(crate) async fn open(&self) -> Result<Arc<dyn Store>, Error> {
        Ok(match self {
            Self::Directory(directory) => Arc::new(Embedded::open(directory)?),
            Self::Etcd(settings) => Arc::new(Etcd::open(settings).await?),
        })
    }

    pub(crate) async fn create(&self, origin: &Origin) -> Result<Arc<dyn Store>, Error> {
        Ok(match self {
            Self::Directory(directory) => Arc::new(Embedded::create(directory, origin)?),
            Self::Etcd(settings) => Arc::new(Etcd::create(settings, origin).await?),
        })
    }

    /// How an unfinished copy is removed.
    pub(crate) fn removal(&self) -> String {
        match self {
            Self::Directory(directory) => format!("remove the files store.db* in {}", directory.display()),
            Self::Etcd(settings) => {
                format!("remove it with: etcdctl del --prefix {}/", settings.address().prefix())
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(directory) => write!(formatter, "{}", directory.display()),
            Self::Etcd(settings) => write!(formatter, "{}", settings.address()),
        }
    }
}

async fn migrate(args: MigrateArgs, json: bool) -> Result<()> {
    let from = Place::parse("--from", &args.from, &args.access)?;
    let to = Place::parse("--to", &args.to, &args.access)?;
    if !from.exists().await.with_context(|| format!("--from {from}"))? {
        bail!("--from {from} holds nothing of a controller");
    }
    if to.exists().await.with_context(|| format!("--to {to}"))? {
        bail!("--to {to} holds something already; nothing is copied over it. If that is of no use, {}", to.removal());
    }
    let source = match from.open().await {
        Err(error @ Error::InUse { .. }) => {
            return Err(anyhow::Error::new(error).context("stop the controller first; containers run on"));
        }
        opened => opened.with_context(|| format!("--from {from} cannot be opened"))?,
    };
    if let Some((leader, _)) = leadership::leader(&*source, "controller").await? {
        bail!(
            "the controller {} leads on {from}: stop all controllers first, and wait some seconds for one that was killed; \
             containers run on",
            leader.who
        );
    }
    if is_unfinished(&*source).await? {
        bail!("--from {from} is itself a copy that was never completed");
    }
    let census = if args.dry_run {
        Census::of(&*source).await.with_context(|| format!("--from {from}"))?
    } else {
        let target = to.create(&Origin::of(&*source).await?).await.with_context(|| format!("--to {to}"))?;
        let copied = copy(&*source, &*target).await;
        copied.with_context(|| format!("the copy is not whole: {} and try again", to.removal()))?
    };
    tell(&from, &to, &census, args.dry_run, json);
    Ok(())
}

fn tell(from: &Place, to: &Place, census: &Census, dry_run: bool, json: bool) {
    if json {
        let told = serde_json::json!({
            "from": from.to_string(),
            "to": to.to_string(),
            "dry_run": dry_run,
            "documents": census.documents,
            "total": census.total(),
            "bytes": census.bytes,
            "left_out": census.leased,
            "sha256": census.digest,
        });
        println!("{told}");
        return;
    }
    for (kind, count) in &census.documents {
        println!("{count:>10}  {kind}");
    }
    println!("{:>10}  records, {} bytes, SHA-256 {}", census.total(), census.bytes, census.digest);
    if dry_run {
        println!("Nothing was copied from {from} to {to}: this was a dry run.");
    } else {
        println!("Copied from {from} to {to}, and compared. Start the controllers on it, with the same secret.key.");
    }
}
