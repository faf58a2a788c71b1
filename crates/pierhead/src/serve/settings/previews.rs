//! Where ports of workspaces are shown, and what they are called.

use super::ServeArgs;
use anyhow::{Result, anyhow, bail};
use pierhead_api::PreviewAddress;
use std::net::SocketAddr;

/// The domain that browsers resolve to their own machine by themselves.
const DOMAIN: &str = "*.localhost";

/// The settings about previews.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PreviewSettings {
    pub listen: SocketAddr,
    domain: String,
}

impl ServeArgs {
    pub(super) fn previews(&self) -> Result<Option<PreviewSettings>> {
        let Some(listen) = self.preview_listen else {
            if self.preview_domain.is_some() {
                bail!("--preview-domain is for --preview-listen");
            }
            return Ok(None);
        };
        let domain = self.preview_domain.clone().unwrap_or_else(|| DOMAIN.to_owned());
        let settings = PreviewSettings { listen, domain };
        settings.address(listen.port())?;
        Ok(Some(settings))
    }
}

impl PreviewSettings {
    /// What previews are called where this port is listened on.
    pub fn address(&self, port: u16) -> Result<PreviewAddress> {
        PreviewAddress::parse(&self.domain, port).map_err(|form| anyhow!("--preview-domain {form}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_are_shown_where_it_is_said() {
        let args = |listen: Option<&str>, domain: Option<&str>| {
            let preview_listen = listen.map(|text| text.parse().unwrap());
            ServeArgs { preview_listen, preview_domain: domain.map(str::to_owned), ..ServeArgs::default() }.previews()
        };
        assert_eq!(args(None, None).unwrap(), None);
        let here = args(Some("127.0.0.1:0"), None).unwrap().unwrap();
        let address = here.address(8081).unwrap();
        assert_eq!((address.domain.as_str(), address.port, address.is_tls), ("localhost", Some(8081), false));
        let behind = args(Some("127.0.0.1:8081"), Some("https://*.preview.example")).unwrap().unwrap();
        let address = behind.address(8081).unwrap();
        assert_eq!((address.domain.as_str(), address.port, address.is_tls), ("preview.example", None, true));
        for (listen, domain, words) in [
            (None, Some("*.localhost"), "is for --preview-listen"),
            (Some("127.0.0.1:0"), Some("localhost"), "--preview-domain \"localhost\" must be *.DOMAIN"),
        ] {
            let refused = args(listen, domain).unwrap_err().to_string();
            assert!(refused.contains(words), "{refused}");
        }
    }
}
