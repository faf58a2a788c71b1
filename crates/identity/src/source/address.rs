//! Where a database is: as a URL, or as the original had it (`root:root@tcp(localhost:3306)/step1`). Its password is never
//! shown.

use std::fmt;
use std::path::{Path, PathBuf};
use url::Url;

/// Where a database is, and as whom it is asked.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseAddress {
    pub(super) kind: Kind,
    pub(super) user: String,
    pub(super) password: Option<String>,
    pub(super) place: Place,
    pub(super) database: String,
    pub(super) tls: Tls,
    pub(super) authorities: Option<PathBuf>,
}

/// What speaks there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    MySql,
    Postgres,
}

/// How it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Tcp(String, u16),
    Socket(PathBuf),
}

/// Whether the way there is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    Off,
    /// If the server can.
    Preferred,
    Required,
    /// With the server's certificate checked.
    Verified,
}

/// A text that is no address; it never repeats the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no URL of a database.
    #[error(
        "must be mysql://USER@HOST:PORT/DATABASE, postgres://USER@HOST:PORT/DATABASE or a directory of CSV files, file:///DIR"
    )]
    Url,
    /// It is not in the form of the original.
    #[error("must be USER:PASSWORD@tcp(HOST:PORT)/DATABASE")]
    Original,
    /// A setting behind the `?` that is not known.
    #[error("may have the settings tls=off|preferred|required|verified, ca=FILE and socket=PATH only")]
    Setting,
}

impl DatabaseAddress {
    /// Reads `mysql://`, `mariadb://`, `postgres://` or `postgresql://USER[:PASSWORD]@HOST[:PORT]/DATABASE`, with the settings
    /// `tls`, `ca` and `socket`.
    ///
    /// # Errors
    /// [`AddressError`] says which form is accepted.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text).map_err(|_| AddressError::Url)?;
        let (kind, port) = match url.scheme() {
            "mysql" | "mariadb" => (Kind::MySql, 3306),
            "postgres" | "postgresql" => (Kind::Postgres, 5432),
            _ => return Err(AddressError::Url),
        };
        let plain = |text: &str| {
            let bytes: Vec<u8> = percent_decoded(text);
            String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control)).ok_or(AddressError::Url)
        };
        let (user, database) = (plain(url.username())?, plain(url.path().trim_start_matches('/'))?);
        if user.is_empty() || database.is_empty() || url.fragment().is_some() {
            return Err(AddressError::Url);
        }
        let host = url.host_str().unwrap_or("localhost").trim_matches(['[', ']']).to_owned();
        let mut address = Self {
            kind,
            user,
            password: url.password().map(plain).transpose()?,
            place: Place::Tcp(host, url.port().unwrap_or(port)),
            database,
            tls: Tls::Preferred,
            authorities: None,
        };
        for (name, value) in url.query_pairs() {
            match (&*name, &*value) {
                ("tls", "off") => address.tls = Tls::Off,
                ("tls", "preferred") => address.tls = Tls::Preferred,
                ("tls", "required") => address.tls = Tls::Required,
                ("tls", "verified") => address.tls = Tls::Verified,
                ("ca", file) if !file.is_empty() => address.authorities = Some(PathBuf::from(file)),
                ("socket", path) if path.starts_with('/') => address.place = Place::Socket(PathBuf::from(path)),
                _ => return Err(AddressError::Setting),
            }
        }
        Ok(address)
    }

    /// Reads the form of the original: `root:root@tcp(localhost:3306)/step1`, or with `unix(/path)`.
    ///
    /// # Errors
    /// [`AddressError::Original`].
    pub fn parse_original(text: &str) -> Result<Self, AddressError> {
        let wrong = AddressError::Original;
        let (who, rest) = text.rsplit_once('@').ok_or(wrong.clone())?;
        let (net, database) = rest.rsplit_once('/').ok_or(wrong.clone())?;
        // What stands behind it are settings of the original's own driver.
        let database = database.split('?').next().unwrap_or_default();
        let (user, password) = who.split_once(':').map_or((who, None), |(user, password)| (user, Some(password)));
        let (net, at) = match net.strip_suffix(')').and_then(|net| net.split_once('(')) {
            Some((net, at)) => (net, at),
            None if net.is_empty() || net == "tcp" => ("tcp", "localhost"),
            None => return Err(wrong),
        };
        let place = match net {
            "tcp" => {
                let (host, port) = match at.rsplit_once(':') {
                    Some((host, port)) => (host, port.parse().map_err(|_| wrong.clone())?),
                    None => (at, 3306),
                };
                Place::Tcp(host.trim_matches(['[', ']']).to_owned(), port)
            }
            "unix" if at.starts_with('/') => Place::Socket(PathBuf::from(at)),
            _ => return Err(wrong),
        };
        if user.is_empty() || database.is_empty() || matches!(&place, Place::Tcp(host, _) if host.is_empty()) {
            return Err(wrong);
        }
        let password = password.filter(|password| !password.is_empty()).map(str::to_owned);
        let (user, database) = (user.to_owned(), database.to_owned());
        Ok(Self { kind: Kind::MySql, user, password, place, database, tls: Tls::Preferred, authorities: None })
    }

    /// The same with another password.
    #[must_use]
    pub fn with_password(self, password: String) -> Self {
        Self { password: Some(password), ..self }
    }

    /// Whether a password stood in it, where everybody on this machine may read it.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    pub(super) fn authorities(&self) -> Option<&Path> {
        self.authorities.as_deref()
    }
}

impl fmt::Display for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::MySql => "mysql",
            Kind::Postgres => "postgres",
        };
        match &self.place {
            Place::Tcp(host, port) => write!(f, "{scheme}://{}@{host}:{port}/{}", self.user, self.database),
            Place::Socket(path) => write!(f, "{scheme}://{}@{}/{}", self.user, path.display(), self.database),
        }
    }
}

impl fmt::Debug for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DatabaseAddress").field(&self.to_string()).finish()
    }
}

/// The bytes of a part of a URL.
fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let escaped = (*byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) => {
                decoded.push(value);
                at += 3;
            }
            None => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_databases_are_read() {
        let full =
            DatabaseAddress::parse("mysql://li:p%40ss@db.example:3307/step1?tls=verified&ca=/etc/ca.pem").unwrap();
        assert_eq!((full.kind, full.user.as_str(), full.password.as_deref()), (Kind::MySql, "li", Some("p@ss")));
        assert_eq!((full.place.clone(), full.tls), (Place::Tcp("db.example".to_owned(), 3307), Tls::Verified));
        assert_eq!(full.authorities(), Some(Path::new("/etc/ca.pem")));
        assert_eq!((full.to_string(), full.has_password()), ("mysql://li@db.example:3307/step1".to_owned(), true));
        assert!(!format!("{full:?}").contains("p@ss"));
        let pg = DatabaseAddress::parse("postgresql://li@[::1]/school").unwrap().with_password("x".to_owned());
        assert_eq!((pg.kind, pg.place.clone()), (Kind::Postgres, Place::Tcp("::1".to_owned(), 5432)));
        let socket = DatabaseAddress::parse("mariadb://root@localhost/step1?socket=/run/db.sock").unwrap();
        assert_eq!(socket.place, Place::Socket(PathBuf::from("/run/db.sock")));
    }

    #[test]
    fn what_is_none_is_refused_without_repeating_it() {
        for bad in [
            "",
            "step1",
            "http://li@h/d",
            "mysql://h/d",
            "mysql://li:secret@h",
            "mysql://li:secret@h/",
            "mysql://li:secret@h:x/d",
            "mysql://li:secret@h/d#x",
            "mysql://li:%ff@h/d",
            "mysql://li:secret@h/d?ssl=1",
            "mysql://li:secret@h/d?tls=maybe",
            "mysql://li:secret@h/d?socket=x",
        ] {
            let refused = DatabaseAddress::parse(bad).unwrap_err().to_string();
            assert!(!refused.contains("secret") && refused.starts_with("m"), "{bad}: {refused}");
        }
    }

    #[test]
    fn the_form_of_the_original_is_read() {
        let read = |text| DatabaseAddress::parse_original(text);
        let step = read("root:root@tcp(localhost:3306)/step1").unwrap();
        assert_eq!(
            (step.to_string(), step.password.as_deref()),
            ("mysql://root@localhost:3306/step1".to_owned(), Some("root"))
        );
        let odd = read("li:p@ss/w:(x)@tcp(10.0.0.1)/step1?charset=utf8").unwrap();
        assert_eq!((odd.password.as_deref(), odd.place), (Some("p@ss/w:(x)"), Place::Tcp("10.0.0.1".to_owned(), 3306)));
        assert_eq!(read("root@unix(/run/my.sock)/a").unwrap().place, Place::Socket(PathBuf::from("/run/my.sock")));
        assert_eq!(read("root@/a").unwrap().place, Place::Tcp("localhost".to_owned(), 3306));
        for bad in [
            "",
            "root",
            "root:secret@tcp(h)",
            "root:secret@tcp(h:x)/d",
            "root:secret@udp(h)/d",
            "@tcp(h)/d",
            "root@tcp(h)/",
            "root@tcp()/d",
        ] {
            assert_eq!(read(bad), Err(AddressError::Original), "{bad}");
        }
    }
}
