//! Which certificate the server shows.

use super::ServeArgs;
use anyhow::{Result, bail};
use std::net::IpAddr;
use std::path::PathBuf;

/// Where the server's certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TlsSource {
    /// Files that somebody else keeps fresh.
    Files { certificate: PathBuf, key: PathBuf },
    /// The pool's own authority.
    Own {
        /// Beside those that this machine has anyway.
        names: Vec<String>,
    },
}

impl ServeArgs {
    pub(super) fn tls(&self) -> Result<Option<TlsSource>> {
        let is_own = self.tls_self_signed.unwrap_or(false);
        if self.tls_name.is_some() && !is_own {
            bail!("--tls-name is for --tls-self-signed");
        }
        match (&self.tls_cert, &self.tls_key, is_own) {
            (None, None, false) => Ok(None),
            (None, None, true) => Ok(Some(TlsSource::Own { names: self.names()? })),
            (Some(certificate), Some(key), false) => {
                Ok(Some(TlsSource::Files { certificate: certificate.clone(), key: key.clone() }))
            }
            (_, _, true) => bail!("--tls-self-signed and --tls-cert exclude each other"),
            (Some(_), None, false) => bail!("--tls-cert needs --tls-key beside it"),
            (None, Some(_), false) => bail!("--tls-key needs --tls-cert beside it"),
        }
    }

    fn names(&self) -> Result<Vec<String>> {
        let names: Vec<String> = self.tls_name.iter().flatten().map(|name| name.trim().to_owned()).collect();
        match names.iter().find(|name| name.parse::<IpAddr>().is_err() && !is_name(name)) {
            Some(bad) => {
                bail!("--tls-name {bad:?} must be a name such as pool.example, or an address such as 10.0.0.1")
            }
            None => Ok(names),
        }
    }
}

/// Whether a text is a name of DNS; the first part may be `*`.
pub(crate) fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.strip_prefix("*.").unwrap_or(text).split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(cert: Option<&str>, key: Option<&str>, own: Option<bool>, names: Option<&[&str]>) -> ServeArgs {
        ServeArgs {
            tls_cert: cert.map(PathBuf::from),
            tls_key: key.map(PathBuf::from),
            tls_self_signed: own,
            tls_name: names.map(|names| names.iter().map(|&name| name.to_owned()).collect()),
            ..ServeArgs::default()
        }
    }

    #[test]
    fn there_is_one_source_or_none() {
        let (a, b) = (Some("a"), Some("b"));
        assert_eq!(args(None, None, None, None).tls().unwrap(), None);
        assert_eq!(args(None, None, Some(false), None).tls().unwrap(), None);
        let files = TlsSource::Files { certificate: "a".into(), key: "b".into() };
        assert_eq!(args(a, b, None, None).tls().unwrap(), Some(files));
        let own = TlsSource::Own { names: vec!["pool.example".to_owned(), "10.0.0.1".to_owned()] };
        let names = Some(["pool.example", " 10.0.0.1"].as_slice());
        assert_eq!(args(None, None, Some(true), names).tls().unwrap(), Some(own));
        for (args, expected) in [
            (args(a, None, None, None), "--tls-cert needs --tls-key"),
            (args(None, b, None, None), "--tls-key needs --tls-cert"),
            (args(a, b, Some(true), None), "exclude"),
            (args(None, b, Some(true), None), "exclude"),
            (args(a, b, None, Some(&["x"])), "--tls-name is for"),
            (args(None, None, Some(true), Some(&["a b"])), "--tls-name \"a b\" must be"),
        ] {
            assert!(args.tls().unwrap_err().to_string().contains(expected), "{expected}");
        }
    }

    #[test]
    fn names_of_dns_have_a_form() {
        for good in ["localhost", "pool.example", "*.pool.example", "a-1.b", "0a"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", ".", "a..b", "-a", "a-", "a b", "ä", "*", "a.*.b", "https://a", "a:1", &"x".repeat(64)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
