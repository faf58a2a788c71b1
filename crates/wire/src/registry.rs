//! The pool's accounts at registries of images.

use crate::FieldError;
use pierhead_model::RegistryHost;
use serde::{Deserialize, Serialize};

/// Body of `POST /api/registries`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegistryRequest {
    /// Host and port, as images name it: `registry.lan:5000`, `docker.io`.
    pub host: String,
    /// The user name there.
    pub username: String,
    /// The password there. It is never shown again.
    pub password: String,
}

/// Body of `PUT /api/registries/{host}`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegistryChange {
    /// The user name there.
    pub username: String,
    /// The password there. It is never shown again.
    pub password: String,
}

/// An account at a registry as it is listed: never the password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegistryView {
    /// Host and port.
    pub host: String,
    /// The user name there.
    pub username: String,
    /// When it was given or changed (RFC 3339).
    pub changed_at: String,
    /// Who gave or changed it.
    pub changed_by: String,
}

const MOST_USERNAME: usize = 255;
const MOST_PASSWORD: usize = 4096;

impl RegistryRequest {
    /// The registry that is meant.
    ///
    /// # Errors
    /// Names the field and the accepted form.
    pub fn parse(&self) -> Result<RegistryHost, FieldError> {
        check(&self.username, &self.password)?;
        RegistryHost::parse(&self.host).map_err(|invalid| FieldError::of("host", &invalid))
    }
}

impl RegistryChange {
    /// Checks the account.
    ///
    /// # Errors
    /// Names the field and the accepted form.
    pub fn check(&self) -> Result<(), FieldError> {
        check(&self.username, &self.password)
    }
}

fn check(username: &str, password: &str) -> Result<(), FieldError> {
    let refused = |field: &str, most: usize| FieldError {
        field: field.to_owned(),
        message: format!("{field} must be 1 to {most} bytes without control characters"),
    };
    let is_good = |text: &str, most| (1..=most).contains(&text.len()) && !text.contains(char::is_control);
    if !is_good(username, MOST_USERNAME) {
        return Err(refused("username", MOST_USERNAME));
    }
    if !is_good(password, MOST_PASSWORD) {
        return Err(refused("password", MOST_PASSWORD));
    }
    Ok(())
}

impl std::fmt::Debug for RegistryRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistryRequest")
            .field("host", &self.host)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RegistryChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistryChange").field("username", &self.username).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(host: &str, username: &str, password: &str) -> RegistryRequest {
        RegistryRequest { host: host.to_owned(), username: username.to_owned(), password: password.to_owned() }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(request("Registry.lan:5000", "ann", "secret").parse().unwrap().as_str(), "registry.lan:5000");
        let long = "x".repeat(5000);
        for (host, username, password, field) in [
            ("no registry", "ann", "secret", "host"),
            ("", "ann", "secret", "host"),
            ("r.lan", "", "secret", "username"),
            ("r.lan", "a\nb", "secret", "username"),
            ("r.lan", long.as_str(), "secret", "username"),
            ("r.lan", "ann", "", "password"),
            ("r.lan", "ann", "a\0b", "password"),
            ("r.lan", "ann", long.as_str(), "password"),
        ] {
            assert_eq!(request(host, username, password).parse().unwrap_err().field, field, "{host} {username:.9}");
        }
    }

    #[test]
    fn no_password_is_printed() {
        let change = RegistryChange { username: "ann".to_owned(), password: "hunter22".to_owned() };
        let printed = format!("{:?} {change:?}", request("r.lan", "ann", "hunter22"));
        assert!(printed.contains("ann") && !printed.contains("hunter22"), "{printed}");
    }
}
