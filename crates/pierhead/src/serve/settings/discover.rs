//! Where hosts are found that register themselves.

use super::ServeArgs;
use crate::etcd::EtcdAccess;
use anyhow::{Context, Result, bail};
use pierhead_store::EtcdSettings;

/// The prefix of a store that has etcd to itself.
const DEFAULT_PREFIX: &str = "pierhead";

impl ServeArgs {
    /// The cluster in which hosts are looked for, by default that of the store; nothing if they are added by hand, or join.
    pub(super) fn discovery(&self) -> Result<Option<EtcdSettings>> {
        let access = self.etcd_access();
        match self.discover.as_deref() {
            None if access.is_given() && self.store.is_none() => {
                bail!(
                    "--etcd-ca, --etcd-cert, --etcd-key, --etcd-user and --etcd-password-file are for --discover and --store"
                )
            }
            // Pools that share an etcd under prefixes of their own would take each other's hosts.
            None => Ok(self.store()?.filter(|store| store.address().prefix() == DEFAULT_PREFIX)),
            Some("off") => Ok(None),
            Some(cluster) => Ok(Some(access.settings(cluster).with_context(|| format!("--discover {cluster}"))?)),
        }
    }

    pub(super) fn etcd_access(&self) -> EtcdAccess {
        EtcdAccess {
            ca: self.etcd_ca.clone(),
            cert: self.etcd_cert.clone(),
            key: self.etcd_key.clone(),
            user: self.etcd_user.clone(),
            password_file: self.etcd_password_file.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_looked_for_where_it_is_said() {
        let of_store = |store: &str, discover: Option<&str>| {
            let (store, discover) = (Some(store.to_owned()), discover.map(str::to_owned));
            let args = ServeArgs { store, discover, ..ServeArgs::default() };
            args.discovery().unwrap().map(|settings| settings.address().to_string())
        };
        assert_eq!(of_store("etcd://a", None).as_deref(), Some("etcd://a:2379/pierhead"));
        assert_eq!(of_store("etcd://a/team", None), None, "others may use it");
        assert_eq!(of_store("etcd://a/team", Some("etcd://a")).as_deref(), Some("etcd://a:2379/pierhead"));
        assert_eq!(of_store("etcd://a", Some("off")), None);
        assert_eq!(of_store("embedded", None), None);
        let found = |discover: Option<&str>, user: Option<&str>| {
            let args = ServeArgs {
                discover: discover.map(str::to_owned),
                etcd_user: user.map(str::to_owned),
                ..ServeArgs::default()
            };
            args.discovery().map(|found| found.map(|settings| settings.address().to_string()))
        };
        assert_eq!(found(None, None).unwrap(), None);
        assert_eq!(found(Some("off"), None).unwrap(), None);
        assert_eq!(found(Some("etcd://a:1,b"), None).unwrap().as_deref(), Some("etcd://a:1,b:2379/pierhead"));
        let refused = format!("{:#}", found(Some("a:2379"), None).unwrap_err());
        assert!(
            refused.starts_with("--discover a:2379: ") && refused.contains("must be http://HOST:PORT"),
            "{refused}"
        );
        assert!(found(None, Some("pool")).unwrap_err().to_string().contains("are for --discover"));
    }
}
