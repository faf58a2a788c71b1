//! How this server is reached: what the API must know of the connections that it does not see.

use std::sync::Arc;

/// The front of a server; by default plain HTTP.
#[derive(Debug, Clone, Default)]
pub struct Front {
    /// Whether connections are secured by TLS.
    pub is_tls: bool,
    /// The certificate of the pool's own authority, PEM, if there is one.
    pub ca_certificate: Option<Arc<str>>,
}

impl Front {
    /// What addresses of this server begin with.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.is_tls { "https://" } else { "http://" }
    }
}
