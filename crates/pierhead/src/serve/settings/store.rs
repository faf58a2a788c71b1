//! Where everything is kept.

use super::ServeArgs;
use anyhow::{Context, Result, bail};
use pierhead_store::EtcdSettings;

impl ServeArgs {
    /// The etcd cluster that everything is kept in; none if it is this machine.
    pub(super) fn store(&self) -> Result<Option<EtcdSettings>> {
        let Some(text) = self.store.as_deref().filter(|text| *text != "embedded") else { return Ok(None) };
        if !text.starts_with("etcd://") {
            bail!("--store {text} must be embedded, or etcd://HOST:PORT,HOST:PORT with or without a /PREFIX");
        }
        Ok(Some(self.etcd_access().settings(text).with_context(|| format!("--store {text}"))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(text: &str) -> Result<Option<String>, String> {
        let args = ServeArgs { store: Some(text.to_owned()), ..ServeArgs::default() };
        let store = args.store().map_err(|error| format!("{error:#}"))?;
        Ok(store.map(|settings| settings.address().to_string()))
    }

    #[test]
    fn a_store_is_here_or_in_etcd() {
        assert!(ServeArgs::default().store().unwrap().is_none());
        assert_eq!(store("embedded"), Ok(None));
        assert_eq!(store("etcd://a,b:1/team").unwrap().as_deref(), Some("etcd://a:2379,b:1/team"));
        for (text, words) in [
            ("a:2379", "--store a:2379 must be embedded, or etcd://"),
            ("http://a:2379", "must be embedded, or etcd://"),
            ("etcd://a:0", "--store etcd://a:0: \"0\" is not a port"),
            ("etcd://root:secret@a", "no user and no password"),
        ] {
            let refused = store(text).unwrap_err();
            assert!(refused.contains(words), "{text}: {refused}");
        }
    }
}
