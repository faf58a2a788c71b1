//! Where the school's own list of people lies, and the keys of its site.

use super::ServeArgs;
use anyhow::{Context, Result, bail};
use pierhead_controller::RosterOptions;
use pierhead_identity::{Mapping, RedirectKeys, RosterSource};
use std::path::PathBuf;
use std::time::Duration;

/// How often the list is looked at unless somebody says otherwise.
const USUAL: Duration = Duration::from_secs(3600);
/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_secs(10);

/// What is asked of those who write an address.
#[cfg(feature = "sql")]
const FORM: &str = "mysql://USER@HOST:PORT/DATABASE, postgres://USER@HOST:PORT/DATABASE or file:///DIR";

impl ServeArgs {
    /// Where the list lies, and how often it is looked at.
    pub(super) fn roster(&self) -> Result<RosterOptions> {
        let source = self.roster_source()?;
        if source.is_none() {
            for (flag, is_given) in [
                ("--roster-password-file", self.roster_password_file.is_some()),
                ("--roster-mapping", self.roster_mapping.is_some()),
                ("--roster-every", self.roster_every.is_some()),
            ] {
                if is_given {
                    bail!("{flag} needs --roster-url");
                }
            }
        }
        let every = self.roster_every.map_or(USUAL, |span| Duration::from_millis(span.millis()));
        if !every.is_zero() && every < SHORTEST {
            bail!("--roster-every must be at least 10s, or 0 to look only when somebody asks for it");
        }
        Ok(RosterOptions { source, every: (!every.is_zero()).then_some(every) })
    }

    fn roster_source(&self) -> Result<Option<RosterSource>> {
        if self.roster_url.is_some() && self.dbschm.is_some() {
            bail!("--roster-url and --dbschm say the same; give one of them");
        }
        let Some(url) = &self.roster_url else {
            return self.dbschm.as_ref().map(|text| self.original(&text.0)).transpose();
        };
        if let Some(path) = url.0.strip_prefix("file://") {
            if !path.starts_with('/') || self.roster_mapping.is_some() || self.roster_password_file.is_some() {
                bail!(
                    "--roster-url file:///DIR must be a whole path, without --roster-mapping and --roster-password-file"
                );
            }
            return Ok(Some(RosterSource::Folder(PathBuf::from(path))));
        }
        self.database(&url.0).map(Some)
    }

    #[cfg(feature = "sql")]
    fn original(&self, text: &str) -> Result<RosterSource> {
        let address = pierhead_identity::DatabaseAddress::parse_original(text);
        self.source(address.map_err(|refused| anyhow::anyhow!("--dbschm {refused}"))?)
    }

    #[cfg(feature = "sql")]
    fn database(&self, url: &str) -> Result<RosterSource> {
        let address = pierhead_identity::DatabaseAddress::parse(url);
        self.source(address.map_err(|refused| anyhow::anyhow!("--roster-url {refused}"))?)
    }

    #[cfg(feature = "sql")]
    fn source(&self, address: pierhead_identity::DatabaseAddress) -> Result<RosterSource> {
        let address = match &self.roster_password_file {
            None => address,
            Some(_) if address.has_password() => {
                bail!(
                    "a password stands in the address of the list and in --roster-password-file; give it once: {FORM}"
                )
            }
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("--roster-password-file {}", file.display()))?;
                address.with_password(text.trim_end_matches(['\r', '\n']).to_owned())
            }
        };
        Ok(RosterSource::Database(address, self.mapping()?))
    }

    #[cfg(not(feature = "sql"))]
    fn original(&self, _: &str) -> Result<RosterSource> {
        self.database("")
    }

    #[cfg(not(feature = "sql"))]
    fn database(&self, _: &str) -> Result<RosterSource> {
        self.mapping()?;
        bail!("this program was built without the feature sql: it reads lists as CSV only (--roster-url file:///DIR)")
    }

    fn mapping(&self) -> Result<Mapping> {
        let Some(file) = &self.roster_mapping else { return Ok(Mapping::default()) };
        let text = std::fs::read_to_string(file).with_context(|| format!("--roster-mapping {}", file.display()))?;
        Mapping::parse(&text).with_context(|| format!("--roster-mapping {}", file.display()))
    }

    /// Whether a password stands where others on this machine may read it.
    pub(super) fn tells_roster_password(&self) -> bool {
        #[cfg(feature = "sql")]
        {
            use pierhead_identity::DatabaseAddress;
            let url = self.roster_url.as_ref().and_then(|url| DatabaseAddress::parse(&url.0).ok());
            let original = self.dbschm.as_ref().and_then(|text| DatabaseAddress::parse_original(&text.0).ok());
            url.or(original).is_some_and(|address| address.has_password())
        }
        #[cfg(not(feature = "sql"))]
        false
    }

    /// The keys of links of the school's site.
    pub(super) fn redirect_keys(&self) -> Result<Option<RedirectKeys>> {
        let Some(file) = &self.redirect_key_file else { return Ok(None) };
        let text = std::fs::read_to_string(file).with_context(|| format!("--redirect-key-file {}", file.display()))?;
        let keys = RedirectKeys::parse(&text)
            .map_err(|refused| anyhow::anyhow!("--redirect-key-file {} {refused}", file.display()))?;
        Ok(Some(keys))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::settle;
    use super::*;

    fn told(flags: &[&str]) -> String {
        let source = settle(flags).unwrap().controller.roster.source.unwrap();
        source.told()
    }

    fn refused(flags: &[&str]) -> String {
        format!("{:#}", settle(flags).map(|_| ()).unwrap_err())
    }

    #[cfg(feature = "sql")]
    #[test]
    fn the_school_lists_people_in_a_database_or_in_files() {
        assert_eq!(told(&["--roster-url", "mysql://pier@db/step1"]), "mysql://pier@db:3306/step1");
        assert_eq!(told(&["--dbschm", "root:root@tcp(localhost:3306)/step1"]), "mysql://root@localhost:3306/step1");
        assert_eq!(told(&["--roster-url", "file:///srv/school"]), "CSV files in /srv/school");
        let settings = settle(&["--roster-url", "postgres://pier@db/step1", "--roster-every", "0"]).unwrap();
        assert_eq!(settings.controller.roster.every, None);
        let settings = settle(&["--roster-url", "postgres://pier@db/step1"]).unwrap();
        assert_eq!((settings.controller.roster.every, settings.tells_roster_password), (Some(USUAL), false));
        assert!(settle(&["--dbschm", "root:root@tcp(localhost)/step1"]).unwrap().tells_roster_password);
    }

    #[cfg(feature = "sql")]
    #[test]
    fn passwords_come_from_a_file_and_are_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        std::fs::write(&file, "open sesame\n").unwrap();
        let file = file.to_str().unwrap();
        let settings = settle(&["--roster-url", "mysql://pier@db/step1", "--roster-password-file", file]).unwrap();
        assert!(!settings.tells_roster_password && !format!("{settings:?}").contains("sesame"), "{settings:?}");
        let both = ["--roster-url", "mysql://pier:open-sesame@db/step1", "--roster-password-file", file];
        assert!(!refused(&both).contains("sesame"), "{}", refused(&both));
        for bad in ["mysql://pier:open-sesame@db", "pier:open-sesame@tcp(db)/x", "file://school"] {
            let told = refused(&["--roster-url", bad]);
            assert!(told.contains("--roster-url") && !told.contains("sesame"), "{told}");
        }
    }

    #[cfg(feature = "sql")]
    #[test]
    fn what_does_not_fit_is_refused_by_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let mapping = dir.path().join("mapping.toml");
        std::fs::write(&mapping, "[people]\nquery = \"DROP TABLE people\"\n").unwrap();
        let url = ["--roster-url", "mysql://pier@db/step1"];
        for (flags, told) in [
            (vec!["--roster-every", "1h"], "--roster-every needs --roster-url"),
            ([&url[..], &["--roster-every", "1s"]].concat(), "--roster-every must be at least 10s"),
            ([&url[..], &["--roster-mapping", mapping.to_str().unwrap()]].concat(), "missing field"),
            ([&url[..], &["--dbschm", "a@tcp(b)/c"]].concat(), "give one of them"),
            (vec!["--dbschm", "step1"], "--dbschm must be USER:PASSWORD@tcp(HOST:PORT)/DATABASE"),
        ] {
            assert!(refused(&flags).contains(told), "{}", refused(&flags));
        }
    }

    #[test]
    fn keys_of_links_have_a_length() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        std::fs::write(&file, "too short").unwrap();
        let path = file.to_str().unwrap();
        assert!(refused(&["--redirect-key-file", path]).contains("at least 32 visible ASCII characters"));
        std::fs::write(&file, "k".repeat(40)).unwrap();
        let settings = settle(&["--redirect-key-file", path]).unwrap();
        assert!(settings.redirect.is_some() && !format!("{settings:?}").contains("kkkk"));
        assert!(settle(&[]).unwrap().redirect.is_none());
    }
}
