//! The provider of log-ins.

use super::ServeArgs;
use anyhow::{Context, Result, bail};
use pierhead_identity::{OidcProvider, OidcSettings};
use pierhead_model::{Role, RoleName};

/// The longest name of a provider, in characters.
const LONGEST_NAME: usize = 40;

impl ServeArgs {
    /// The provider of log-ins, if one is named.
    pub(super) fn oidc(&self) -> Result<Option<OidcProvider>> {
        let Some(issuer) = self.oidc_issuer.clone() else {
            return self.check_no_oidc().map(|()| None);
        };
        let client_id = self.oidc_client_id.clone().filter(|id| !id.is_empty());
        let claim = self.oidc_claim.clone().unwrap_or_else(|| "preferred_username".to_owned());
        let domains = self.oidc_domain.clone().unwrap_or_default();
        if claim.is_empty() {
            bail!("--oidc-claim must be the name of a claim");
        }
        if claim == "email" && domains.is_empty() {
            bail!("--oidc-claim email needs --oidc-domain: whose addresses are those of accounts");
        }
        if domains.iter().any(|domain| domain.is_empty() || domain.contains('@')) {
            bail!("--oidc-domain must be a domain, such as school.example");
        }
        let scopes = self.oidc_scope.clone().unwrap_or_else(|| vec!["profile".to_owned(), "email".to_owned()]);
        if scopes.iter().any(|scope| scope.is_empty() || !scope.bytes().all(|byte| byte.is_ascii_graphic())) {
            bail!("--oidc-scope must be names without spaces, such as profile,email");
        }
        let settings = OidcSettings {
            name: self.provider_name(&issuer)?,
            client_id: client_id.context("--oidc-issuer needs --oidc-client-id")?,
            client_secret: self.client_secret()?,
            scopes: scopes.into_iter().filter(|scope| scope != "openid").collect(),
            create: self.created_role()?,
            issuer,
            claim,
            domains,
        };
        OidcProvider::new(settings).map(Some).map_err(|refused| anyhow::anyhow!("--oidc-issuer {refused}"))
    }

    fn check_no_oidc(&self) -> Result<()> {
        for (flag, is_given) in [
            ("--oidc-client-id", self.oidc_client_id.is_some()),
            ("--oidc-client-secret-file", self.oidc_client_secret_file.is_some()),
            ("--oidc-claim", self.oidc_claim.is_some()),
            ("--oidc-domain", self.oidc_domain.is_some()),
            ("--oidc-scope", self.oidc_scope.is_some()),
            ("--oidc-create", self.oidc_create.is_some()),
            ("--oidc-name", self.oidc_name.is_some()),
        ] {
            if is_given {
                bail!("{flag} needs --oidc-issuer");
            }
        }
        Ok(())
    }

    fn client_secret(&self) -> Result<Option<String>> {
        let Some(file) = &self.oidc_client_secret_file else { return Ok(None) };
        let named = || format!("--oidc-client-secret-file {}", file.display());
        let text = std::fs::read_to_string(file).with_context(named)?;
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() || secret.chars().any(char::is_control) {
            bail!("{} must hold the secret, in one line", named());
        }
        Ok(Some(secret.to_owned()))
    }

    fn created_role(&self) -> Result<Option<RoleName>> {
        let Some(role) = &self.oidc_create else { return Ok(None) };
        if role == Role::ADMIN {
            bail!("--oidc-create must be a role that administers nothing, such as student or user");
        }
        RoleName::parse(role).map(Some).with_context(|| format!("--oidc-create {role}"))
    }

    fn provider_name(&self, issuer: &str) -> Result<String> {
        // What is no address is refused as one.
        let host = issuer.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default();
        let name = self.oidc_name.clone().unwrap_or_else(|| host.chars().take(LONGEST_NAME).collect());
        let is_short = (1..=LONGEST_NAME).contains(&name.trim().chars().count());
        if self.oidc_name.is_some() && (!is_short || name.chars().any(char::is_control)) {
            bail!("--oidc-name must be 1 to {LONGEST_NAME} characters");
        }
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::settle;

    const PROVIDER: [&str; 4] = ["--oidc-issuer", "https://id.school.example/x", "--oidc-client-id", "pierhead"];

    fn refused(flags: &[&str]) -> String {
        format!("{:#}", settle(flags).map(|_| ()).unwrap_err())
    }

    #[test]
    fn a_provider_has_what_is_usual() {
        assert!(settle(&[]).unwrap().oidc.is_none());
        let settings = settle(&PROVIDER).unwrap();
        let provider = settings.oidc.as_ref().unwrap().settings();
        assert_eq!((provider.name.as_str(), provider.claim.as_str()), ("id.school.example", "preferred_username"));
        assert_eq!(provider.scopes, ["profile", "email"]);
        assert!(provider.client_secret.is_none() && provider.create.is_none() && provider.domains.is_empty());
        let more = ["--oidc-scope", "openid,groups", "--oidc-create", "student", "--oidc-name", "My School"];
        let settings = settle(&[&PROVIDER[..], &more].concat()).unwrap();
        let provider = settings.oidc.as_ref().unwrap().settings();
        assert_eq!((provider.scopes.as_slice(), provider.name.as_str()), (&["groups".to_owned()][..], "My School"));
        assert_eq!(provider.create.as_ref().unwrap().0, "student");
    }

    #[test]
    fn its_secret_comes_from_a_file_and_is_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        std::fs::write(&file, "open sesame\n").unwrap();
        let flags = [&PROVIDER[..], &["--oidc-client-secret-file", file.to_str().unwrap()]].concat();
        let settings = settle(&flags).unwrap();
        assert_eq!(settings.oidc.as_ref().unwrap().settings().client_secret.as_deref(), Some("open sesame"));
        assert!(!format!("{settings:?}").contains("sesame"), "{settings:?}");
        std::fs::write(&file, "open\nsesame\n").unwrap();
        assert!(refused(&flags).contains("in one line") && !refused(&flags).contains("sesame"), "{}", refused(&flags));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_name() {
        for (flags, told) in [
            (vec!["--oidc-issuer", "https://id.school.example"], "--oidc-issuer needs --oidc-client-id"),
            (vec!["--oidc-claim", "email"], "--oidc-claim needs --oidc-issuer"),
            (vec!["--oidc-issuer", "http://id.school.example", "--oidc-client-id", "x"], "must be https://HOST"),
            ([&PROVIDER[..], &["--oidc-claim", "email"]].concat(), "needs --oidc-domain"),
            ([&PROVIDER[..], &["--oidc-domain", "li@school.example"]].concat(), "--oidc-domain must be a domain"),
            ([&PROVIDER[..], &["--oidc-create", "admin"]].concat(), "administers nothing"),
            ([&PROVIDER[..], &["--oidc-create", "a/b"]].concat(), "--oidc-create a/b"),
            ([&PROVIDER[..], &["--oidc-scope", "profile email"]].concat(), "--oidc-scope must be names"),
            ([&PROVIDER[..], &["--oidc-name", ""]].concat(), "--oidc-name must be 1 to 40"),
            ([&PROVIDER[..], &["--oidc-client-secret-file", "/nowhere"]].concat(), "--oidc-client-secret-file"),
        ] {
            assert!(refused(&flags).contains(told), "{flags:?}: {}", refused(&flags));
        }
    }
}
