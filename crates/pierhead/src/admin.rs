//! `pierhead admin`: what is done on the server's own machine, with the data directory in hand instead of a password.

use crate::etcd::EtcdAccess;
use crate::serve::settings::default_data_dir;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use pierhead_api::{Accounts, AccountsError};
use pierhead_controller::Clock;
use pierhead_model::{Account, Username};
use pierhead_store::{Embedded, Error, Etcd, Store};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The longest password that is read, in bytes.
const LONGEST_INPUT: u64 = 4096;

/// Flags of `pierhead admin`.
#[derive(Debug, Args)]
pub(crate) struct AdminArgs {
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Set a forgotten password, and log that account out everywhere. The server must be stopped, unless its store is in
    /// etcd; containers run on
    ResetPassword(Box<ResetPasswordArgs>),
}

#[derive(Debug, Args)]
struct ResetPasswordArgs {
    /// Whose password
    #[arg(long, default_value = "admin", value_name = "NAME")]
    username: String,
    /// The server's data directory [default: that of 'pierhead serve']
    #[arg(long, env = "PIERHEAD_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The server's store, if it is in etcd: `etcd://a:2379,b:2379/prefix`
    #[arg(long, env = "PIERHEAD_STORE", value_name = "URL")]
    store: Option<String>,
    #[command(flatten)]
    access: EtcdAccess,
    /// Read the new password from standard input [default: a random one, printed once]
    #[arg(long)]
    password_stdin: bool,
}

/// Does one command.
pub(crate) async fn admin(args: AdminArgs, json: bool) -> Result<()> {
    match args.command {
        AdminCommand::ResetPassword(args) => reset_password(*args, json).await,
    }
}

async fn reset_password(args: ResetPasswordArgs, json: bool) -> Result<()> {
    let name = Username::parse(args.username.clone()).context("--username")?;
    let password = if args.password_stdin { read_password()? } else { pierhead_api::random_password() };
    let (store, place) = records(&args).await?;
    let accounts = Accounts::new(store, Clock::start()).context("accounts")?;
    match accounts.reset_password(&name, &password).await {
        Ok(()) => {}
        Err(error @ AccountsError::NotFound(_)) => bail!("{error} in {place}"),
        Err(error) => return Err(error).context("the password was not changed"),
    }
    if json {
        let told = (!args.password_stdin).then_some(password);
        println!("{}", serde_json::json!({ "username": name.to_string(), "password": told }));
    } else if args.password_stdin {
        println!("The password of {name} is changed. Start the server again.");
    } else {
        println!("The new password, shown this once:\n\n    user name: {name}\n    password:  {password}\n");
        println!("Start the server again, then log in with it.");
    }
    Ok(())
}

/// Where accounts are kept, and its name for people.
async fn records(args: &ResetPasswordArgs) -> Result<(Arc<dyn Store>, String)> {
    let Some(url) = args.store.as_deref().filter(|url| *url != "embedded") else {
        let data_dir = args.data_dir.clone().or_else(default_data_dir);
        let data_dir = data_dir.context("there is no home directory; give --data-dir")?;
        return Ok((Arc::new(open(&data_dir)?), data_dir.display().to_string()));
    };
    if !url.starts_with("etcd://") {
        bail!("--store {url} must be embedded, or etcd://HOST:PORT,HOST:PORT with or without a /PREFIX");
    }
    let settings = args.access.settings(url).with_context(|| format!("--store {url}"))?;
    let place = settings.address().to_string();
    if !Etcd::exists(&settings).await.with_context(|| format!("--store {place} cannot be opened"))? {
        bail!("{place} holds no data of a server; name the right store with --store");
    }
    let store = Etcd::open(&settings).await.with_context(|| format!("--store {place} cannot be opened"))?;
    Ok((Arc::new(store), place))
}

fn read_password() -> Result<String> {
    let mut text = String::new();
    std::io::stdin().take(LONGEST_INPUT).read_to_string(&mut text).context("standard input")?;
    let password = text.trim_end_matches(['\r', '\n']);
    Account::check_password(password).context("the password on standard input")?;
    Ok(password.to_owned())
}

/// The store of a server that has run there before and does not now.
fn open(directory: &Path) -> Result<Embedded> {
    if !Embedded::exists(directory) {
        bail!("{} holds no data of a server; name the right directory with --data-dir", directory.display());
    }
    match Embedded::open(directory) {
        Ok(store) => Ok(store),
        Err(Error::InUse { .. }) => bail!(
            "a server runs on {}, and only one program may open it. Stop the server (containers run on), do this again, and \
             start it; or, as an administrator who can log in: pierhead account passwd NAME",
            directory.display()
        ),
        Err(error) => {
            Err(error).with_context(|| format!("the data directory {} cannot be opened", directory.display()))
        }
    }
}
