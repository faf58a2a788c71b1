//! `login`, `logout` and `whoami`, and how passwords are asked for.

use crate::connection::DEFAULT_URL;
use crate::credentials::SavedLogin;
use crate::{CliError, Connection, Output, render, trust};
use clap::Args;
use pierhead_client::{Addresses, Client, ClientError};
use pierhead_wire::LogIn;

/// What `login` takes.
#[derive(Debug, Clone, Default, Args)]
pub struct LoginArgs {
    /// Controllers, a comma list; asked for if it is not given
    #[arg(value_name = "URL")]
    pub server: Option<String>,
    /// User name; asked for if it is not given
    #[arg(long, short = 'u', value_name = "NAME")]
    pub username: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// Trust the certificate authority with this fingerprint (SHA-256) without asking
    #[arg(long, value_name = "HEX")]
    pub ca_fingerprint: Option<String>,
}

/// Gets a token and keeps it.
pub(crate) async fn log_in(args: &LoginArgs, connection: &Connection, out: &mut Output) -> Result<(), CliError> {
    let folder = connection.folder().ok_or_else(|| {
        CliError::usage("there is no folder to keep the log-in in", "name one with --config-dir, or set HOME")
    })?;
    let addresses = Addresses::parse(&url(args, connection, out)?)?;
    let authority = trust::settle(&addresses, args, connection, out).await?;
    let username = match &args.username {
        Some(name) => name.clone(),
        None => asked("User name:", "--username", out)?,
    };
    let secret = password(args.password_stdin, "--password-stdin", out)?;
    let client = Client::trusting(addresses.clone(), None, authority.as_ref())?;
    let answer = client.log_in(&LogIn { username, password: secret }).await?;
    let login = SavedLogin {
        url: addresses.to_string(),
        token: answer.token.clone(),
        username: answer.username.clone(),
        expires_at: answer.expires_at.clone(),
        authority: authority.map(|authority| authority.pem()),
    };
    let path = login.save(&folder)?;
    if out.is_json() {
        return out.json(answer.json());
    }
    out.text(&format!("logged in to {} as {} ({})", login.url, answer.username, answer.role))?;
    out.note(&format!("the token is in {}, good until {}", path.display(), answer.expires_at));
    Ok(())
}

fn url(args: &LoginArgs, connection: &Connection, out: &mut Output) -> Result<String, CliError> {
    let given = args.server.as_deref().or(connection.given_url());
    if let Some(url) = given {
        return Ok(url.to_owned());
    }
    // A file that cannot be read is about to be replaced.
    let saved = connection.saved().ok().flatten();
    let default = saved.map_or_else(|| DEFAULT_URL.to_owned(), |login| login.url);
    if !out.terminals().stdin || args.password_stdin {
        return Ok(default);
    }
    let typed = out.ask(&format!("Controller [{default}]:"))?.unwrap_or_default();
    Ok(if typed.trim().is_empty() { default } else { typed.trim().to_owned() })
}

fn asked(prompt: &str, flag: &str, out: &mut Output) -> Result<String, CliError> {
    let typed = if out.terminals().stdin { out.ask(prompt)? } else { None };
    match typed.map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()) {
        Some(line) => Ok(line),
        None => Err(CliError::usage("no user name was given", format!("give it with {flag}"))),
    }
}

/// A password: from standard input if that was asked for, or else typed unseen.
pub(crate) fn password(from_stdin: bool, flag: &str, out: &mut Output) -> Result<String, CliError> {
    if from_stdin {
        return piped_password(flag, out);
    }
    if !out.terminals().stdin {
        return Err(CliError::usage(
            "a password can only be typed at a terminal",
            format!("in a script: pierhead … {flag} < FILE"),
        ));
    }
    out.ask_password("Password")
}

/// A password that nobody checks afterwards: as [`password`], but typed twice.
pub(crate) fn new_password(from_stdin: bool, flag: &str, out: &mut Output) -> Result<String, CliError> {
    if from_stdin || !out.terminals().stdin {
        return password(from_stdin, flag, out);
    }
    out.ask_new_password("New password", "The same again")
}

fn piped_password(flag: &str, out: &mut Output) -> Result<String, CliError> {
    let hint = || format!("echo PASSWORD | pierhead … {flag}");
    let Some(line) = out.read_line()?.filter(|line| !line.is_empty()) else {
        return Err(CliError::usage("standard input holds no password", hint()));
    };
    // Whoever types it has said with the end of the line that this is all.
    if !out.terminals().stdin && out.read_line()?.is_some() {
        return Err(CliError::usage("standard input holds more than one line: which is the password?", hint()));
    }
    Ok(line)
}

/// Revokes the token and forgets it, the latter also if no controller answers.
pub(crate) async fn log_out(connection: &Connection, out: &mut Output) -> Result<(), CliError> {
    // A file that cannot be read holds nothing that could be revoked.
    let saved = connection.saved().ok().flatten();
    let removed = connection.folder().map_or(Ok(false), |folder| SavedLogin::remove(&folder))?;
    let revoked = match saved {
        Some(login) => revoke(&login).await,
        None => Ok(()),
    };
    if let Err(error) = revoked {
        out.note(&format!("the token was not revoked and stays good until it expires: {error}"));
    }
    out.done(if removed { "logged out: the token is no longer on this machine" } else { "nobody was logged in" })
}

/// Says who is logged in, where, and until when.
pub(crate) async fn who_am_i(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let me = client.who_am_i().await?;
    let server = client.addresses().to_string();
    if !out.is_json() {
        return out.text(&render::account::whoami(&me, &server));
    }
    let mut json: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(me.json()).expect("it was read as an object before");
    json.insert("server".to_owned(), server.into());
    out.json(&serde_json::Value::Object(json).to_string())
}

async fn revoke(login: &SavedLogin) -> Result<(), CliError> {
    let authority = login.authority()?;
    let client = Client::trusting(Addresses::parse(&login.url)?, Some(login.token.clone()), authority.as_ref())?;
    match client.log_out().await {
        // It is worth nothing already.
        Err(ClientError::Refused { status: 401, .. }) => Ok(()),
        other => Ok(other?),
    }
}
