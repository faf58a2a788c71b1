//! `pierhead backup` and `pierhead restore`: everything that is kept as one file, and back. What the file is, the store
//! knows.

use crate::etcd::EtcdAccess;
use crate::serve::settings::default_data_dir;
use crate::store::Place;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use pierhead_cli::Connection;
use pierhead_controller::Clock;
use pierhead_model::Timestamp;
use pierhead_store::backup::Manifest;
use pierhead_store::seal::{KEY_FILE, Sealer};
use pierhead_store::{Backup, Error};
use pierhead_wire::format_timestamp;
use std::path::{Path, PathBuf};

/// Flags of `pierhead backup`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct BackupArgs {
    #[command(subcommand)]
    command: Option<BackupCommand>,
    /// File to write; what is there is replaced by a whole backup or stays
    #[arg(required = true, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Read this place instead of asking a controller: the data directory of one that is stopped, or an etcd cluster as
    /// `etcd://a:2379,b:2379/prefix`
    #[arg(long, value_name = "PLACE")]
    from: Option<String>,
    #[command(flatten)]
    access: EtcdAccess,
}

#[derive(Debug, Subcommand)]
enum BackupCommand {
    /// Check every byte of a backup, and say what is inside
    Verify {
        /// The backup
        file: PathBuf,
    },
}

/// Flags of `pierhead restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup
    file: PathBuf,
    /// Data directory that shall hold it; there must be no store in it [default: that of 'pierhead serve']
    #[arg(long, env = "PIERHEAD_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// etcd cluster that shall hold it: `etcd://a:2379,b:2379/prefix`; there must be nothing under the prefix
    #[arg(long, env = "PIERHEAD_STORE", value_name = "URL")]
    store: Option<String>,
    /// The file secret.key of the controller that made the backup [default: secret.key in the data directory]
    #[arg(long, env = "PIERHEAD_SECRET_KEY_FILE", value_name = "FILE")]
    secret_key_file: Option<PathBuf>,
    /// Check everything and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    access: EtcdAccess,
}

/// Makes one, or checks one.
pub(crate) async fn backup(args: BackupArgs, connection: &Connection) -> Result<()> {
    if let Some(BackupCommand::Verify { file }) = args.command {
        let backup = load(&file)?;
        tell(&file, &backup, "The backup is whole.", connection.json);
        return Ok(());
    }
    let file = args.file.context("FILE is missing")?;
    let bytes = match &args.from {
        None => connection.open()?.backup().await?,
        Some(from) => read(from, &args.access).await?,
    };
    let backup = Backup::decode(&bytes).context("what came is not a whole backup; nothing was written")?;
    Backup::save(&file, &bytes)?;
    let said = if backup.is_sealed() {
        "Keep the controller's secret.key too, in another place: without it this is of no use."
    } else {
        "Written."
    };
    tell(&file, &backup, said, connection.json);
    Ok(())
}

/// A backup of what lies somewhere.
async fn read(from: &str, access: &EtcdAccess) -> Result<Vec<u8>> {
    let place = Place::parse("--from", from, access)?;
    if !place.exists().await.with_context(|| format!("--from {place}"))? {
        bail!("--from {place} holds nothing of a controller");
    }
    let store = match place.open().await {
        Err(error @ Error::InUse { .. }) => {
            let words = "a controller runs on it: leave --from out, and it is asked";
            return Err(anyhow::Error::new(error).context(words));
        }
        opened => opened.with_context(|| format!("--from {place} cannot be opened"))?,
    };
    let backup = Backup::of(&*store, Clock::start().now().0, env!("CARGO_PKG_VERSION")).await?;
    Ok(backup.encode()?)
}

/// Makes a store of one.
pub(crate) async fn restore(args: RestoreArgs, json: bool) -> Result<()> {
    let backup = load(&args.file)?;
    let (place, key) = target(&args)?;
    check_key(&backup, key.as_deref())?;
    if place.exists().await.with_context(|| place.to_string())? {
        bail!(
            "{place} holds something already; nothing is restored over it. If that is of no use, {}",
            place.removal()
        );
    }
    if args.dry_run {
        tell(&args.file, &backup, &format!("Nothing was restored to {place}: this was a dry run."), json);
        return Ok(());
    }
    let store = place.create(&backup.origin()).await.with_context(|| place.to_string())?;
    let restored = backup.restore(&*store, Clock::start().now().0).await;
    restored.with_context(|| format!("it is not whole: {} and try again", place.removal()))?;
    let said = format!(
        "Restored to {place}. Start a controller on it with the same secret.key: it adopts what runs, and makes and removes \
         nothing until you have looked at 'pierhead cluster info' and said 'pierhead cluster settle'."
    );
    tell(&args.file, &backup, &said, json);
    Ok(())
}

/// Where it goes, and the key file to check it with.
fn target(args: &RestoreArgs) -> Result<(Place, Option<PathBuf>)> {
    let in_etcd = args.store.as_deref().filter(|url| *url != "embedded");
    let Some(url) = in_etcd else {
        let directory = args.data_dir.clone().or_else(default_data_dir);
        let directory = directory.context("there is no home directory; give --data-dir")?;
        let key = args.secret_key_file.clone().unwrap_or_else(|| directory.join(KEY_FILE));
        return Ok((Place::Directory(directory), Some(key)));
    };
    if !url.starts_with("etcd://") {
        bail!("--store {url} must be embedded, or etcd://HOST:PORT,HOST:PORT with or without a /PREFIX");
    }
    let key = args.secret_key_file.clone().or_else(|| Some(args.data_dir.as_ref()?.join(KEY_FILE)));
    Ok((Place::parse("--store", url, &args.access)?, key))
}

fn check_key(backup: &Backup, file: Option<&Path>) -> Result<()> {
    if !backup.is_sealed() {
        return Ok(());
    }
    let Some(file) = file.filter(|file| file.exists()) else {
        let looked = file.map(|file| format!(" ({} is not there)", file.display())).unwrap_or_default();
        bail!(
            "the backup is of no use without the key that its secrets were sealed with: name the secret.key of the \
             controller that made it with --secret-key-file{looked}"
        );
    };
    let sealer = Sealer::open_or_create_file(file)?;
    backup.check_key(&sealer).with_context(|| format!("the key file {} does not fit this backup", file.display()))
}

fn load(file: &Path) -> Result<Backup> {
    Backup::load(file).with_context(|| format!("the backup {}", file.display()))
}

fn tell(file: &Path, backup: &Backup, said: &str, json: bool) {
    let Manifest { made_at, program, cluster, revision, census } = backup.manifest();
    if json {
        let told = serde_json::json!({
            "file": file.display().to_string(),
            "made_at": format_timestamp(Timestamp(*made_at)),
            "program": program,
            "cluster": cluster,
            "revision": revision,
            "documents": census.documents,
            "total": census.total(),
            "bytes": census.bytes,
            "sha256": census.digest,
            "sealed": backup.is_sealed(),
        });
        println!("{told}");
        return;
    }
    for (kind, count) in &census.documents {
        println!("{count:>10}  {kind}");
    }
    println!("{:>10}  records, {} bytes, SHA-256 {}", census.total(), census.bytes, census.digest);
    println!("Made {} by version {program} of the pool {cluster}.", format_timestamp(Timestamp(*made_at)));
    println!("{said}");
}
