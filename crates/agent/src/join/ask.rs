//! The host's side: asks for a certificate, with a token or with the certificate that it has.

use super::pinned::Pinned;
use super::{Ask, HostKey, JOIN_PROTOCOL, JoinToken, LONGEST, Reply, Standing};
use crate::error::{AgentError, Result};
use crate::identity::{Identity, moment};
use crate::tunnel::{Controller, Timing, call, provider, within};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::version::TLS13;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

/// What a host wants to be in the pool.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// What it shall be called, and not otherwise.
    pub id: Option<String>,
    /// What it calls itself: what it is called if that is free.
    pub name: Option<String>,
    /// Where its published ports answer; where it calls from if absent.
    pub address: Option<String>,
    /// Labels to place by.
    pub labels: Vec<String>,
}

/// Exchanges a token for a certificate of a new key. The secret is said to nobody but a controller whose certificate the
/// token's authority has signed.
///
/// # Errors
/// There is no controller at that address, it is not believed, or it refuses.
pub async fn join(token: &JoinToken, host: &Host, timing: &Timing) -> Result<Identity> {
    let pinned = Pinned::new(token.fingerprint, provider());
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(AgentError::Certificates)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&pinned) as _)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    let ask = Ask {
        secret: Some(token.secret.clone()),
        id: host.id.clone(),
        name: host.name.clone(),
        address: host.address.clone(),
        labels: host.labels.clone(),
        ..Ask::default()
    };
    let controllers = vec![token.address.clone()];
    let (key, grant) = exchange(&token.address, config, ask, timing).await?;
    let unseen = || AgentError::Broken("the controller did not show its authority".into());
    let authority = pinned.authority().ok_or_else(unseen)?;
    if grant.waits {
        let id = &grant.engine;
        tracing::warn!("this host waits until an administrator approves it: pierhead engine approve {id}");
    }
    Identity::new(grant, &key, authority, controllers)
}

/// Exchanges the host's certificate for a fresh one of a new key, at the first controller that gives it.
///
/// # Errors
/// No controller gives one; what the last of them said.
pub async fn renew(identity: &Identity, timing: &Timing) -> Result<Identity> {
    let mut last = AgentError::Broken("there is no controller to ask".into());
    for address in &identity.controllers {
        let config = identity.client_config()?;
        match exchange(address, config, Ask::default(), timing).await {
            Ok((key, grant)) => {
                let renewed = Identity::new(grant, &key, identity.authority.clone(), identity.controllers.clone())?;
                return Ok(Identity { joined_with: identity.joined_with.clone(), ..renewed });
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// How this host stands with a controller. Nothing changes by it, and a tunnel that is open stays.
///
/// # Errors
/// The controller cannot be reached or does not believe this host; why.
pub async fn standing(identity: &Identity, address: &str, timing: &Timing) -> Result<Standing> {
    let ask = Ask { look: true, ..Ask::default() };
    match talk(address, identity.client_config()?, &ask, timing).await? {
        Reply::Standing(standing) => Ok(standing),
        Reply::Refused(message) => Err(AgentError::NotJoined(message)),
        Reply::Granted(_) => Err(AgentError::Broken("the controller answered what was not asked".into())),
    }
}

/// Why a controller does not take this host, if it says that it does not.
pub(crate) async fn refusal(controller: &Controller, config: ClientConfig, timing: &Timing) -> Option<String> {
    let ask = Ask { look: true, ..Ask::default() };
    match ask_controller(controller, config, &ask, timing).await {
        Ok(Reply::Refused(message)) => Some(AgentError::NotJoined(message).to_string()),
        _ => None,
    }
}

async fn exchange(address: &str, config: ClientConfig, ask: Ask, timing: &Timing) -> Result<(HostKey, super::Grant)> {
    let key = HostKey::generate()?;
    let (public_key, signature) = key.shown()?;
    match talk(address, config, &Ask { public_key, signature, ..ask }, timing).await? {
        Reply::Granted(grant) => Ok((key, grant)),
        Reply::Refused(message) => Err(AgentError::NotJoined(message)),
        Reply::Standing(_) => Err(AgentError::Broken("the controller answered what was not asked".into())),
    }
}

async fn talk(address: &str, config: ClientConfig, ask: &Ask, timing: &Timing) -> Result<Reply> {
    ask_controller(&Controller::at(address), config, ask, timing).await
}

/// One question and its answer.
async fn ask_controller(
    controller: &Controller,
    mut config: ClientConfig,
    ask: &Ask,
    timing: &Timing,
) -> Result<Reply> {
    config.alpn_protocols = vec![JOIN_PROTOCOL.to_vec()];
    let stream = call(controller, Arc::new(config), timing, JOIN_PROTOCOL).await?;
    let broken = |error: std::io::Error| AgentError::Broken(error.into());
    let talked = async {
        let (read, mut write) = tokio::io::split(stream);
        let mut line = serde_json::to_vec(ask).map_err(|error| AgentError::Broken(error.into()))?;
        line.push(b'\n');
        write.write_all(&line).await.map_err(broken)?;
        write.flush().await.map_err(broken)?;
        let mut answer = String::new();
        BufReader::new(read.take(LONGEST)).read_line(&mut answer).await.map_err(broken)?;
        serde_json::from_str::<Reply>(&answer).map_err(|_| AgentError::Broken("the controller gave no answer".into()))
    };
    within(&controller.address, "answer", timing.handshake, talked).await?
}

impl Identity {
    fn new(
        grant: super::Grant,
        key: &HostKey,
        authority: rustls::pki_types::CertificateDer<'static>,
        controllers: Vec<String>,
    ) -> Result<Self> {
        let certificate = STANDARD.decode(&grant.certificate).map_err(|error| AgentError::Broken(error.into()))?;
        let now = moment();
        let identity = Self {
            engine: grant.engine,
            controllers,
            authority,
            certificate: certificate.into(),
            key: key.der(),
            renew_at: now.saturating_add(grant.life_ms / 3 * 2),
            expires_at: now.saturating_add(grant.life_ms),
            joined_with: String::new(),
        };
        identity.client_config().map(|_| identity)
    }
}
