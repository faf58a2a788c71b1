//! Which account a pull is made with: the host's own if it is for the image's registry, else the pool's, else none. Read
//! anew at each pull, so that a change counts from the next one on. Passwords are unsealed here and handed on; none is
//! logged or shown.

use crate::keys;
use pierhead_engine::{EngineError, RegistryAuth};
use pierhead_model::{ImageReference, Registry, RegistryHost};
use pierhead_store::seal::Sealer;
use pierhead_store::{Store, StoreJson};
use std::sync::Arc;

/// The pool's accounts at registries.
pub(crate) struct Registries {
    store: Arc<dyn Store>,
    sealer: Arc<Sealer>,
}

/// What a pull is made with.
#[derive(Debug)]
pub(crate) struct PullAccount {
    registry: RegistryHost,
    auth: Option<RegistryAuth>,
    whose: Whose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Hosts,
    Pools,
    Nobodys,
}

impl Registries {
    pub(crate) fn new(store: Arc<dyn Store>, sealer: Arc<Sealer>) -> Self {
        Self { store, sealer }
    }

    /// The context that a registry's password is sealed with.
    pub(crate) fn seal(&self, host: &RegistryHost, password: &str) -> pierhead_store::Result<String> {
        self.sealer.seal(&context(host), password.as_bytes())
    }

    /// The account for a pull of an image on a host that has perhaps one of its own.
    pub(crate) async fn account(
        &self,
        image: &ImageReference,
        of_host: Option<&RegistryAuth>,
    ) -> pierhead_store::Result<PullAccount> {
        let registry = RegistryHost::of(image);
        if let Some(auth) = of_host.filter(|auth| is_for(&auth.server, &registry)) {
            return Ok(PullAccount { registry, auth: Some(auth.clone()), whose: Whose::Hosts });
        }
        let Some((record, _)) = self.store.get_json::<Registry>(&keys::registry(&registry)).await? else {
            return Ok(PullAccount { registry, auth: None, whose: Whose::Nobodys });
        };
        let password = self.sealer.open(&context(&registry), &record.sealed_password)?;
        let auth = RegistryAuth {
            server: registry.to_string(),
            username: record.username,
            password: String::from_utf8_lossy(&password).into_owned(),
        };
        Ok(PullAccount { registry, auth: Some(auth), whose: Whose::Pools })
    }
}

fn context(host: &RegistryHost) -> String {
    format!("registry/{host}")
}

/// Whether a host's account is for a registry; one that names none is for the default one.
fn is_for(server: &str, registry: &RegistryHost) -> bool {
    let server = if server.is_empty() { "docker.io" } else { server };
    RegistryHost::parse(server).is_ok_and(|server| server == *registry)
}

impl PullAccount {
    pub(crate) fn auth(&self) -> Option<&RegistryAuth> {
        self.auth.as_ref()
    }

    /// Says of a pull that failed for which image, and of one that was denied to whom: registries don't always.
    pub(crate) fn explain(&self, image: &ImageReference, error: EngineError) -> EngineError {
        let is_denied = error.is_denied();
        let EngineError::NoImage(reason) = error else { return error };
        if !is_denied {
            return EngineError::NoImage(format!("{image}: {reason}"));
        }
        let registry = &self.registry;
        let name = self.auth.as_ref().map(|auth| auth.username.escape_debug().to_string()).unwrap_or_default();
        let to_whom = match self.whose {
            Whose::Hosts => format!("to {name}, the account of the host itself"),
            Whose::Pools => format!("to {name}, the pool's account; change it with 'pierhead registry set {registry}'"),
            Whose::Nobodys => {
                format!("without an account; give the pool one with 'pierhead registry add {registry}'")
            }
        };
        EngineError::NoImage(format!("{image}: the registry {registry} denies it {to_whom} ({reason})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_of_a_host_is_for_its_registry_only() {
        let registry = |text: &str| RegistryHost::parse(text).unwrap();
        for (server, of, expected) in [
            ("registry.lan:5000", "registry.lan:5000", true),
            ("http://registry.lan:5000/", "registry.lan:5000", true),
            ("registry.lan", "registry.lan:5000", false),
            ("", "docker.io", true),
            ("https://index.docker.io/v1/", "docker.io", true),
            ("", "registry.lan", false),
            ("docker.io", "registry.lan", false),
            ("no host", "docker.io", false),
        ] {
            assert_eq!(is_for(server, &registry(of)), expected, "{server} for {of}");
        }
    }

    #[test]
    fn a_denial_says_to_whom_and_never_the_password() {
        let image = ImageReference::parse("registry.lan:5000/team/app:1").unwrap();
        let said = |whose, has_auth: bool, reason: &str| {
            let auth = has_auth.then(|| RegistryAuth {
                server: "registry.lan:5000".to_owned(),
                username: "ann".to_owned(),
                password: "hunter22".to_owned(),
            });
            let account = PullAccount { registry: RegistryHost::of(&image), auth, whose };
            let text = account.explain(&image, EngineError::NoImage(reason.to_owned())).to_string();
            assert!(!format!("{text}{account:?}").contains("hunter22"), "{text}");
            text
        };
        let denied = "no basic auth credentials";
        assert!(said(Whose::Nobodys, false, denied).contains("registry.lan:5000 denies it without an account"));
        assert!(said(Whose::Hosts, true, denied).contains("to ann, the account of the host itself"));
        assert!(said(Whose::Pools, true, denied).contains("to ann, the pool's account"));
        let gone = said(Whose::Pools, true, "dial tcp: connection refused");
        assert!(gone.contains("team/app:1: dial tcp") && !gone.contains("denies"), "{gone}");
    }
}
