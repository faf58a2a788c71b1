//! The settings as a controller uses them: what nobody said has its default, and what can't be is refused.

use super::tls::TlsSource;
use super::value::Span;
use super::{AgentSettings, PreviewSettings, ServeArgs};
use crate::serve::logging::LogFormat;
use anyhow::{Context, Result, bail};
use pierhead_api::{LogInLimits, PublicUrl};
use pierhead_controller::Options;
use pierhead_identity::{OidcProvider, RedirectKeys};
use pierhead_model::{ImageReference, Resources};
use pierhead_store::EtcdSettings;
use pierhead_wire::Defaults;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

/// The settings, settled.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub listen: SocketAddr,
    /// Where the server's certificate comes from; none for plain HTTP.
    pub tls: Option<TlsSource>,
    /// Where browsers reach the server, if that is not where it listens.
    pub public_url: Option<PublicUrl>,
    /// Where this controller is reached, if that is not where it listens: without a slash at the end.
    pub advertise_url: Option<String>,
    /// Where agents are taken; none are if there is nothing.
    pub agents: Option<AgentSettings>,
    /// Where ports of workspaces are shown; none are if there is nothing.
    pub previews: Option<PreviewSettings>,
    /// The etcd cluster in which hosts register themselves.
    pub discovery: Option<EtcdSettings>,
    /// The etcd cluster that everything is kept in; none for the data directory.
    pub store: Option<EtcdSettings>,
    /// The key of secrets, if it is not in the data directory.
    pub secret_key_file: Option<PathBuf>,
    pub data_dir: PathBuf,
    pub admin_password_file: Option<PathBuf>,
    pub metrics_token_file: Option<PathBuf>,
    pub debug: bool,
    pub log_format: LogFormat,
    pub defaults: Defaults,
    pub controller: Options,
    pub log_in_limits: LogInLimits,
    /// The keys of links of the school's site.
    pub redirect: Option<RedirectKeys>,
    /// The provider of log-ins.
    pub oidc: Option<Arc<OidcProvider>>,
    /// Whether the password of the school's database stands where others on this machine may read it.
    pub tells_roster_password: bool,
}

impl ServeArgs {
    pub(super) fn with_defaults(self) -> Result<Settings> {
        let mut listen = self.listen.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080));
        if let Some(port) = self.port {
            listen.set_port(port);
        }
        let data_dir = match &self.data_dir {
            Some(dir) => dir.clone(),
            None => default_data_dir().context("there is no home directory; give --data-dir")?,
        };
        Ok(Settings {
            listen,
            tls: self.tls()?,
            public_url: self.public_url()?,
            advertise_url: self.advertise_url()?,
            agents: self.agents()?,
            previews: self.previews()?,
            discovery: self.discovery()?,
            store: self.store()?,
            secret_key_file: self.secret_key_file.clone(),
            data_dir: data_dir.clone(),
            admin_password_file: self.admin_password_file.clone(),
            metrics_token_file: self.metrics_token_file.clone(),
            debug: self.debug.unwrap_or(false),
            log_format: self.log_format.unwrap_or_default(),
            defaults: self.defaults()?,
            controller: self.options(&data_dir)?,
            log_in_limits: self.log_in_limits()?,
            redirect: self.redirect_keys()?,
            oidc: self.oidc()?.map(Arc::new),
            tells_roster_password: self.tells_roster_password(),
        })
    }

    fn public_url(&self) -> Result<Option<PublicUrl>> {
        let parsed = self.public_url.as_deref().map(PublicUrl::parse).transpose();
        parsed.map_err(|refused| anyhow::anyhow!("--public-url {refused}"))
    }

    fn advertise_url(&self) -> Result<Option<String>> {
        let Some(text) = self.advertise_url.as_deref() else { return Ok(None) };
        PublicUrl::parse(text).map_err(|refused| anyhow::anyhow!("--advertise-url {refused}"))?;
        Ok(Some(text.strip_suffix('/').unwrap_or(text).to_owned()))
    }

    fn defaults(&self) -> Result<Defaults> {
        if let Some(image) = &self.image {
            ImageReference::parse(image).with_context(|| format!("--image {image}"))?;
        }
        let cpus = self.default_cpus.unwrap_or(0.05);
        let memory_mb = self.default_memory.unwrap_or(128);
        if !(0.001..=1024.0).contains(&cpus) {
            bail!("--default-cpus must be a number of cores from 0.001 to 1024");
        }
        if !(6..=16_777_216).contains(&memory_mb) {
            bail!("--default-memory must be a number of MB from 6 to 16777216");
        }
        Ok(Defaults { image: self.image.clone(), reserved: Resources::new((cpus * 1000.0).ceil() as u64, memory_mb) })
    }

    fn log_in_limits(&self) -> Result<LogInLimits> {
        let defaults = LogInLimits::default();
        let window_ms = self.login_window.map_or(defaults.window_ms, Span::millis);
        if window_ms < 1_000 {
            bail!("--login-window must be at least 1s");
        }
        Ok(LogInLimits {
            per_account: self.login_attempts_per_account.unwrap_or(defaults.per_account),
            per_address: self.login_attempts_per_address.unwrap_or(defaults.per_address),
            window_ms,
        })
    }
}

/// Where everything is kept if nobody says otherwise.
pub(crate) fn default_data_dir() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    let is_root = home.as_deref().is_none_or(|home| home == "/root");
    if is_root {
        return Some(PathBuf::from("/var/lib/pierhead"));
    }
    let data = std::env::var_os("XDG_DATA_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    data.or_else(|| home.map(|home| PathBuf::from(home).join(".local/share"))).map(|dir| dir.join("pierhead"))
}
