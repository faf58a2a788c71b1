//! All settings of a controller: each a flag, an environment variable and a key of the configuration file. A flag
//! counts more than the environment, that more than the file, that more than the default.

mod agents;
mod backups;
mod blobs;
mod discover;
mod oidc;
mod options;
mod people;
mod previews;
mod saves;
mod settled;
mod store;
mod tls;
mod value;

pub(super) use agents::reachable;

use super::logging::LogFormat;
use anyhow::{Context, Result};
use clap::Args;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use value::{Hidden, Ports, Span};

pub(super) use agents::AgentSettings;
pub(super) use previews::PreviewSettings;
pub(crate) use settled::{Settings, default_data_dir};
pub(super) use tls::{TlsSource, is_name};

/// Flags of `pierhead serve`.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct ServeArgs {
    /// File with any of these settings, as TOML (listen = "0.0.0.0:8080")
    #[arg(long, env = "PIERHEAD_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// Address to answer at [default: 127.0.0.1:8080]
    #[arg(long, env = "PIERHEAD_LISTEN", value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// Port to answer at, in place of the one of --listen
    #[arg(long, env = "PIERHEAD_PORT", value_name = "PORT")]
    port: Option<u16>,
    /// File with the server's certificate and those that lead to its authority, PEM; with --tls-key
    #[arg(long, env = "PIERHEAD_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// File with the key of the server's certificate, PEM
    #[arg(long, env = "PIERHEAD_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// TLS with a certificate of the pool's own authority, renewed by itself
    #[arg(long, env = "PIERHEAD_TLS_SELF_SIGNED", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    tls_self_signed: Option<bool>,
    /// Name or address for that certificate beside this machine's own; may be given several times, or as a comma list
    #[arg(long, env = "PIERHEAD_TLS_NAME", value_delimiter = ',', value_name = "NAME")]
    tls_name: Option<Vec<String>>,
    /// Where browsers reach the server, if a proxy stands before it, such as `https://pool.example` [default: as --listen and TLS say]
    #[arg(long, env = "PIERHEAD_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Where clients and the other controllers reach this very controller, such as `https://ctl-1.example:8443` [default: as --listen and TLS say]
    #[arg(long, env = "PIERHEAD_ADVERTISE_URL", value_name = "URL")]
    advertise_url: Option<String>,
    /// Address to take agents of Docker hosts at [default: none are taken]
    #[arg(long, env = "PIERHEAD_AGENT_LISTEN", value_name = "IP:PORT")]
    agent_listen: Option<SocketAddr>,
    /// Where agents call, if that is not the address of --agent-listen
    #[arg(long, env = "PIERHEAD_AGENT_ADDRESS", value_name = "HOST:PORT")]
    agent_address: Option<String>,
    /// How long an agent's certificate is good; it is renewed at two thirds of that [default: 30d]
    #[arg(long, env = "PIERHEAD_AGENT_CERTIFICATE_LIFE", value_name = "TIME")]
    agent_certificate_life: Option<Span>,
    /// A host that joins waits until an administrator approves it, unless its token says otherwise
    #[arg(long, env = "PIERHEAD_APPROVE_HOSTS", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    approve_hosts: Option<bool>,
    /// Address to show ports of workspaces at [default: none are shown]
    #[arg(long, env = "PIERHEAD_PREVIEW_LISTEN", value_name = "IP:PORT")]
    preview_listen: Option<SocketAddr>,
    /// Domain below which each port of a workspace has a name, `*.DOMAIN`; behind a proxy `https://*.DOMAIN` [default: *.localhost]
    #[arg(long, env = "PIERHEAD_PREVIEW_DOMAIN", value_name = "DOMAIN")]
    preview_domain: Option<String>,
    /// etcd in which Docker hosts register themselves, such as `etcd://a:2379,b:2379`, or off [default: as --store says]
    #[arg(long, env = "PIERHEAD_DISCOVER", value_name = "URL")]
    discover: Option<String>,
    /// File with the authorities of etcd's certificates, PEM: etcd is then asked over TLS
    #[arg(long, env = "PIERHEAD_ETCD_CA", value_name = "FILE")]
    etcd_ca: Option<PathBuf>,
    /// File with the certificate to show etcd, PEM; with --etcd-key
    #[arg(long, env = "PIERHEAD_ETCD_CERT", value_name = "FILE")]
    etcd_cert: Option<PathBuf>,
    /// File with the key of that certificate, PEM
    #[arg(long, env = "PIERHEAD_ETCD_KEY", value_name = "FILE")]
    etcd_key: Option<PathBuf>,
    /// User of etcd; with --etcd-password-file
    #[arg(long, env = "PIERHEAD_ETCD_USER", value_name = "NAME")]
    etcd_user: Option<String>,
    /// File with that user's password
    #[arg(long, env = "PIERHEAD_ETCD_PASSWORD_FILE", value_name = "FILE")]
    etcd_password_file: Option<PathBuf>,
    /// Where everything is kept: `embedded`, in the data directory, or an etcd cluster, such as `etcd://a:2379,b:2379/prefix` [default: embedded]
    #[arg(long, env = "PIERHEAD_STORE", value_name = "URL")]
    store: Option<String>,
    /// File with the key that secrets are sealed with, the same for all controllers of one store; made if it is not there [default: secret.key in the data directory]
    #[arg(long, env = "PIERHEAD_SECRET_KEY_FILE", value_name = "FILE")]
    secret_key_file: Option<PathBuf>,
    /// Directory of everything that is kept [default: /var/lib/pierhead for root, else ~/.local/share/pierhead]
    #[arg(long, env = "PIERHEAD_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// File with the administrator's password for the first start [default: a random one, printed once]
    #[arg(long, env = "PIERHEAD_ADMIN_PASSWORD_FILE", value_name = "FILE")]
    admin_password_file: Option<PathBuf>,
    /// Image to run when a request names none [default: none]
    #[arg(long, env = "PIERHEAD_IMAGE", value_name = "IMAGE")]
    image: Option<String>,
    /// Log more
    #[arg(long, env = "PIERHEAD_DEBUG", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    debug: Option<bool>,
    /// How the log is written [default: text]
    #[arg(long, env = "PIERHEAD_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// Time between two probes of an engine [default: 1s]
    #[arg(long, env = "PIERHEAD_HEARTBEAT_INTERVAL", value_name = "TIME")]
    heartbeat_interval: Option<Span>,
    /// Longest time between two listings of an engine's containers [default: 10s]
    #[arg(long, env = "PIERHEAD_RESYNC_INTERVAL", value_name = "TIME")]
    resync_interval: Option<Span>,
    /// How long a host may be down before its containers are placed elsewhere [default: 3s]
    #[arg(long, env = "PIERHEAD_GRACE", value_name = "TIME")]
    grace: Option<Span>,
    /// How long a container with our labels but without a record is left alone [default: 10s]
    #[arg(long, env = "PIERHEAD_ORPHAN_GRACE", value_name = "TIME")]
    orphan_grace: Option<Span>,
    /// Weight of free CPU in a host's score [default: 65]
    #[arg(long, env = "PIERHEAD_CPU_WEIGHT", value_name = "NUMBER")]
    cpu_weight: Option<f64>,
    /// Weight of free memory in a host's score [default: 35]
    #[arg(long, env = "PIERHEAD_MEMORY_WEIGHT", value_name = "NUMBER")]
    memory_weight: Option<f64>,
    /// Ports of the hosts that are given out where a request names none [default: 20000-29999]
    #[arg(long, env = "PIERHEAD_HOST_PORTS", value_name = "FROM-TO")]
    host_ports: Option<Ports>,
    /// Cores reserved for a container that names none [default: 0.05]
    #[arg(long, env = "PIERHEAD_DEFAULT_CPUS", value_name = "CORES")]
    default_cpus: Option<f64>,
    /// Memory of a container that names none, in MB [default: 128]
    #[arg(long, env = "PIERHEAD_DEFAULT_MEMORY", value_name = "MB")]
    default_memory: Option<u64>,
    /// Most processes in a container [default: 1024]
    #[arg(long, env = "PIERHEAD_PIDS_LIMIT", value_name = "NUMBER")]
    pids_limit: Option<u32>,
    /// How much a workspace may write to its host's disk, in megabytes, before it is saved and stopped [default: 4096]
    #[arg(long, env = "PIERHEAD_WORKSPACE_DISK", value_name = "MB")]
    workspace_disk: Option<u64>,
    /// How long a workspace that was started ahead runs without anything to do until it is paused [default: 5m]
    #[arg(long, env = "PIERHEAD_WORKSPACE_PAUSE", value_name = "TIME")]
    workspace_pause: Option<Span>,
    /// At most so often another workspace is started ahead, for each host [default: 2s]
    #[arg(long, env = "PIERHEAD_WORKSPACE_REFILL", value_name = "TIME")]
    workspace_refill: Option<Span>,
    /// Most saves of workspaces that one person keeps [default: 50]
    #[arg(long, env = "PIERHEAD_PERSON_SAVES", value_name = "NUMBER")]
    person_saves: Option<u64>,
    /// Most that the saves of one person hold, in megabytes [default: 20480]
    #[arg(long, env = "PIERHEAD_PERSON_SAVED", value_name = "MB")]
    person_saved: Option<u64>,
    /// Most saves of one environment's workspaces [default: 2000]
    #[arg(long, env = "PIERHEAD_ENVIRONMENT_SAVES", value_name = "NUMBER")]
    environment_saves: Option<u64>,
    /// Most that the saves of one environment's workspaces hold, in megabytes [default: 512000]
    #[arg(long, env = "PIERHEAD_ENVIRONMENT_SAVED", value_name = "MB")]
    environment_saved: Option<u64>,
    /// The registry to which saves of workspaces are sent, so that a copy of each is off its host; without one another host
    /// has the copy. Its account is that of `pierhead registry add HOST` [default: none]
    #[arg(long, env = "PIERHEAD_SAVE_REGISTRY", value_name = "[http://]HOST[:PORT][/PATH]")]
    save_registry: Option<String>,
    /// How many containers start at the same time on one host [default: 4]
    #[arg(long, env = "PIERHEAD_STARTS_PER_ENGINE", value_name = "NUMBER")]
    starts_per_engine: Option<usize>,
    /// How long an operation may take unless a request says otherwise [default: 10m]
    #[arg(long, env = "PIERHEAD_OPERATION_TIMEOUT", value_name = "TIME")]
    operation_timeout: Option<Span>,
    /// How long a container may take to stop by itself before it is killed [default: 10s]
    #[arg(long, env = "PIERHEAD_STOP_GRACE", value_name = "TIME")]
    stop_grace: Option<Span>,
    /// Most attempts to log in with one user name within the window; 0 for any number [default: 10]
    #[arg(long, env = "PIERHEAD_LOGIN_ATTEMPTS_PER_ACCOUNT", value_name = "NUMBER")]
    login_attempts_per_account: Option<u32>,
    /// Most failed attempts to log in from one address within the window; 0 for any number [default: 200]
    #[arg(long, env = "PIERHEAD_LOGIN_ATTEMPTS_PER_ADDRESS", value_name = "NUMBER")]
    login_attempts_per_address: Option<u32>,
    /// Time in which all attempts to log in are given back, one by one [default: 5m]
    #[arg(long, env = "PIERHEAD_LOGIN_WINDOW", value_name = "TIME")]
    login_window: Option<Span>,
    /// The school's own list of people: `mysql://USER@HOST/DATABASE`, `postgres://USER@HOST/DATABASE`, or CSV files, `file:///DIR` [default: none]
    #[arg(long, env = "PIERHEAD_ROSTER_URL", value_name = "URL", hide_env_values = true)]
    roster_url: Option<Hidden>,
    /// The same as the original wrote it, `USER:PASSWORD@tcp(HOST:PORT)/DATABASE`
    #[arg(long, env = "PIERHEAD_DBSCHM", value_name = "DSN", hide_env_values = true)]
    dbschm: Option<Hidden>,
    /// File with the password of that database
    #[arg(long, env = "PIERHEAD_ROSTER_PASSWORD_FILE", value_name = "FILE")]
    roster_password_file: Option<PathBuf>,
    /// File with the three queries that read that database, TOML [default: those of the tables in the guide]
    #[arg(long, env = "PIERHEAD_ROSTER_MAPPING", value_name = "FILE")]
    roster_mapping: Option<PathBuf>,
    /// The time between two looks at that list; 0 to look only when somebody asks for it [default: 1h]
    #[arg(long, env = "PIERHEAD_ROSTER_EVERY", value_name = "TIME")]
    roster_every: Option<Span>,
    /// File with the key that links of the school's site are signed with, or two of them, each in a line [default: no such links]
    #[arg(long, env = "PIERHEAD_REDIRECT_KEY_FILE", value_name = "FILE")]
    redirect_key_file: Option<PathBuf>,
    /// Provider of log-ins (OpenID Connect), such as `https://id.school.example` [default: none]
    #[arg(long, env = "PIERHEAD_OIDC_ISSUER", value_name = "URL")]
    oidc_issuer: Option<String>,
    /// What this server is called there
    #[arg(long, env = "PIERHEAD_OIDC_CLIENT_ID", value_name = "ID")]
    oidc_client_id: Option<String>,
    /// File with the secret that it has there [default: none, as a public client]
    #[arg(long, env = "PIERHEAD_OIDC_CLIENT_SECRET_FILE", value_name = "FILE")]
    oidc_client_secret_file: Option<PathBuf>,
    /// The claim that holds the user name [default: preferred_username]
    #[arg(long, env = "PIERHEAD_OIDC_CLAIM", value_name = "NAME")]
    oidc_claim: Option<String>,
    /// Domain whose mail addresses are those of accounts, li@DOMAIN of li; may be given several times, or as a comma list
    #[arg(long, env = "PIERHEAD_OIDC_DOMAIN", value_delimiter = ',', value_name = "DOMAIN")]
    oidc_domain: Option<Vec<String>>,
    /// What is asked for beside `openid`; may be given several times, or as a comma list [default: profile,email]
    #[arg(long, env = "PIERHEAD_OIDC_SCOPE", value_delimiter = ',', value_name = "SCOPE")]
    oidc_scope: Option<Vec<String>>,
    /// Make an account with this role for whoever comes from there and has none [default: none are made]
    #[arg(long, env = "PIERHEAD_OIDC_CREATE", value_name = "ROLE")]
    oidc_create: Option<String>,
    /// What people call that provider, on the button [default: its host]
    #[arg(long, env = "PIERHEAD_OIDC_NAME", value_name = "NAME")]
    oidc_name: Option<String>,
    /// File with the token with which measurements are read at /metrics [default: none, and no measurements]
    #[arg(long, env = "PIERHEAD_METRICS_TOKEN_FILE", value_name = "FILE")]
    metrics_token_file: Option<PathBuf>,
    /// Bytes kept of the log of a container that is removed, its last ones; 0 for none [default: 65536]
    #[arg(long, env = "PIERHEAD_GONE_LOG_BYTES", value_name = "BYTES")]
    gone_log_bytes: Option<usize>,
    /// Of how many containers that are gone logs are kept [default: 500]
    #[arg(long, env = "PIERHEAD_GONE_LOGS_KEPT", value_name = "NUMBER")]
    gone_logs_kept: Option<usize>,
    /// How long the log of a container that is gone is kept [default: 24h]
    #[arg(long, env = "PIERHEAD_GONE_LOGS_AGE", value_name = "TIME")]
    gone_logs_age: Option<Span>,
    /// Largest image archive that is taken, unpacked, in MB [default: 4096]
    #[arg(long, env = "PIERHEAD_LARGEST_IMAGE", value_name = "MB")]
    largest_image: Option<u64>,
    /// Directory of image archives, or bucket `s3://BUCKET/PREFIX`, the same for all controllers of a pool [default: images in the data directory]
    #[arg(long, env = "PIERHEAD_BLOBS", value_name = "PLACE")]
    blobs: Option<String>,
    /// Where that bucket is asked, if it is not one of AWS, such as `https://s3.example:9000` [default: as AWS_ENDPOINT_URL_S3 and --blobs-region say]
    #[arg(long, env = "PIERHEAD_BLOBS_ENDPOINT", value_name = "URL")]
    blobs_endpoint: Option<String>,
    /// Region of that bucket [default: as AWS_REGION says, else us-east-1]
    #[arg(long, env = "PIERHEAD_BLOBS_REGION", value_name = "NAME")]
    blobs_region: Option<String>,
    /// Whether that bucket stands in the path of requests, or before the host's name [default: true with an endpoint]
    #[arg(long, env = "PIERHEAD_BLOBS_PATH_STYLE", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    blobs_path_style: Option<bool>,
    /// File with the key for that bucket, as AWS's tools write it [default: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY]
    #[arg(long, env = "PIERHEAD_BLOBS_CREDENTIALS_FILE", value_name = "FILE")]
    blobs_credentials_file: Option<PathBuf>,
    /// Directory that backups are written to by themselves [default: no backups]
    #[arg(long, env = "PIERHEAD_BACKUP_DIR", value_name = "DIR")]
    backup_dir: Option<PathBuf>,
    /// The time between two backups [default: 24h]
    #[arg(long, env = "PIERHEAD_BACKUP_EVERY", value_name = "TIME")]
    backup_every: Option<Span>,
    /// How many backups are kept [default: 7]
    #[arg(long, env = "PIERHEAD_BACKUP_KEEP", value_name = "NUMBER")]
    backup_keep: Option<usize>,
    /// How many events are kept [default: 100000]
    #[arg(long, env = "PIERHEAD_EVENTS_KEPT", value_name = "NUMBER")]
    events_kept: Option<usize>,
    /// How long an event is kept [default: 30d]
    #[arg(long, env = "PIERHEAD_EVENTS_AGE", value_name = "TIME")]
    events_age: Option<Span>,
}

/// `self.field` where it is given, else `file.field`, for each field.
macro_rules! overlay {
    ($($field:ident),+ $(,)?) => {
        impl ServeArgs {
            /// These, and what they leave out as a file says.
            fn over(self, file: Self) -> Self {
                Self { config: None, $($field: self.$field.or(file.$field),)+ }
            }
        }
    };
}

overlay!(
    listen,
    port,
    tls_cert,
    tls_key,
    tls_self_signed,
    tls_name,
    public_url,
    advertise_url,
    agent_listen,
    agent_address,
    agent_certificate_life,
    approve_hosts,
    preview_listen,
    preview_domain,
    discover,
    etcd_ca,
    etcd_cert,
    etcd_key,
    etcd_user,
    etcd_password_file,
    store,
    secret_key_file,
    data_dir,
    admin_password_file,
    image,
    debug,
    log_format,
    heartbeat_interval,
    resync_interval,
    grace,
    orphan_grace,
    cpu_weight,
    memory_weight,
    host_ports,
    default_cpus,
    default_memory,
    pids_limit,
    workspace_disk,
    workspace_pause,
    workspace_refill,
    person_saves,
    person_saved,
    environment_saves,
    environment_saved,
    save_registry,
    starts_per_engine,
    operation_timeout,
    stop_grace,
    login_attempts_per_account,
    login_attempts_per_address,
    login_window,
    roster_url,
    dbschm,
    roster_password_file,
    roster_mapping,
    roster_every,
    redirect_key_file,
    oidc_issuer,
    oidc_client_id,
    oidc_client_secret_file,
    oidc_claim,
    oidc_domain,
    oidc_scope,
    oidc_create,
    oidc_name,
    metrics_token_file,
    gone_log_bytes,
    gone_logs_kept,
    gone_logs_age,
    largest_image,
    blobs,
    blobs_endpoint,
    blobs_region,
    blobs_path_style,
    blobs_credentials_file,
    backup_dir,
    backup_every,
    backup_keep,
    events_kept,
    events_age,
);

impl ServeArgs {
    /// Reads the file and fills in the defaults.
    pub fn settle(self) -> Result<Settings> {
        let file = match &self.config {
            Some(path) => read(path)?,
            None => Self::default(),
        };
        self.over(file).with_defaults()
    }
}

fn read(path: &Path) -> Result<ServeArgs> {
    let text = std::fs::read_to_string(path).with_context(|| format!("the configuration file {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("the configuration file {}", path.display()))
}

#[cfg(test)]
mod tests;
