//! Which controllers are asked, and with which token.

use crate::credentials::{SavedLogin, default_folder};
use crate::{CliError, trust};
use clap::Args;
use pierhead_client::{Addresses, Authority, Client};
use std::path::PathBuf;

/// Where a controller answers if nobody says otherwise.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// Flags of every command that asks a controller.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// Controllers of the pool, tried in turn [default: what login saved, or http://127.0.0.1:8080]
    #[arg(long, env = "PIERHEAD_URL", global = true, value_name = "URL[,URL]", hide_env_values = true)]
    pub url: Option<String>,
    /// Token to use instead of the one that login saved
    // One of 64 begins with a hyphen.
    #[arg(
        long,
        env = "PIERHEAD_TOKEN",
        global = true,
        value_name = "TOKEN",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    pub token: Option<String>,
    /// File with the authorities (PEM) of which the controllers' certificates may be [default: what login saved, or
    /// those of the system]
    #[arg(long, env = "PIERHEAD_CA_FILE", global = true, value_name = "FILE", hide_env_values = true)]
    pub ca_file: Option<PathBuf>,
    /// Print the server's answer as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Folder of the saved log-in [default: pierhead in $XDG_CONFIG_HOME or ~/.config]
    #[arg(long, env = "PIERHEAD_CONFIG_DIR", global = true, value_name = "DIR", hide_env_values = true)]
    pub config_dir: Option<PathBuf>,
}

impl Connection {
    /// A client with the token that belongs to the address.
    ///
    /// # Errors
    /// An address or a file that can't be used.
    pub fn open(&self) -> Result<Client, CliError> {
        let given = self.given_url().map(Addresses::parse).transpose()?;
        let given_token = self.token.clone().filter(|token| !token.is_empty());
        let saved = match (&given, &given_token) {
            (Some(_), Some(_)) => None,
            _ => self.saved()?,
        };
        let saved = saved.map(|login| Ok::<_, CliError>((Addresses::parse(&login.url)?, login.token))).transpose()?;
        let (addresses, saved_token) = match (given, saved) {
            (None, None) => (Addresses::parse(DEFAULT_URL)?, None),
            (None, Some((addresses, token))) => (addresses, Some(token)),
            (Some(given), None) => (given, None),
            // A token goes to those who gave it, never to a stranger whose address was typed.
            (Some(given), Some((addresses, token))) => {
                let token = given.are_among(&addresses).then_some(token);
                (given, token)
            }
        };
        let authority = self.given_authority()?.or_else(|| self.saved_authority(&addresses));
        Ok(Client::trusting(addresses, given_token.or(saved_token), authority.as_ref())?)
    }

    /// The authority that was given, if one was.
    pub(crate) fn given_authority(&self) -> Result<Option<Authority>, CliError> {
        let file = self.ca_file.as_deref().filter(|file| !file.as_os_str().is_empty());
        file.map(trust::read).transpose()
    }

    /// The authority that was trusted for these controllers at the last log-in. A file that cannot be read holds none.
    pub(crate) fn saved_authority(&self, addresses: &Addresses) -> Option<Authority> {
        let saved = self.saved().ok().flatten()?;
        let is_of_these = Addresses::parse(&saved.url).is_ok_and(|of| addresses.are_among(&of));
        saved.authority().ok().flatten().filter(|_| is_of_these)
    }

    /// The address that was given, if one was.
    pub(crate) fn given_url(&self) -> Option<&str> {
        self.url.as_deref().filter(|url| !url.is_empty())
    }

    /// The folder of the saved log-in.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.config_dir.clone().filter(|folder| !folder.as_os_str().is_empty()).or_else(default_folder)
    }

    pub(crate) fn saved(&self) -> Result<Option<SavedLogin>, CliError> {
        self.folder().map_or(Ok(None), |folder| SavedLogin::load(&folder))
    }
}
