//! The first start: the administrator's password, random or from a file, told once.

use anyhow::{Context, Result, bail};
use pierhead_api::Accounts;
use pierhead_model::Account;
use std::path::Path;

/// Makes the administrator if there is no account yet. Only then is the file looked at: it may be gone afterwards.
pub(crate) async fn first_start(accounts: &Accounts, password_file: Option<&Path>) -> Result<()> {
    if !accounts.prepare().await.context("the roles")? {
        return Ok(());
    }
    match password_file {
        Some(file) => {
            accounts.first_start(&read(file)?).await.context("the first account")?;
        }
        None => {
            let password = pierhead_api::random_password();
            if accounts.first_start(&password).await.context("the first account")? {
                println!(
                    "First start. The administrator's account, shown this once:\n\n    user name: admin\n    password:  {password}\n"
                );
            }
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("the password file {}", file.display()))?;
    let password = text.trim_end_matches(['\r', '\n']);
    if let Err(invalid) = Account::check_password(password) {
        bail!("the password file {}: {invalid}", file.display());
    }
    Ok(password.to_owned())
}
